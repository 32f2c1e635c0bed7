import type { Millis, Scheduler, Timing } from '@wirebeat/core';
import type { PageContext } from '../connection/application-tier.ts';
import type { TokenBucketOptions } from '../connection/rate-limit.ts';
import type { Fleet } from '../timing/timing-policy.ts';
import type { Tally } from './tunnel/traffic-count.ts';

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
