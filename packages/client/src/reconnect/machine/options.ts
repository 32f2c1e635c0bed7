import type { Millis } from '@wirebeat/core';
import type { RetryOptions } from './retry-policy.ts';
import type { StandbyOptions } from './standby.ts';

/** The options of a {@link Reconnector}. No function may throw. All durations are in ms. */
export interface ReconnectorOptions extends RetryOptions, StandbyOptions {
  readonly connectTimeout: Millis;
  readonly readyTimeout: Millis;
  /** Whether the application prepares each new connection. */
  readonly hasReady: boolean;
  readonly stableFor: Millis;
  readonly maxAge: Millis;
  /** If nothing was received for this time, the link may be dead. */
  readonly pingTimeout: Millis;
  readonly isFatal: (code: number) => boolean;
}
