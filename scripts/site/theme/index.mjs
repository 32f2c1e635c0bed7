// Without the font of the theme, which is larger than most pages: text is shown at once.
import DefaultTheme from 'vitepress/theme-without-fonts';
import './site.css';

export default DefaultTheme;
