import { HEARTBEAT_SCHEMA, type Millis, type Timing } from '@wirebeat/core';
import type { ResolvedServerOptions } from '../options.ts';
import {
  type Advertisement,
  advertisedValues,
  serverInterval,
  type Values,
} from './advertisement.ts';

/**
 * The longest client interval in ms that an overloaded server asks for. Proxies often close connections
 * that are idle for 60 s.
 */
const MAX_SLOWED: Millis = 50_000;

/** The interval of the application tier as a fraction of the interval of the transport tier. */
const AHEAD = 0.9; // its answer arrives before the transport tier would ping, so one ping serves both tiers
const NEVER: Millis = Number.POSITIVE_INFINITY;

type FleetOptions = Pick<
  ResolvedServerOptions<never>,
  'timing' | 'advertised' | 'metronome' | 'whenUnresponsive'
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

  constructor({ timing, advertised, metronome, whenUnresponsive }: FleetOptions) {
    this.#pingInterval = timing.pingInterval;
    const { jitter, random } = timing.options;
    const place = (interval: Millis) => metronome.place(interval, jitter, random);
    this.#base = { ...timing, timerSlack: metronome.timerSlack, place };
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
    this.#welcome = this.#told;
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
    this.#welcome = this.#told;
    this.#derive();
    return true;
  }

  /** Creates one timing object for all connections, to save memory. */
  #derive(): void {
    const pingInterval = this.#pingInterval * this.#slowness;
    this.#timing = { ...this.#base, pingInterval };
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

  get #told(): Values {
    return advertisedValues({ ...this.#advertised, pingInterval: this.clientInterval });
  }
}
