import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The tests of the core alone, with few schedules per property: Stryker runs them for each mutant. */
export default defineConfig({
  root: at('.'),
  resolve: { alias: { '@wirebeat/core/testing': at('src/testing/index.ts') } },
  test: {
    setupFiles: ['test/property-settings.ts'],
    include: [
      'test/{machine,driver,laws,sources,timers}/**/*.test.ts',
      'test/{backoff,pair,traces}.test.ts',
    ],
    env: { HEARTBEAT_TEST_RUNS: '30', HEARTBEAT_TEST_SEED: '1', HEARTBEAT_TEST_TIME_FACTOR: '5' },
  },
});
