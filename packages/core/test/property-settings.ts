// Set up before each test file: what holds for all properties.
import fc from 'fast-check';

// A run prints its seed. With the same number of runs, that seed gives the same schedules.
const { HEARTBEAT_TEST_SEED, HEARTBEAT_TEST_LISTS } = process.env;

fc.configureGlobal({
  ...(HEARTBEAT_TEST_SEED !== undefined && { seed: Number(HEARTBEAT_TEST_SEED) }),
  // By default, a list of at most 60 steps has ten. Longer ones take three times as long.
  defaultSizeToMaxWhenMaxSpecified: HEARTBEAT_TEST_LISTS === 'long',
});
