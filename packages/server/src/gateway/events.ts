import type { Millis, PingTimeoutError, TimeoutReason } from '@wirebeat/core';
import type { UpstreamError } from './http/upstream-error.ts';
import type { Hop, Side } from './tunnel/side.ts';

/** Why a handshake came to nothing. */
export type RefuseReason =
  /** It is no handshake of RFC 6455 §4.2.1: status 400, 405 or 426. */
  | 'bad-request'
  /** `allow` said no: its status, or 403. */
  | 'not-allowed'
  /** `maxConnections` are open: 503. */
  | 'too-many'
  /** More than `maxHeapBytes` of the heap are in use: 503. */
  | 'memory'
  /** The gateway is being drained, or closed: 503. */
  | 'draining'
  /** `upstream` knows none for it: 404. */
  | 'no-upstream'
  /** The upstream refused: its own status and body were handed on. */
  | 'upstream-refused'
  /** 502. */
  | 'upstream-unreachable'
  /** No answer within `connectTimeout`: 504. */
  | 'upstream-timeout'
  /** Its answer is no WebSocket: 502. */
  | 'upstream-invalid'
  /** `allow`, `upstream` or `headers` threw: 500. */
  | 'error'
  /** The page gave up before it was answered. The status is told as 499, and nobody reads it. */
  | 'gone';

/** Why a connection ended. */
export type EndReason =
  /** By a Close frame of one side, handed on to the other. */
  | 'closed'
  /** One side's TCP connection ended without one: the other's did too, which it sees as 1006. */
  | 'abnormal'
  /** The upstream fell silent: the page got 4502. */
  | 'upstream-dead'
  /** The page and its browser fell silent. */
  | 'page-dead'
  /** The page was silent for longer than it may be: it got 3008. */
  | 'unresponsive'
  /** The page sent more pings than it may: it got 1008. */
  | 'flood'
  /** The page broke the protocol: it got 1002 or 1007. */
  | 'protocol-error'
  /** A message was too big: both got 1009. */
  | 'too-big'
  /** The upstream broke the protocol: it got 1002 or 1007, the page 1014. */
  | 'upstream-invalid'
  /** By `drain`: the page got 1012. */
  | 'drain'
  /** By `terminate`, or the gateway's `close`. */
  | 'terminated';

/** How a connection ended. */
export interface GatewayEnd {
  readonly reason: EndReason;
  /** RFC 6455 §7.1.5; 1006 without a Close frame. */
  readonly code: number;
  /** RFC 6455 §7.1.6. */
  readonly text: string;
  /** Who began it. */
  readonly by: Side | 'gateway';
  /** What was wrong, if anything was. */
  readonly error?: Error | undefined;
}

/** What a connection tells. */
export interface ConnectionEvents {
  /** Both handshakes are done. */
  readonly open: Readonly<Record<string, never>>;
  /** An answer to a ping of the gateway came, or to a page's ping from the upstream. */
  readonly pong: { readonly hop: Hop; readonly latency: Millis; readonly sampled: boolean };
  /** An application ping of the page was answered by the upstream. */
  readonly beat: { readonly upstreamLatency: Millis };
  /** An answer is overdue. */
  readonly suspect: { readonly side: Side; readonly silentFor: Millis };
  /** It was heard after that, or the connection is open. */
  readonly alive: { readonly side: Side; readonly latency: Millis | undefined };
  /** Given up: the connection ends. */
  readonly dead: {
    readonly side: Side;
    readonly reason: TimeoutReason;
    readonly silentFor: Millis;
    readonly error: PingTimeoutError | UpstreamError;
  };
  /** Only the page is silent: its browser answers. */
  readonly unresponsive: { readonly silentFor: Millis };
  /** A page that was unresponsive has spoken. */
  readonly responsive: Readonly<Record<string, never>>;
  /** The gateway itself did not run for a while. */
  readonly stall: { readonly side: Side; readonly lateBy: Millis };
  /** Both TCP connections have ended. Told exactly once. */
  readonly end: GatewayEnd & {
    /** Since both handshakes were done. */
    readonly duration: Millis;
  };
}

export type ConnectionListener = <Name extends keyof ConnectionEvents>(
  name: Name,
  event: ConnectionEvents[Name],
) => void;
