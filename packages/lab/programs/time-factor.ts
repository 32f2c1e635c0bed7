const { HEARTBEAT_TEST_TIME_FACTOR = '1' } = process.env;

/** How many times slower this machine is: every real wait is multiplied by it. */
export const MS: number = Number(HEARTBEAT_TEST_TIME_FACTOR);
