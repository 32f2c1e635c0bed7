// What a page pays: minified and brotli-compressed, with eventemitter3 inside.
import { brotliCompressSync } from 'node:zlib';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { rollup } from 'rollup';
import { root } from './run.mjs';

/** In bytes, of a page that imports one name, or all: above it the check fails. */
const BUDGETS = {
  attachHeartbeat: 9_000, // to become 5 000
  ReconnectingWebSocket: 15_100, // to become 9 000
};

let failed = false;
for (const [name, budget] of Object.entries(BUDGETS)) {
  const { minified, brotli } = await measure(name);
  failed ||= brotli > budget;
  const verdict = brotli > budget ? 'over' : 'within';
  console.log(`${name.padEnd(21)} ${minified} B min, ${brotli} B brotli: ${verdict} ${budget} B`);
}
process.exitCode = failed ? 1 : 0;

/** Bundles such a page. */
async function measure(name) {
  const entry = `\0${name}`;
  const names = name === '*' ? '*' : `{ ${name} }`;
  const bundle = await rollup({
    input: entry,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) =>
          id === entry
            ? `export ${names} from '${root}packages/client/dist/index.native.js';`
            : null,
      },
      resolve({ browser: true }),
      commonjs(),
      terser({ module: true }),
    ],
  });
  const { output } = await bundle.generate({ format: 'es' });
  const code = Buffer.from(output[0].code);
  return { minified: code.length, brotli: brotliCompressSync(code).length };
}
