/** Whether what takes minutes runs too, and fleets have all their clients. `.ci/run` sets it. */
export const IS_LONG: boolean = process.env['HEARTBEAT_LONG'] === '1';
