/**
 * What is known of the connection in use:
 *
 * - `dialling`: it is not open yet.
 * - `open`: `open` is being emitted. Messages sent now go before the queue.
 * - `readying`: the `ready` function of the application runs.
 * - `failing`: `ready` has failed, and the peer may still send a close code.
 * - `ready`: the queue is sent on it.
 * - `lost`: it has ended, and `close` is being emitted. Another connection follows.
 * - `over`: the same, and no other connection follows.
 * - `waiting`: the next attempt is due at the deadline.
 * - `closing`: the user has closed; its closing handshake may be under way.
 * - `closed`: nothing follows.
 */
export type ReconnectPhase =
  | 'dialling'
  | 'open'
  | 'readying'
  | 'failing'
  | 'ready'
  | 'lost'
  | 'waiting'
  | 'over'
  | 'closing'
  | 'closed';

/** The `readyState` that the application sees in each phase. It is CONNECTING during a wait too. */
export const READY_STATES: Readonly<Record<ReconnectPhase, 0 | 1 | 2 | 3>> = {
  dialling: 0,
  open: 1,
  readying: 1,
  failing: 1,
  ready: 1,
  lost: 0,
  waiting: 0,
  over: 3,
  closing: 2,
  closed: 3,
};
