import { DEFAULTS, type Millis, type Timing } from '@wirebeat/core';
import {
  type Advertisement,
  advertisedValues,
  serverInterval,
  type Values,
} from './advertisement.ts';
import type { Metronome } from './metronome.ts';
import type { ResolvedServerOptions } from './server-options.ts';

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
 * The timing of all connections of one server, and what their clients are told of it. It may change
 * while they live: for each of them from its next beat on.
 */
export class Fleet {
  /** Of the transport: the verdict. */
  readonly timing: Timing;
  /** Of the application: whether a page answers. */
  readonly pageTiming: Timing;
  readonly #advertises: boolean;
  #advertised: Advertisement;
  #pingInterval: Millis; // the server's own
  #slowness = 1;
  #welcome: Values | undefined;

  constructor({ timing, advertised, metronome, whenUnresponsive }: FleetOptions) {
    this.#pingInterval = timing.pingInterval;
    const base = { ...timing, timerSlack: metronome.timerSlack };
    this.timing = this.#live(base, metronome, 1);
    const off = { pingInterval: NEVER, pingTimeout: NEVER };
    const isJudged = whenUnresponsive !== false;
    this.pageTiming = isJudged ? this.#live(base, metronome, AHEAD) : { ...base, ...off };
    this.#advertises = advertised !== false;
    this.#advertised = advertised || {};
    this.#welcome = advertised ? advertisedValues(advertised) : undefined;
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
    if (pingInterval !== undefined && this.timing.pingInterval < NEVER) {
      this.#pingInterval = serverInterval(pingInterval);
    }
    if (this.#slowness > 1) this.#slowness = this.#slowed;
    this.#welcome = this.#told;
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
    return true;
  }

  /** One object for all connections, read anew at each of their beats. */
  #live(base: Timing, metronome: Metronome, part: number): Timing {
    const { jitter, random } = base.options;
    const interval = () => this.#pingInterval * this.#slowness * part;
    const draw = () => metronome.draw(interval(), jitter, random);
    return {
      ...base,
      options: { ...base.options, random: draw },
      get pingInterval(): Millis {
        return interval();
      },
    };
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
