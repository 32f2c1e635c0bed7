import type { Beat, Millis } from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';

/** What the pong to a ping contains, apart from its id. */
export interface PongContent {
  /** When the ping arrived, by the wall clock. */
  readonly received: Millis;
  /** Whether the connection holds the session of the client. */
  readonly isBound: boolean;
  /** The advertised timing, unless the client has received it before. */
  readonly says: Values | undefined;
}

/** Returns the values of the pong to a ping that has an id, or `undefined` if there are none. */
export function pongValues(
  { values }: Beat,
  { received, isBound, says }: PongContent,
): Values | undefined {
  const asksForClock = values?.['clock'] === '1';
  if (!isBound && says === undefined && !asksForClock) return undefined;
  return {
    ...(isBound && { session: 'ok' }),
    ...says,
    ...(asksForClock && { received: String(received), sent: String(Date.now()) }),
  };
}
