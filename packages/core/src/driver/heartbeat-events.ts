import type { PingTimeoutError } from '../errors.ts';
import type { TimeoutReason, UnansweredReason } from '../machine/actions.ts';
import type { Millis } from '../time.ts';

/**
 * The events of a heartbeat, by name. A status and its event have the same name. All durations are
 * in ms.
 */
export interface HeartbeatEvents {
  /** A ping was sent. Most scheduled pings have no id. */
  readonly ping: { readonly id: string | undefined };
  /**
   * A pong was received. `sampled` is false if the latency may be wrong: this side was stalled, or
   * it is not certain which ping the pong answers.
   */
  readonly pong: {
    readonly id: string | undefined;
    readonly latency: Millis;
    readonly sampled: boolean;
  };
  /** The connection opened, or data was received after `suspect`. */
  readonly alive: { readonly latency: Millis | undefined };
  /** An answer is overdue. A page can show a warning. */
  readonly suspect: { readonly silentFor: Millis };
  /** The peer has timed out. The connection is being terminated. */
  readonly dead: {
    readonly reason: TimeoutReason;
    readonly silentFor: Millis;
    readonly error: PingTimeoutError;
  };
  /** The peer does not answer pings, so no more are sent: see `maxSilence`. */
  readonly unanswered: { readonly silentFor: Millis; readonly reason: UnansweredReason };
  /** This side did not run for a while. The peer is pinged again before it is judged. */
  readonly stall: { readonly lateBy: Millis };
}

/** One event of a heartbeat, as the arguments of `emit`: testing the name narrows the payload. */
export type HeartbeatEvent = {
  [Name in keyof HeartbeatEvents]: [name: Name, event: HeartbeatEvents[Name]];
}[keyof HeartbeatEvents];
