import type { Millis, Scheduler, Timing } from '@wirebeat/core';
import type { ApplicationTierContext } from '../connection/application-tier.ts';
import type { RateLimitOptions } from '../connection/rate-limit.ts';
import type { TimingPolicy } from '../timing/timing-policy.ts';
import type { EndHistory } from './end-history.ts';
import type { StallWatch } from './stall-watch.ts';
import type { TrafficCount } from './tunnel/traffic-count.ts';

/** What the connections of one gateway share. */
export interface GatewayContext extends ApplicationTierContext {
  readonly scheduler: Scheduler;
  readonly fleet: TimingPolicy;
  readonly upstreamTiming: Timing;
  /** Prefix of the payload of the gateway's own protocol Pings. */
  readonly payload: string;
  readonly pingLimit: RateLimitOptions;
  readonly endToEnd: boolean;
  readonly maxMessageBytes: number;
  readonly closeTimeout: Millis;
  readonly tally: TrafficCount;
  readonly endHistory: EndHistory;
  readonly stallWatch: StallWatch;
}
