import type { Millis, PingTimeoutError, TimeoutReason } from '@wirebeat/core';
import type { UpstreamError } from './http/upstream-error.ts';
import type { Hop, Side } from './tunnel/side.ts';

/** Why a handshake failed. */
export type RefuseReason =
  /** The request is not a handshake of RFC 6455 §4.2.1: status 400, 405 or 426. */
  | 'bad-request'
  /** `allow` refused the request: its status, or 403. */
  | 'not-allowed'
  /** `maxConnections` is reached: 503. */
  | 'too-many'
  /** More than `maxHeapBytes` of the heap are in use: 503. */
  | 'memory'
  /** The gateway is being drained, or closed: 503. */
  | 'draining'
  /** `upstream` returned no address: 404. */
  | 'no-upstream'
  /** The upstream refused: its own status and body were passed on. */
  | 'upstream-refused'
  /** The gateway could not connect to the upstream: 502. */
  | 'upstream-unreachable'
  /** The upstream did not answer within `connectTimeout`: 504. */
  | 'upstream-timeout'
  /** The upstream's response is not a WebSocket handshake: 502. */
  | 'upstream-invalid'
  /** `allow`, `upstream` or `headers` threw: 500. */
  | 'error'
  /** The page disconnected before the response. `status` is 499, which is never sent. */
  | 'gone';

/** Why a connection ended. */
export type EndReason =
  /** One side sent a Close frame, which was passed on to the other side. */
  | 'closed'
  /** The TCP connection of one side ended without a Close frame. The other side sees 1006. */
  | 'abnormal'
  /**
   * The upstream stopped answering. The page received 4502, or noticed first and left: then `by` is
   * `page`.
   */
  | 'upstream-dead'
  /** The page and its browser stopped answering. If the upstream noticed first, `by` is `upstream`. */
  | 'page-dead'
  /** The application tier was unresponsive for too long. The page received 3008. */
  | 'unresponsive'
  /** The page sent more pings than `pingLimit` allows. It received 1008. */
  | 'flood'
  /** The page violated the protocol. It received 1002 or 1007. */
  | 'protocol-error'
  /**
   * A message exceeded `maxMessageBytes`. The page received 1009, and so did the upstream if it sent
   * the message.
   */
  | 'too-big'
  /** The upstream violated the protocol. It received 1002 or 1007, and the page received 1014. */
  | 'upstream-invalid'
  /** `drain` was called. The page received 1012. */
  | 'drain'
  /** `close` or `terminate` of the connection, or `close` of the gateway, was called. */
  | 'terminated';

/** Which part of the path caused the end of a connection. */
export type Blame =
  | 'page'
  /** The network between the page and the gateway, with its proxies. */
  | 'page-network'
  | 'gateway'
  /** The network between the gateway and the upstream, with its proxies. */
  | 'upstream-network'
  | 'upstream';

/** How a connection ended. */
export interface GatewayEnd {
  readonly reason: EndReason;
  /** Close code (RFC 6455 §7.1.5); 1006 without a Close frame. */
  readonly code: number;
  /** Close reason (RFC 6455 §7.1.6). */
  readonly text: string;
  /** The side that began the close. */
  readonly by: Side | 'gateway';
  /** The error that caused the end, if any. */
  readonly error?: Error | undefined;
}

/** The events of a connection. Durations are in ms. */
export interface ConnectionEvents {
  /** Emitted when both handshakes are done. */
  readonly open: Readonly<Record<string, never>>;
  /**
   * Emitted when a ping is answered: a ping of the gateway, or a ping of the page that the upstream
   * answered.
   */
  readonly pong: { readonly hop: Hop; readonly latency: Millis; readonly sampled: boolean };
  /** Emitted when the upstream has answered an application ping of the page. */
  readonly beat: { readonly upstreamLatency: Millis };
  /** Emitted when an answer is overdue. */
  readonly suspect: { readonly side: Side; readonly silentFor: Millis };
  /** Emitted when the connection opens, and when a suspect side has sent something. */
  readonly alive: { readonly side: Side; readonly latency: Millis | undefined };
  /** Emitted when a side is dead. The connection ends. */
  readonly dead: {
    readonly side: Side;
    readonly reason: TimeoutReason;
    readonly silentFor: Millis;
    readonly error: PingTimeoutError | UpstreamError;
  };
  /** Emitted when the application tier is silent while the browser answers. */
  readonly unresponsive: { readonly silentFor: Millis };
  /** Emitted when an unresponsive application tier has sent something. */
  readonly responsive: Readonly<Record<string, never>>;
  /** Emitted when the process of the gateway did not run for a while. */
  readonly stall: { readonly side: Side; readonly lateBy: Millis };
  /** Emitted exactly once, when both TCP connections have ended. */
  readonly end: GatewayEnd & {
    /** Time in ms since both handshakes were done. */
    readonly duration: Millis;
    /** The part of the path that caused the end. */
    readonly blame: Blame;
    /** The evidence for `blame` in plain words. */
    readonly evidence: string;
  };
}

export type ConnectionListener = <Name extends keyof ConnectionEvents>(
  name: Name,
  event: ConnectionEvents[Name],
) => void;
