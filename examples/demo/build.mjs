// Builds the demo into dist/, from the packages as they are built: types and code by tsc, the page
// into one file by rollup.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import { rollup } from 'rollup';
import { must } from '../../scripts/run.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const onwarn = (warning) => {
  throw new Error(warning.message);
};

async function bundle(input, options) {
  const bundled = await rollup({ input: input.map(at), onwarn, ...options });
  await bundled.write({ dir: at('dist'), format: 'es', sourcemap: true });
  await bundled.close();
}

await must('tsc', ['-b', at('.')]);
mkdirSync(at('dist'), { recursive: true });
// What is published has no lab beside it.
const lab = resolve({ resolveOnly: [/^@wirebeat\/lab/] });
await bundle(['build/server.js', 'build/socket-server.js'], {
  external: /^(?!@wirebeat\/lab)[^./]/,
  plugins: [lab],
});
// One by one, so that each page is one file.
for (const page of ['build/latency.js', 'build/race.js']) {
  await bundle([page], { plugins: [resolve({ browser: true }), commonjs()] });
}
for (const name of ['latency.html', 'race.html', 'race.css'])
  cpSync(at(`src/${name}`), at(`dist/${name}`));
const styles = ['node_modules/uplot/dist/uPlot.min.css', 'src/latency.css'];
writeFileSync(
  at('dist/latency.css'),
  styles.map((path) => readFileSync(at(path), 'utf8')).join('\n'),
);
// The command line serves it too.
cpSync(at('dist'), at('../../packages/cli/dist/demo'), { recursive: true });
