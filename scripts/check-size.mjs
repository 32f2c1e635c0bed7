// Checks the size of the client in a page: minified and compressed with Brotli, including
// eventemitter3.
import { bundleSize } from './bundle-size.mjs';

/** Largest size in bytes of a page that imports this name. */
const BUDGETS = {
  attachHeartbeat: 11_600, // to become 5 000
  ReconnectingWebSocket: 19_450, // to become 9 000
};

let failed = false;
for (const [name, budget] of Object.entries(BUDGETS)) {
  const source = `export { ${name} } from '@wirebeat/client';`;
  const { minified, brotli } = await bundleSize(source, import.meta.url);
  failed ||= brotli > budget;
  const verdict = brotli > budget ? 'over' : 'within';
  console.log(`${name.padEnd(21)} ${minified} B min, ${brotli} B brotli: ${verdict} ${budget} B`);
}
process.exitCode = failed ? 1 : 0;
