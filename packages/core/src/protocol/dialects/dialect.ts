import type { Instant, Millis } from '../../time.ts';

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
 * How an existing protocol writes its heartbeat. It has no state: `open` returns a session that holds
 * everything about one connection. {@link defineDialect} makes a {@link Dialect} from it.
 */
export interface DialectDefinition {
  readonly name: string;
  /** The subprotocols (RFC 6455 §1.9) that this dialect belongs to. */
  readonly subprotocols?: readonly string[];
  readonly client: DialectRole;
  readonly server: DialectRole;
  /**
   * Whether own pings may be added, and how a pong is matched with its ping: `id` if pongs carry the id
   * of their ping, `order` if they come in the order of the pings, `never` if no pings may be added.
   */
  readonly inject: 'id' | 'order' | 'never';
  /** Whether the first ping waits for its interval, so that not all clients ping at once. */
  readonly spreadFirst?: boolean;
  /**
   * Starts the session of one connection. `isShared` means that a client or server of this protocol
   * uses the same socket: then only answers to your own pings are taken out of the stream, and that
   * client or server answers the pings of the peer.
   */
  open(end: DialectEnd, isShared?: boolean): DialectSession;
  /**
   * Replaces an event, or its data, by a part of it. Needed if a message can hold more than one beat:
   * pass {@link cut}.
   */
  cut?(whole: unknown, part: unknown): unknown;
}

/** A heartbeat of another protocol, for the `dialect` option. */
export interface Dialect extends DialectDefinition, DialectChoice {}

/** Decides, when a connection opens, in which dialect its heartbeat is written. */
export interface DialectChoice {
  /** Called once for each connection. `undefined`: the connection has wirebeat's own heartbeat. */
  connect(port: DialectPort): DialectConnection | undefined;
}

/** What a {@link DialectConnection} needs from the heartbeat of a socket. */
export interface DialectPort {
  readonly end: DialectEnd;
  /** The negotiated subprotocol; empty if there is none. */
  readonly protocol: string;
  readonly driver: DialectDriver;
  /** The `maxSilence` of the options, in ms; `Infinity` for none. */
  readonly maxSilence: Millis;
  now(): Instant;
  /** Sends a message to the peer. */
  send(message: Wire): void;
  emit(
    name: 'pong',
    event: { readonly id: string; readonly latency: Millis; readonly sampled: boolean },
  ): void;
}

/** The parts of a `HeartbeatDriver` that are used. */
export interface DialectDriver {
  readonly heartbeat: {
    maxSilence: Millis;
    /** Whether no pings are sent. */
    readonly isMuted: boolean;
    readonly pingInterval: Millis;
    readonly pingTimeout: Millis;
    readonly lastReceived: Instant;
    stallAt(now: Instant): Millis;
    adopt(timing: { readonly pingInterval: Millis }): void;
    sample(latency: Millis): void;
  };
  open(asks: boolean): void;
  receive(): void;
  receiveBeat(beat: { readonly type: 'pong'; readonly id?: string | undefined }): void;
  probe(shortTimeout: Millis): void;
  rearm(): void;
  suspend(): void;
  resume(): void;
}

/** The heartbeat of one connection, as the heartbeat of a socket uses it. No method throws. */
export interface DialectConnection {
  /** The name of the dialect. */
  readonly name: string;
  /** Whether this end may send pings of its own now, so that `ping()` works. */
  readonly asks: boolean;
  /** Starts the heartbeat. */
  open(): void;
  /**
   * Reads a message of the peer, as the socket received it. `whole` is its event if it has one, otherwise
   * the data. Returns what the application receives in place of that: the same object, one of the same
   * type, or `undefined` for nothing.
   */
  receive(data: unknown, whole?: unknown, isText?: boolean): unknown;
  /** Returns a ping to send, or `undefined` if none may be sent now. */
  ping(id: string | undefined): Wire | undefined;
  /** Called before the application sends a message. */
  sending(data: unknown): void;
  /** Called after the application has sent a message. */
  sent(): void;
}

/** The heartbeat of one connection. No method throws, whatever the peer sends. */
export interface DialectSession {
  /**
   * Whether a ping or beat may be sent: `false` until the handshake of the protocol is complete.
   */
  readonly ready: boolean;
  /**
   * Whether the application has sent a part of a message and not the rest: nothing may be sent between.
   */
  readonly isMidMessage?: boolean;
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
  /** A ping. Send `answer`, unless the application does because it shares the socket. */
  | { readonly kind: 'ping'; readonly answer: Wire; readonly id?: string | undefined }
  /** A pong, and the ping that it answers: its id, and whether you sent it. No id: there was none. */
  | {
      readonly kind: 'pong';
      readonly id?: string | undefined;
      readonly isOurs?: boolean | undefined;
    }
  /** A beat without an answer. `clock` is the time of the peer, in ms since the epoch. */
  | { readonly kind: 'beat'; readonly clock?: Millis };
