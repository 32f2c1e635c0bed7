// The layout of a row of a `ConnectionTable`: sixteen words of 32 bits, one line of a processor's cache.
// The first nine hold the state of a `Heartbeat` that is well, the others belong to the owner of the table.
// Instants are in whole ms since the origin of the table.

/** The number of words in a row. */
export const ROW_WORDS = 16;

/** The flags below. 0 in a row that is not in use. */
export const FLAGS = 0;
export const SENT = 1; // when something was last sent
export const RECEIVED = 2; // when something was last received
export const PINGED = 3; // when the last ping was sent
/** The length of the current period in ms times 1 024, plus the microseconds of `PINGED`. */
export const PERIOD = 4;
export const COUNT = 5; // pings sent
export const LATEST = 6; // this and the next two: round-trip times in µs, -1 for none
export const SMOOTHED = 7;
export const VARIATION = 8;
/** The first of two instants of the owner, which the table keeps relative to its origin. */
export const OWNER_INSTANT = 9;
/** The first of five words in which the owner may keep anything. */
export const OWNER = 11;

/** The bits of `PERIOD` below the interval. */
export const MICROS_BITS = 10;
export const MICROS: number = 2 ** MICROS_BITS - 1;

// The facts of the machine, as bits of `FLAGS`.
export const OPEN = 1;
export const PEER_PINGS = 2;
export const PEER_ANSWERS = 4;
/** The peer answers pings with an id. */
export const ANSWERS_IDS = 8;
/** The peer answers only bare pings. Without this and the other, neither is known. */
export const IGNORES_IDS = 16;
/** One bare ping is unanswered. */
export const ASKED: number = 2 ** 20;
/** Nothing was received since that ping. */
export const SILENT: number = 2 ** 21;
/** The table has a {@link SuspectWait} of the connection: a false suspicion gives it more time. */
export const RAISED: number = 2 ** 23;
/** The connection is a {@link Heartbeat} object, and the row has only the words of the owner. */
export const THAWED: number = 2 ** 22;
