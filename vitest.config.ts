import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { measureTimeFactor } from './scripts/time-factor.mjs';

const packages = fileURLToPath(new URL('packages/', import.meta.url));
const browserTests = 'packages/lab/end-to-end/**/*.browser.test.ts';
/** Set by scripts/test.mjs; a plain `vitest` runs the browser's tests only where it is set by hand. */
const hasBrowser = (process.env['CHROMIUM_PATH'] ?? '') !== '';
const rootTests = 'packages/lab/end-to-end/**/*.root.test.ts';
/** Likewise: they make networks of their own, which only root may. */
const hasNetworks = ['IP_PATH', 'IPTABLES_PATH', 'UNSHARE_PATH'].every(
  (name) => (process.env[name] ?? '') !== '',
);
const without = [...(hasBrowser ? [] : [browserTests]), ...(hasNetworks ? [] : [rootTests])];
const smokeTests = 'packages/lab/end-to-end/smoke/**/*.test.ts';
const longTests = 'packages/lab/end-to-end/long/**/*.test.ts';
/** Tests of many clients. In their long form they keep the machine busy. */
const fleetTests = 'packages/lab/end-to-end/fleet/**/*.test.ts';
/** Set by .ci/run: what takes minutes, in real time, runs too. */
const isLong = process.env['HEARTBEAT_LONG'] === '1';
const ofClient = 'packages/client/test/';
const ofDialects = 'packages/core/test/protocol/dialects/';
const productionTests = [
  `${ofClient}dialect.test.ts`,
  `${ofDialects}!(cut|in-order|messages|mqtt-packets|server-end|streams|wire|*.server).test.ts`, // internal, or not for pages
  `${ofClient}production.test.ts`,
  `${ofClient}{attach,recovery}.property.test.ts`,
  `${ofClient}snapshot-store.test.ts`,
  `${ofClient}outbox/delivery.property.test.ts`,
  `${ofClient}report/diagnosis.test.ts`,
  `${ofClient}reconnect/standby.test.ts`,
  `${ofClient}reconnect/reconnecting-websocket.{closing,max-age,property,queue,ready,unanswered-pings}.test.ts`,
];
const productionModules =
  /\/src\/(attach|snapshot-store|outbox\/delivery|reconnect\/(prepare-with|reconnecting-websocket))\.ts$/;
const productionReport = /\/src\/report\/diagnosis\.ts$/;
const productionDialects = /\/src\/protocol\/dialects\/[\w-]+\.ts$/;
/** Gives those tests the bundles in place of the modules that they import. */
const asInProduction = {
  name: 'as-in-production',
  enforce: 'pre' as const,
  resolveId(id: string, importer = '') {
    if (!importer.includes(ofClient) && !importer.includes(ofDialects)) return null;
    if (productionReport.test(id)) return `${packages}client/dist/report.js`;
    if (productionDialects.test(id)) return `${packages}core/dist/production/dialects.js`;
    return productionModules.test(id) ? `${packages}client/dist/production/index.js` : null;
  },
};
const UNIT_WORKERS = 3; // on two cores: those with sockets and processes wait a lot

// The seed of all properties. A run names its own; given that, and as many runs, it is repeated.
if (process.env['HEARTBEAT_TEST_SEED'] === undefined) {
  process.env['HEARTBEAT_TEST_SEED'] = String(Math.floor(Math.random() * 2 ** 31));
  console.log(`HEARTBEAT_TEST_SEED=${process.env['HEARTBEAT_TEST_SEED']}`);
}

// How many times as long everything takes while the machine is as busy as now. Tests multiply their waits by it.
if (process.env['HEARTBEAT_TEST_TIME_FACTOR'] === undefined) {
  const factor = String(await measureTimeFactor());
  process.env['HEARTBEAT_TEST_TIME_FACTOR'] = factor;
  if (factor !== '1') console.log(`HEARTBEAT_TEST_TIME_FACTOR=${factor}: the machine is busy`);
}
const setupFiles = [`${packages}core/test/property-settings.ts`];
const timeFactor = Number(process.env['HEARTBEAT_TEST_TIME_FACTOR']);

