// From tsc's output in build/ to what is published in dist/: one file an entry, one .d.ts an entry.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';
import { dts } from 'rollup-plugin-dts';
import { minify, withoutSentences } from './scripts/minify.mjs';

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

/** What replaces code that is of no use in a page. */
const NOT_IN_PAGES = {
  // Watches what only sockets of `ws` report, which are in no page.
  'node-socket': 'export const watchNodeSocket = () => () => {};',
  // Pages can send no protocol Pings, and are shown none.
  'silent-peer': 'export const pingSilentPeer = () => {}; export const stopPinging = () => {};',
  'protocol-pings': 'export const watchProtocolPings = () => {};',
};

const production = (isPage) => ({
  ...withoutSentences,
  load(id) {
    if (!id.endsWith('/build/development.js')) return null;
    return `export const IS_DEVELOPMENT = false, IS_PAGE = ${isPage};`;
  },
});
/** Bundles for production have no sentences in errors, which would be a tenth of them. */
const inProduction = production(false);

/**
 * Those of the client are for pages, and leave out what pages cannot need. They contain the core, because
 * its internal names are shortened with those of the client.
 */
const inPages = {
  ...withoutSentences,
  resolveId: (id) => (id === '@wirebeat/core' ? at('core/build/index.js') : null),
  load(id) {
    if (id.endsWith('/build/development.js')) {
      return 'export const IS_DEVELOPMENT = false, IS_PAGE = true;';
    }
    const [, name] = /\/build\/(?:reconnect|socket)\/([\w-]+)\.js$/.exec(id) ?? [];
    return NOT_IN_PAGES[name] ?? null;
  },
};

const code = (
  name,
  input,
  external = isBare,
  plugins = [],
  dist = 'dist',
  shared = 'shared.js',
) => ({
  input,
  onwarn,
  external,
  plugins: [...plugins, tscMaps],
  output: {
    dir: at(`${name}/${dist}`),
    format: 'es',
    sourcemap: true,
    chunkFileNames: shared,
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

const RUNTIMES = ['bun', 'deno', 'crossws'];

const runtimeEntries = (ending, names = RUNTIMES) => ({
  runtime: at(`server/build/runtime/index${ending}`),
  ...Object.fromEntries(names.map((name) => [name, at(`server/build/adapters/${name}${ending}`)])),
});

/**
 * For what stands beside the package: it takes from it as everybody does, not from a second copy.
 * Files in the folder of the entry are its own.
 */
const besideClient = {
  name: 'beside-client',
  resolveId(id, importer) {
    if (importer === undefined || isBare(id)) return null;
    const entry = /(status[\w-]*|report)(?=\/)/;
    if (/\/build\/(status|report)/.test(importer) && id.startsWith('./')) return null;
    const other = entry.exec(id)?.[0];
    return { id: `@wirebeat/client${other ? `/${other}` : ''}`, external: true };
  },
};
const besideEntry = (name, file, output = {}, beside = besideClient) => [
  {
    input: at(`client/build/${file}.js`),
    onwarn,
    external: isBare,
    plugins: [beside, tscMaps],
    output: { file: at(`client/dist/${name}.js`), format: 'es', sourcemap: true, ...output },
  },
  {
    input: at(`client/build/${file}.d.ts`),
    onwarn,
    external: isBare,
    plugins: [beside, dts()],
    output: { file: at(`client/dist/${name}.d.ts`), format: 'es' },
  },
];

/** As above, for one that also has a copy of small parts of the client, which keep no state. */
const withCopies = {
  name: 'with-copies',
  resolveId: (id) =>
    /\/(snapshot|reconnecting-websocket|close-record|delivery|outbox)(\.[jt]s)$/.test(id)
      ? { id: '@wirebeat/client', external: true }
      : null,
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
  code('core', { index: at('core/build/index.js') }, isBare, [inProduction], 'dist/production'),
  code('client', { index: at('client/build/index.js') }),
  types('client', { index: at('client/build/index.d.ts') }, { banner }),
  // After the types of the client, because their names stay.
  code(
    'core',
    { dialects: at('core/build/protocol/dialects/index.js') },
    isBare,
    [production(true), ...minify()],
    'dist/production',
  ),
  // Where there are components of the server, it is for none of them.
  ...besideEntry('react', 'react', { banner: "'use client';" }),
  ...besideEntry('react-status', 'react-status', { banner: "'use client';" }),
  ...besideEntry('report', 'report/index'),
  ...besideEntry('status', 'status/index'),
  ...besideEntry('shared-socket', 'shared/index', {}, withCopies),
  ...besideEntry('status-element', 'status-element/index'),
  // Without ws: every runtime but Node has a WebSocket of its own.
  code('client', { 'index.native': at('client/build/index.js') }, (id) => id === '@wirebeat/core', [
    withoutWs,
    resolve({ browser: true }),
    commonjs(),
  ]),
  code(
    'client',
    { index: at('client/build/index.js') },
    () => false,
    [inPages, withoutWs, resolve({ browser: true }), commonjs(), ...minify()],
    'dist/production',
  ),
  // One file with nothing left to resolve: `wirebeat.js` for a module script, the other for a plain one.
  {
    input: at('client/build/index.js'),
    onwarn,
    plugins: [inPages, withoutWs, tscMaps, resolve({ browser: true }), commonjs(), ...minify()],
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
  // Apart from the others, which load in Node only. Cloudflare's takes little of the rest.
  code(
    'server',
    runtimeEntries('.js', [...RUNTIMES, 'cloudflare']),
    isBare,
    [],
    'dist',
    'runtime-shared.js',
  ),
  types('server', runtimeEntries('.d.ts'), { banner, chunkFileNames: 'runtime-shared.d.ts' }),
  types('server', { cloudflare: at('server/build/adapters/cloudflare.d.ts') }),
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
