import type { Timing } from '@wirebeat/core';
import type { ApplicationTierContext } from '../connection/application-tier.ts';
import type { RateLimitOptions } from '../connection/rate-limit.ts';
import type { EndHistory } from './end-history.ts';
import type { StallWatch } from './stall-watch.ts';
import type { TrafficCount } from './tunnel/traffic-count.ts';
import type { TunnelContext } from './tunnel/tunnel.ts';

/** What the connections of one gateway share. */
export interface GatewayContext extends ApplicationTierContext, TunnelContext {
  readonly upstreamTiming: Timing;
  /** Prefix of the payload of the gateway's own protocol Pings. */
  readonly payload: string;
  readonly pingLimit: RateLimitOptions;
  readonly endToEnd: boolean;
  readonly tally: TrafficCount;
  readonly endHistory: EndHistory;
  readonly stallWatch: StallWatch;
}
