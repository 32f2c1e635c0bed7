import type { Millis } from '@wirebeat/core';
import type { RetryOptions } from './retry-policy.ts';
import type { StandbyOptions } from './standby.ts';

/** The options of a {@link Reconnector}. No function may throw. All durations are in ms. */
export interface ReconnectorOptions extends RetryOptions, StandbyOptions {
  readonly connectTimeout: Millis;
  readonly readyTimeout: Millis;
  /** Prepares each new connection, if the application has such a function. Not called here. */
  readonly ready?: unknown;
  readonly stableFor: Millis;
  readonly maxAge: Millis;
  readonly heartbeat: {
    /** If nothing was received for this time, the link may be dead. */
    readonly pingTimeout: Millis;
    /** Whether the peer may answer pings, and whether it has ever answered one. */
    readonly memory: { readonly speaks: boolean; readonly hasAnswered: boolean };
  };
  /** Whether messages need confirmations, so that the peer owes answers. */
  readonly delivery?: { readonly confirm: boolean } | undefined;
  readonly isFatal: (code: number) => boolean;
}
