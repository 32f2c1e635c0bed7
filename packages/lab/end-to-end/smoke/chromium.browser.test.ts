import { conformance } from '../browsers/conformance.ts';
import { statusElement } from '../browsers/status-element.ts';
import { NO_BROWSER_KEEPS, w3c } from '../browsers/w3c.ts';

/** Its URLs take a space in the name of a host; ours are the page's. */
const SPACES = [
  'refuses the address ws://foo bar.test/',
  'refuses the address wss://foo bar.test/',
];

conformance('chromium', 'Chromium');
statusElement('chromium', 'Chromium');
w3c('chromium', 'Chromium', {
  native: [
    ...NO_BROWSER_KEEPS,
    ...SPACES,
    'reads the code as a number, to the nearest whole one',
    'refuses a reason of more than 123 bytes', // without a code it complains of that, with another name
  ],
  ours: SPACES,
});