/** Of tests that take minutes of real time each: few at once. */
const inMinutes = {
  exclude: without,
  testTimeout: 330_000 * timeFactor,
  hookTimeout: 90_000 * timeFactor,
  maxWorkers: 2,
};

export default defineConfig({
  resolve: {
    alias: [
      {
        find: '@wirebeat/core/dialects',
        replacement: `${packages}core/src/protocol/dialects/index.ts`,
      },
      { find: '@wirebeat/core/testing', replacement: `${packages}core/src/testing/index.ts` },
      {
        find: /^@wirebeat\/client\/(report|shared|status|status-element)$/,
        replacement: `${packages}client/src/$1/index.ts`,
      },
      {
        find: '@wirebeat/client/react-status',
        replacement: `${packages}client/src/react-status.ts`,
      },
      { find: '@wirebeat/client/react', replacement: `${packages}client/src/react.ts` },
      { find: '@wirebeat/server/redis', replacement: `${packages}server/src/redis/index.ts` },
      { find: '@wirebeat/server/runtime', replacement: `${packages}server/src/runtime/index.ts` },
      {
        find: /^@wirebeat\/server\/(bun|deno|crossws|cloudflare)$/,
        replacement: `${packages}server/src/adapters/$1.ts`,
      },
      { find: '@wirebeat/server/gateway', replacement: `${packages}server/src/gateway/index.ts` },
      {
        find: /^@wirebeat\/server\/(prometheus|opentelemetry)$/,
        replacement: `${packages}server/src/$1.ts`,
      },
      { find: /^@wirebeat\/(core|client|server)$/, replacement: `${packages}$1/src/index.ts` },
    ],
  },
  test: {
    expect: { poll: { timeout: 5_000 * timeFactor } },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          setupFiles,
          testTimeout: 600_000 * timeFactor, // of properties, when very many schedules are asked for
          include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.{ts,tsx}'],
          exclude: ['**/*.dom.test.{ts,tsx}'],
          isolate: false, // importing does nothing, so files may share what is imported; half the time
          maxWorkers: UNIT_WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'dom',
          setupFiles,
          environment: 'happy-dom',
          include: ['packages/*/test/**/*.dom.test.ts', 'examples/*/test/**/*.dom.test.tsx'],
          alias: [{ find: /^isomorphic-ws$/, replacement: 'isomorphic-ws/browser.js' }],
          server: { deps: { inline: ['isomorphic-ws'] } },
          testTimeout: 20_000 * timeFactor,
          isolate: false, // as above
          maxWorkers: UNIT_WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The bundle for pages in production, whose internal names are shortened: it must pass the
        // tests of behaviour too. It has no sentences, no `ws` and an `instanceof` of its own.
        extends: true,
        plugins: [asInProduction],
        test: {
          name: 'production',
          setupFiles,
          include: productionTests,
          testTimeout: 600_000 * timeFactor,
          isolate: false,
          maxWorkers: UNIT_WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Real sockets, processes and one browser: after the others, for they measure real time.
        extends: true,
        test: {
          name: 'smoke',
          include: [smokeTests],
          exclude: without,
          testTimeout: 90_000 * timeFactor,
          hookTimeout: 90_000 * timeFactor,
          maxWorkers: 3, // they wait more than they work
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The same with all browsers, proxies, servers in other languages and fleets: npm run test:all.
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['packages/lab/end-to-end/**/*.test.ts'],
          exclude: [smokeTests, longTests, rootTests, ...(isLong ? [fleetTests] : []), ...without],
          testTimeout: 90_000 * timeFactor,
          hookTimeout: 90_000 * timeFactor,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // Minutes of real time each; after the others.
        extends: true,
        test: {
          name: 'long',
          include: isLong ? [longTests, rootTests] : [],
          ...inMinutes,
          sequence: { groupOrder: 3 },
        },
      },
      {
        // Fleets in their long form: what they take from the machine, a page of the others would miss.
        extends: true,
        test: {
          name: 'fleet',
          include: isLong ? [fleetTests] : [],
          ...inMinutes,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
