import type { Millis } from '../../time.ts';

/** A message as it goes over the wire: a text message or a binary one. */
export type Wire = string | Uint8Array;

/** Which end of the connection speaks. */
export type DialectEnd = 'client' | 'server';

/** What one end does for the heartbeat. Both `false`: it only listens. */
export interface DialectRole {
  /** It sends pings that the other end answers. */
  readonly asks: boolean;
  /** It sends beats that nobody answers, so that the other end hears something. */
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
   * How a pong finds its ping: `id` if pongs carry the id of their ping, `order` if they come in the
   * order of the pings, `never` if nothing may be sent beside what the application sends.
   */
  readonly inject: 'id' | 'order' | 'never';
  /**
   * Begins a connection. `isShared` means that a client or server of this protocol uses the same
   * socket: then only answers to your own pings are taken out of the stream, and the peer's pings are
   * left for it to answer.
   */
  open(end: DialectEnd, isShared?: boolean): DialectSession;
}

/** The heartbeat of one connection. Nothing in here throws, whatever the peer sends. */
export interface DialectSession {
  /** Whether a ping or beat may be sent: `false` until the protocol's own handshake is over. */
  readonly ready: boolean;
  /** What the handshake, or a later message, said about timing. */
  readonly timing: DialectTiming;
  /**
   * The next ping or beat. `undefined` while none may be sent: before the handshake, in the middle of
   * a packet of the application, or with too many pings unanswered.
   */
  ping(id: string): Wire | undefined;
  /** Reads one message of the peer. Call it once for each, in order. `undefined`: no beat is in it. */
  receive(message: Wire): Reading | undefined;
  /**
   * Sees one message that the application sends. Call it once for each, in order. Returns the id under
   * which the pong will be reported if the message is a ping of the application's own.
   */
  sent(message: Wire): string | undefined;
}

/** What a protocol says about its timing. What is absent is up to you. */
export interface DialectTiming {
  /** The peer wants to hear something at least this often. */
  readonly pingInterval?: Millis;
  /** The peer promises to send something at least this often. */
  readonly maxSilence?: Millis;
}

/** The beats found in one message. */
export interface Reading {
  /** In the order in which they were sent. */
  readonly beats: readonly DialectBeat[];
  /** What is left for the application: the same object if nothing was taken out, `undefined` if nothing is left. */
  readonly rest: Wire | undefined;
}

/** A heartbeat of the peer. */
export type DialectBeat =
  /** It asks. Send `answer`, unless that is `undefined`: then the application answers. */
  | { readonly kind: 'ping'; readonly answer: Wire | undefined }
  /** It answers the ping with this id; `undefined` if no ping was unanswered. */
  | { readonly kind: 'pong'; readonly id: string | undefined; readonly isOurs: boolean }
  /** It says that it is there. `clock` is its own time, in ms since the epoch. */
  | { readonly kind: 'beat'; readonly clock?: Millis };
