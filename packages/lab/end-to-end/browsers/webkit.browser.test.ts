import { conformance } from './conformance.ts';
import { statusElement } from './status-element.ts';
import { NO_BROWSER_KEEPS, w3c } from './w3c.ts';

conformance('webkit', 'WebKit');
statusElement('webkit', 'WebKit');
w3c('webkit', 'WebKit', {
  native: [
    ...NO_BROWSER_KEEPS,
    'refuses the address before it looks at the protocols',
    'after close() sends nothing and does not throw; bufferedAmount counts it',
    'reads the code as a number, to the nearest whole one',
    'refuses a reason of more than 123 bytes',
  ],
  ours: [],
});
