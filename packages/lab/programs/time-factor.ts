const { HEARTBEAT_TEST_TIME_FACTOR = '1' } = process.env;

/** How many times as long everything takes on this machine: every real wait is a multiple of it. */
export const MS: number = Number(HEARTBEAT_TEST_TIME_FACTOR);
