import type { Millis } from '../../time.ts';

/** A message on the wire: text or binary. */
export type Wire = string | Uint8Array;

/** An end of the connection. */
export type DialectEnd = 'client' | 'server';

/** What one end sends for the heartbeat. If both are `false`, it only listens. */
export interface DialectRole {
  /** Whether it sends pings that the other end answers. */
  readonly asks: boolean;
  /** Whether it sends beats without an answer, so that the other end receives data. */
  readonly beats: boolean;
}

/**
 * How an existing protocol writes its heartbeat. A dialect has no state: {@link Dialect.open} returns
 * a session that holds everything about one connection.
 */
export interface Dialect {
  readonly name: string;
  /** The subprotocols (RFC 6455 §1.9) that this dialect belongs to. */
  readonly subprotocols?: readonly string[];
  readonly client: DialectRole;
  readonly server: DialectRole;
  /**
   * How a pong is matched with its ping: `id` if pongs carry the id of their ping, `order` if they
   * come in the order of the pings, `never` if only the application may send messages.
   */
  readonly inject: 'id' | 'order' | 'never';
  /**
   * Starts the session of one connection. `isShared` means that a client or server of this protocol
   * uses the same socket: then only answers to your own pings are taken out of the stream, and that
   * client or server answers the pings of the peer.
   */
  open(end: DialectEnd, isShared?: boolean): DialectSession;
}

/** The heartbeat of one connection. No method throws, whatever the peer sends. */
export interface DialectSession {
  /**
   * Whether a ping or beat may be sent: `false` until the handshake of the protocol is complete.
   */
  readonly ready: boolean;
  /** The timing from the handshake or a later message. */
  readonly timing: DialectTiming;
  /**
   * Returns the next ping or beat; `undefined` while none may be sent: before the handshake is
   * complete, in the middle of a packet of the application, or with too many unanswered pings.
   */
  ping(id: string): Wire | undefined;
  /**
   * Reads one message of the peer; `undefined` if it has no beat. Call it for each message, in
   * order.
   */
  receive(message: Wire): Reading | undefined;
  /**
   * Reads one message that the application sends. Call it once for each, in order. If the message
   * is a ping of the application, returns the id with which its pong will be reported.
   */
  sent(message: Wire): string | undefined;
}

/** The timing of a protocol, in ms. You choose absent values. */
export interface DialectTiming {
  /** The peer expects to receive data at least this often. */
  readonly pingInterval?: Millis;
  /** The peer promises to send something at least this often. */
  readonly maxSilence?: Millis;
}

/** The beats found in one message. */
export interface Reading {
  /** The beats in the order in which they were sent. */
  readonly beats: readonly DialectBeat[];
  /**
   * The rest of the message, for the application: the same object if nothing was taken out,
   * `undefined` if nothing is left.
   */
  readonly rest: Wire | undefined;
}

/** A heartbeat of the peer. */
export type DialectBeat =
  /** A ping. Send `answer`; if it is `undefined`, the application answers. */
  | { readonly kind: 'ping'; readonly answer: Wire | undefined }
  /** A pong to the ping with this id; `undefined` if no ping was unanswered. */
  | { readonly kind: 'pong'; readonly id: string | undefined; readonly isOurs: boolean }
  /** A beat without an answer. `clock` is the time of the peer, in ms since the epoch. */
  | { readonly kind: 'beat'; readonly clock?: Millis };
