import { HEARTBEAT_SCHEMA, type Millis, type Timing } from '@wirebeat/core';
import type { ResolvedServerOptions } from '../options.ts';
import {
  type Advertisement,
  advertisedValues,
  serverInterval,
  type Values,
} from './advertisement.ts';
import { type Batches, batchesOf, neighboursIn } from './batch-spacing.ts';
import { GRANULE } from './ping-planner.ts';

/**
 * The longest client interval in ms that an overloaded server asks for. Proxies often close connections
 * that are idle for 60 s.
 */
const MAX_SLOWED: Millis = 50_000;

/** The interval of the application tier as a fraction of the interval of the transport tier. */
const AHEAD = 0.9; // its answer arrives before the transport tier would ping, so one ping serves both tiers
const NEVER: Millis = Number.POSITIVE_INFINITY;

type PolicyOptions = Pick<
  ResolvedServerOptions<never>,
  'timing' | 'advertised' | 'pingPlanner' | 'whenUnresponsive'
>;

/**
 * The timing of all connections of one server, and the timing that it advertises to their clients.
 * After a change, the caller must call `retime` of each open connection.
 */
export class TimingPolicy {
  readonly #base: Timing;
  readonly #isJudged: boolean; // whether the server pings the application tier
  #timing: Timing;
  #pageTiming: Timing;
  readonly #advertises: boolean;
  #advertised: Advertisement;
  #pingInterval: Millis; // the server's own interval
  #slowness = 1;
  #welcome: Values | undefined;
  #connections = 0;
  #batches: Batches = { pings: GRANULE, looks: GRANULE };
  #neighbours = 1;
  #group: number | undefined; // of the connection whose intervals are placed

  constructor({ timing, advertised, pingPlanner, whenUnresponsive }: PolicyOptions) {
    this.#pingInterval = timing.pingInterval;
    const { jitter, random } = timing;
    const place = (interval: Millis) =>
      pingPlanner.place(interval, jitter, random, this.#batches.pings, this.#group);
    this.#base = { ...timing, timerSlack: pingPlanner.timerSlack, place };
    this.#isJudged = whenUnresponsive !== false;
    this.#timing = this.#base;
    this.#pageTiming = this.#base;
    this.#advertises = advertised !== false;
    this.#advertised = advertised || {};
    this.#welcome = advertised ? advertisedValues(advertised) : undefined;
    this.#derive();
  }

  /** The timing of the transport tier of each connection. */
  get timing(): Timing {
    return this.#timing;
  }

  /** The timing of the application tier of each connection. */
  get pageTiming(): Timing {
    return this.#pageTiming;
  }

  /** How far apart the batches are in which rows are met, in ms. */
  get batches(): Batches {
    return this.#batches;
  }

  /** The number of connections has changed. */
  count(connections: number): void {
    this.#connections = connections;
    const { jitter } = this.#base;
    const { pingInterval } = this.#timing;
    const planned = { connections, pingInterval, jitter };
    this.#batches = batchesOf(planned, GRANULE);
    this.#neighbours = neighboursIn(this.#batches, planned);
  }

  /** The intervals placed from now on are those of the connection that was opened as number `order`. */
  placesFor(order: number): void {
    this.#group = this.#neighbours === 1 ? undefined : Math.floor(order / this.#neighbours);
  }

  /** The values sent to a client with the answer to its first ping. */
  get welcome(): Values | undefined {
    return this.#welcome;
  }

  /**
   * The interval in ms of clients that have received the advertisement and have no shorter interval of
   * their own.
   */
  get clientInterval(): Millis {
    return this.#asked * this.#slowness;
  }

  /** Changes what clients are asked for. A value that is absent does not change. */
  advertise(advertisement: Advertisement): void {
    const { pingInterval } = advertisement;
    this.#advertised = { ...this.#advertised, ...advertisement };
    if (pingInterval !== undefined && this.#pingInterval < NEVER) {
      this.#pingInterval = serverInterval(pingInterval);
    }
    if (this.#slowness > 1) this.#slowness = this.#slowed;
    this.#welcome = this.#values;
    this.#derive();
  }

  /**
   * While this process is overloaded, asks its clients to ping half as often, but at least every 50 s.
   * Returns whether this changes anything.
   */
  slow(isSlowed: boolean): boolean {
    const slowness = isSlowed && this.#advertises ? this.#slowed : 1;
    if (slowness === this.#slowness) return false;
    this.#slowness = slowness;
    this.#welcome = this.#values;
    this.#derive();
    return true;
  }

  /** Creates one timing object for all connections, to save memory. */
  #derive(): void {
    const pingInterval = this.#pingInterval * this.#slowness;
    this.#timing = { ...this.#base, pingInterval };
    this.count(this.#connections);
    this.#pageTiming = this.#isJudged
      ? { ...this.#base, pingInterval: pingInterval * AHEAD }
      : { ...this.#base, pingInterval: NEVER, pingTimeout: NEVER };
  }

  get #asked(): Millis {
    return this.#advertised.pingInterval ?? HEARTBEAT_SCHEMA.pingInterval.default;
  }

  get #slowed(): number {
    return Math.max(1, Math.min(2, MAX_SLOWED / this.#asked));
  }

  get #values(): Values {
    return advertisedValues({ ...this.#advertised, pingInterval: this.clientInterval });
  }
}
