import { DEFAULTS, type Millis, type Timing } from '@wirebeat/core';
import { type Advertisement, advertisedValues, serverInterval } from './advertisement.ts';
import type { Values } from './page.ts';
import type { ResolvedServerOptions } from './server-options.ts';

/** Clients are not asked for more by ourselves: proxies often close what was idle for 60 s. */
const MAX_SLOWED: Millis = 50_000;

type FleetOptions = Pick<ResolvedServerOptions<never>, 'timing' | 'advertised' | 'metronome'>;

/**
 * The timing of all connections of one server, and what their clients are told of it. It may change
 * while they live: for each of them from its next beat on.
 */
export class Fleet {
  readonly timing: Timing;
  readonly #advertises: boolean;
  #advertised: Advertisement;
  #pingInterval: Millis; // the server's own
  #slowness = 1;
  #welcome: Values | undefined;

  constructor({ timing, advertised, metronome }: FleetOptions) {
    const { jitter, random } = timing.options;
    const interval = () => this.#pingInterval * this.#slowness;
    this.#pingInterval = timing.pingInterval;
    // One object for all connections, read anew at each of their beats.
    this.timing = {
      ...timing,
      timerSlack: metronome.timerSlack,
      options: { ...timing.options, random: () => metronome.draw(interval(), jitter, random) },
      get pingInterval(): Millis {
        return interval();
      },
    };
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
    if (pingInterval !== undefined && this.timing.pingInterval < Number.POSITIVE_INFINITY) {
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
