import { conformance } from './conformance.ts';
import { statusElement } from './status-element.ts';
import { NO_BROWSER_KEEPS, w3c } from './w3c.ts';

conformance('firefox', 'Firefox');
statusElement('firefox', 'Firefox');
w3c('firefox', 'Firefox', {
  native: [...NO_BROWSER_KEEPS, 'refuses the address before it looks at the protocols'],
  ours: [],
});
