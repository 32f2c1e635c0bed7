import type { Millis, Scheduler, Timing } from '@wirebeat/core';
import type { Fleet } from '../fleet.ts';
import type { PageContext } from '../page.ts';
import type { TokenBucketOptions } from '../token-bucket.ts';
import type { Tally } from './tally.ts';

/** What the connections of one gateway share. */
export interface GatewayContext extends PageContext {
  readonly scheduler: Scheduler;
  readonly fleet: Fleet;
  readonly upstreamTiming: Timing;
  /** What begins the payload of the gateway's own protocol Pings. */
  readonly payload: string;
  readonly pingLimit: TokenBucketOptions;
  readonly endToEnd: boolean;
  readonly maxMessageBytes: number;
  readonly closeTimeout: Millis;
  readonly tally: Tally;
}
