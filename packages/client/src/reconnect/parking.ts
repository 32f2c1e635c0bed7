import { type Millis, resolveOptions, type Scheduler, type Timer } from '@wirebeat/core';
import type { Lifecycle } from '../page/page-lifecycle.ts';
import { reportUnhandled } from './events.ts';

/** What parking uses of the options of the socket. */
export interface ParkingContext {
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle | false;
  readonly delivery?: { readonly unconfirmed?: readonly unknown[] } | undefined;
}

/** What the socket uses of a {@link ParkWhileHidden}. */
export interface ParkingChoice {
  /**
   * Starts to watch the page. `unsent` returns the bytes that wait to be sent. `park` closes the
   * connection or, with `false`, connects again. Returns a function that stops it.
   */
  watch(
    context: ParkingContext,
    unsent: () => number,
    park: (isParked: boolean) => void,
  ): () => void;
}

/** Options of {@link ParkWhileHidden}. */
export interface ParkingOptions {
  /**
   * How long the page must be hidden before the connection is closed, in ms, in (0, 2^31 - 1].
   * @default 300_000
   */
  readonly parkAfter?: Millis;
  /**
   * Returns whether work is pending. While it returns true, the connection stays open. Asked before
   * the connection is closed, and again every 5 s.
   */
  readonly unless?: () => boolean;
}

const PARKING_SCHEMA = {
  parkAfter: { type: 'duration', default: 300_000 },
  unless: { type: 'function' },
} as const;
/** How long to wait while work is pending. */
const RECHECK: Millis = 5_000;

/**
 * Closes the connection of a page that has been hidden for a while, and connects again when the page
 * is shown. Pass it as the `parking` option. It adds no bytes to a page that does not import it.
 *
 * ```ts
 * const parking = new ParkWhileHidden({ parkAfter: 60_000, unless: () => isUploading });
 * const socket = new ReconnectingWebSocket(url, protocols, { parking });
 * ```
 *
 * The connection stays open while messages wait to be sent or, with a {@link Delivery}, to be
 * confirmed. Messages sent later wait in the queue until the page is shown.
 *
 * @throws {InvalidOptionError} if `parkAfter` is out of range, `unless` is not a function, or an
 * option is unknown.
 */
export class ParkWhileHidden implements ParkingChoice {
  readonly #parkAfter: Millis;
  readonly #unless: () => boolean;

  constructor(options: ParkingOptions = {}) {
    const { parkAfter, unless = () => false } = resolveOptions(PARKING_SCHEMA, options);
    this.#parkAfter = parkAfter;
    this.#unless = unless;
  }

  /** Called by the socket that this is passed to. */
  watch(
    { scheduler, lifecycle, delivery }: ParkingContext,
    unsent: () => number,
    park: (isParked: boolean) => void,
  ): () => void {
    if (!lifecycle) return () => {};
    let timer: Timer | undefined;
    const wait = (delay: Millis) => {
      timer = scheduler.at(scheduler.now() + delay, () => {
        const isBusy = unsent() > 0 || (delivery?.unconfirmed?.length ?? 0) > 0;
        if (isBusy || this.#isVetoed()) wait(RECHECK);
        else park(true);
      });
    };
    let isShown = true; // the lifecycle reports any other state at once
    const unwatch = lifecycle.watch({
      state: (state) => {
        const wasShown = isShown;
        isShown = state === 'visible';
        if (isShown === wasShown) return; // hidden, and now frozen
        timer?.cancel();
        if (isShown) park(false);
        else wait(this.#parkAfter);
      },
      hint() {},
    });
    return () => {
      unwatch();
      timer?.cancel();
    };
  }

  /** Whether work is pending. If `unless` throws, the connection stays. */
  #isVetoed(): boolean {
    try {
      return this.#unless();
    } catch (error) {
      reportUnhandled(error);
      return true;
    }
  }
}
