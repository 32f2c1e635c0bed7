import type { Millis } from '@wirebeat/core';

/** The events of a `DurableHeartbeat`, as far as the object is awake. */
export interface DurableEvents<Socket> {
  /** A silent client is being asked, or a new one. */
  readonly ping: { readonly socket: Socket; readonly tier: 'application' };
  /** A client answered a ping; `latency` is in ms, with the time that waking took. */
  readonly pong: {
    readonly socket: Socket;
    readonly latency: Millis;
    readonly tier: 'application';
    readonly sampled: true;
  };
  /** A client did not answer; it is being closed with 3008. `silentFor` is in ms. */
  readonly dead: {
    readonly socket: Socket;
    readonly silentFor: Millis;
    readonly reason: 'ping-timeout';
  };
  /** A newer connection came with the same session; this one is being closed. */
  readonly replaced: { readonly socket: Socket; readonly by: Socket };
  /** A client sent more pings than `pingLimit` allows; it is being closed with 1008. */
  readonly flood: { readonly socket: Socket };
  /** A timer was late by `lateBy` ms, so that nobody was judged yet. */
  readonly stall: { readonly lateBy: Millis };
  /** A connection has ended, or is being closed. Emitted once for each. */
  readonly end: {
    readonly socket: Socket;
    readonly reason: 'closed' | 'ping-timeout' | 'replaced' | 'flood';
  };
}

/** What is known of a client of a `DurableHeartbeat`. */
export interface DurableConnection {
  /** `suspect`: it was asked, and has not answered yet. */
  readonly status: 'alive' | 'suspect';
  /** The last latency in ms; `undefined` before its first pong. */
  readonly latency: Millis | undefined;
  /** Never known: only pages that hang while protocol Pings are answered are unresponsive. */
  readonly isResponsive: undefined;
}
