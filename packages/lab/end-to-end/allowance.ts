export { allowance } from '../fleet/allowance.ts';

const { HEARTBEAT_TEST_TIME_FACTOR = '1' } = process.env;
/** Every wait that is a tolerance is a multiple of it. */
export const MS = Number(HEARTBEAT_TEST_TIME_FACTOR);
