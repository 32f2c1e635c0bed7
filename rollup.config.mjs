// From tsc's output in build/ to what is published in dist/: one file an entry, one .d.ts an entry.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import terser from '@rollup/plugin-terser';
import { dts } from 'rollup-plugin-dts';

const at = (path) => fileURLToPath(new URL(`packages/${path}`, import.meta.url));
const isBare = (id) => !/^[./\0]/.test(id);
const onwarn = (warning) => {
  throw new Error(warning.message);
};

/** Chains the maps that tsc wrote beside its output, so that bundles map back to src/*.ts. */
const tscMaps = {
  name: 'tsc-maps',
  load(id) {
    if (!id.includes('/build/') || !id.endsWith('.js')) return null;
    const code = readFileSync(id, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*$/m, '');
    return { code, map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) };
  },
};

/** `using` wants Symbol.dispose, which no lib has before esnext. */
const banner = '/// <reference lib="esnext.disposable" />';

/** Bundles for pages in production have no sentences in errors, which would be a tenth of them. */
const inProduction = {
  name: 'in-production',
  load: (id) =>
    id.endsWith('/build/development.js') ? 'export const IS_DEVELOPMENT = false;' : null,
};

const code = (name, input, external = isBare, plugins = [], dist = 'dist') => ({
  input,
  onwarn,
  external,
  plugins: [...plugins, tscMaps],
  output: {
    dir: at(`${name}/${dist}`),
    format: 'es',
    sourcemap: true,
    chunkFileNames: 'shared.js',
  },
});
const types = (name, input, options = {}) => ({
  input,
  onwarn,
  external: isBare,
  plugins: [dts()],
  output: { dir: at(`${name}/dist`), format: 'es', chunkFileNames: 'shared.d.ts', ...options },
});

const coreEntries = (ending) => ({
  index: at(`core/build/index${ending}`),
  dialects: at(`core/build/protocol/dialects/index${ending}`),
  testing: at(`core/build/testing/index${ending}`),
});

const productionEntries = {
  index: at('core/build/index.js'),
  dialects: at('core/build/protocol/dialects/index.js'),
};

/** For what stands beside the package: it takes from it as everybody does, not from a second copy. */
const besideClient = {
  name: 'beside-client',
  resolveId: (id, importer) =>
    importer === undefined || isBare(id) ? null : { id: '@wirebeat/client', external: true },
};

/** Every runtime but Node has a WebSocket of its own. */
const withoutWs = {
  name: 'without-ws',
  resolveId: (id) => (id === 'isomorphic-ws' ? '\0without-ws' : null),
  load: (id) => (id === '\0without-ws' ? 'export default undefined;' : null),
};

export default [
  code('core', coreEntries('.js')),
  types('core', coreEntries('.d.ts')),
  code('core', productionEntries, isBare, [inProduction], 'dist/production'),
  code('client', { index: at('client/build/index.js') }),
  types('client', { index: at('client/build/index.d.ts') }, { banner }),
  {
    input: at('client/build/react.js'),
    onwarn,
    external: isBare,
    plugins: [besideClient, tscMaps],
    output: {
      file: at('client/dist/react.js'),
      format: 'es',
      sourcemap: true,
      banner: "'use client';", // where there are components of the server, it is for none of them
    },
  },
  {
    input: at('client/build/react.d.ts'),
    onwarn,
    external: isBare,
    plugins: [besideClient, dts()],
    output: { file: at('client/dist/react.d.ts'), format: 'es' },
  },
  // Without ws: every runtime but Node has a WebSocket of its own.
  code('client', { 'index.native': at('client/build/index.js') }, (id) => id === '@wirebeat/core', [
    withoutWs,
    resolve({ browser: true }),
    commonjs(),
  ]),
  code(
    'client',
    { index: at('client/build/index.js') },
    (id) => id === '@wirebeat/core',
    [inProduction, withoutWs, resolve({ browser: true }), commonjs()],
    'dist/production',
  ),
  // One file with nothing left to resolve: `wirebeat.js` for a module script, the other for a plain one.
  {
    input: at('client/build/index.js'),
    onwarn,
    plugins: [
      inProduction,
      withoutWs,
      tscMaps,
      resolve({ browser: true, exportConditions: ['production'] }),
      commonjs(),
      terser(),
    ],
    output: [
      { file: at('client/dist/wirebeat.js'), format: 'es', sourcemap: true },
      {
        file: at('client/dist/wirebeat-client.min.js'),
        format: 'umd',
        name: 'wirebeat',
        sourcemap: true,
      },
    ],
  },
  code('server', {
    index: at('server/build/index.js'),
    gateway: at('server/build/gateway/index.js'),
  }),
  // Alone: it shares only small functions with the others, and no types.
  code('server', { redis: at('server/build/redis/index.js') }),
  // Apart: what they share is no public type, and a third file would have to be one.
  types('server', { index: at('server/build/index.d.ts') }, { banner }),
  types('server', { gateway: at('server/build/gateway/index.d.ts') }, { banner }),
  types('server', { redis: at('server/build/redis/index.d.ts') }),
  // Each by itself: whoever takes one has not the library of the other.
  ...['prometheus', 'opentelemetry'].flatMap((name) => [
    code('server', { [name]: at(`server/build/metrics/${name}.js`) }),
    types('server', { [name]: at(`server/build/metrics/${name}.d.ts`) }),
  ]),
  code('cli', { main: at('cli/build/main.js') }),
];
