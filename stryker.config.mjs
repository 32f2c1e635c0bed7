// Tests the tests: Stryker makes one small mistake at a time in the parts that decide verdicts, and a test
// should fail. `npm run mutate` takes an hour; .ci/run only mutates the estimates, in about two minutes.
// To look at one file: npm run mutate -- --mutate packages/core/src/machine/timing.ts
/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: [
    'packages/core/src/{machine,driver}/*.ts',
    'packages/core/src/timers/timing-wheel.ts',
    'packages/core/src/backoff.ts',
  ],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'packages/core/vitest.mutation.config.ts', related: false },
  tsconfigFile: 'none', // it would compile with TypeScript 6
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 20_000, // of a test on a busy machine
  reporters: ['clear-text'],
  clearTextReporter: { reportTests: false, logTests: false, allowColor: false },
  thresholds: { high: 95, low: 90, break: 90 }, // percent of the mistakes that tests must detect
  tempDirName: 'node_modules/.stryker',
};
