import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../../docs/how-to/runtimes.md', import.meta.url);

/** Returns the first program below a heading of docs/how-to/runtimes.md. */
export function programBelow(heading) {
  const [, below = ''] = readFileSync(PAGE, 'utf8').split(`\n## ${heading}\n`);
  const [, program] = /^```js tested\n([\s\S]*?)^```$/m.exec(below.split('\n## ')[0]) ?? [];
  if (program === undefined) throw new Error(`No program below ${heading}`);
  return program;
}

/** Draws a port below the range of outgoing ports, so that no connection takes it meanwhile. */
export function drawPort() {
  return 12_000 + Math.floor(Math.random() * 20_000);
}
