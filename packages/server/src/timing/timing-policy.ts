import { DEFAULTS, type Millis, type Timing } from '@wirebeat/core';
import type { ResolvedServerOptions } from '../options.ts';
import {
  type Advertisement,
  advertisedValues,
  serverInterval,
  type Values,
} from './advertisement.ts';

/** Clients are not asked for more by ourselves: proxies often close what was idle for 60 s. */
const MAX_SLOWED: Millis = 50_000;

/** When a silent page is asked, as a part of the time after which its WebSocket layer is. */
const AHEAD = 0.9; // it has answered by then: one beat serves both
const NEVER: Millis = Number.POSITIVE_INFINITY;

type FleetOptions = Pick<
  ResolvedServerOptions<never>,
  'timing' | 'advertised' | 'metronome' | 'whenUnresponsive'
>;

/**
 * The timing that one server asks for on all its connections, and what their clients are told of it.
 * It may change while they live: whoever changes it gives it to each of them, by `retime`.
 */
export class TimingPolicy {
  readonly #base: Timing;
  readonly #isJudged: boolean; // whether pages are
  #timing: Timing;
  #pageTiming: Timing;
  readonly #advertises: boolean;
  #advertised: Advertisement;
  #pingInterval: Millis; // the server's own
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

  /** What the transport of each connection asks for: the verdict. */
  get timing(): Timing {
    return this.#timing;
  }

  /** What each page is asked by: whether it answers. */
  get pageTiming(): Timing {
    return this.#pageTiming;
  }

  /** What a client is told at its first ping. */
  get welcome(): Values | undefined {
    return this.#welcome;
  }

  /** The interval of clients that have heard us and were given no shorter one. */
  get clientInterval(): Millis {
    return this.#asked * this.#slowness;
  }

  /** Clients are asked for something else. What is absent stays as it was. */
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
   * While this process is overloaded its clients ping half as often, but at least every 50 s.
   * Whether that changes anything.
   */
  slow(isSlowed: boolean): boolean {
    const slowness = isSlowed && this.#advertises ? this.#slowed : 1;
    if (slowness === this.#slowness) return false;
    this.#slowness = slowness;
    this.#welcome = this.#told;
    this.#derive();
    return true;
  }

  /** One object for all connections: each takes it for its own base. */
  #derive(): void {
    const pingInterval = this.#pingInterval * this.#slowness;
    this.#timing = { ...this.#base, pingInterval };
    this.#pageTiming = this.#isJudged
      ? { ...this.#base, pingInterval: pingInterval * AHEAD }
      : { ...this.#base, pingInterval: NEVER, pingTimeout: NEVER };
  }

  get #asked(): Millis {
    return this.#advertised.pingInterval ?? DEFAULTS.pingInterval;
  }

  get #slowed(): number {
    return Math.max(1, Math.min(2, MAX_SLOWED / this.#asked));
  }

  get #told(): Values {
    return advertisedValues({ ...this.#advertised, pingInterval: this.clientInterval });
  }
}
