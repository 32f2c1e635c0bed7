import {
  type HeartbeatDriver,
  HIDDEN_TIMER_SLACK,
  type Millis,
  type PeerState,
  type Scheduler,
  TIMER_SLACK,
  type Timer,
} from '@wirebeat/core';
import { type Lifecycle, type LifecycleListener, watchClocks } from './page-lifecycle.ts';

/**
 * How long to wait for the `close` event of a socket after a freeze. Chromium drops the sockets of
 * frozen and cached pages, but `readyState` stays OPEN until the event: at most 13 ms in
 * measurements, more under load.
 */
export const SETTLING: Millis = 300;

/** What one heartbeat knows about the page. */
export interface PageState {
  /** Checks whether the machine slept. Call it whenever other code runs. */
  look(): void;
  /** Forgets what the server of the last connection knew: the next one may be another. */
  opened(): void;
  /** Records that the server answered a ping with an id, so it reads the values of pings. */
  understood(): void;
  /** What to add to a ping: the page state, unless the server knows it or would not understand it. */
  valueFor(first: boolean): string;
  end(): void;
}

/**
 * Passes the page state to the machine of a heartbeat and, in its pings, to the server. Hints only
 * cause a ping; they decide nothing.
 */
export function watchPageState(
  driver: HeartbeatDriver,
  scheduler: Scheduler,
  lifecycle: Lifecycle | false,
  probe: () => void,
): PageState {
  let state: PeerState = 'visible';
  let told: PeerState = state;
  let isUnderstood = false;
  let isAway = false; // frozen, or in the time SETTLING after it
  let settling: Timer | undefined;

  const tell = () => {
    if (isUnderstood && !isAway && state !== told) driver.probe(0);
  };
  const settle = () => {
    isAway = false;
    driver.resume();
  };
  const listener: LifecycleListener = {
    state(now) {
      const wasFrozen = state === 'frozen';
      state = now;
      driver.heartbeat.timerSlack = now === 'visible' ? TIMER_SLACK : HIDDEN_TIMER_SLACK;
      tell(); // first, because a ping sent during the `freeze` event still reaches the server
      if (now === 'frozen') {
        isAway = true;
        settling?.cancel();
        driver.suspend();
      } else if (wasFrozen) settling = scheduler.at(scheduler.now() + SETTLING, settle);
    },
    hint() {
      const isOpen = driver.heartbeat.status !== 'idle';
      if (isOpen && !isAway) probe(); // otherwise `settle` causes a ping
    },
  };
  const unwatch = lifecycle ? lifecycle.watch(listener) : () => {};
  return {
    look: lifecycle ? watchClocks(listener.hint) : () => {},
    opened() {
      told = 'visible';
      isUnderstood = false;
    },
    understood() {
      isUnderstood = true;
      tell();
    },
    valueFor(first) {
      if (state === told || !(first || isUnderstood)) return '';
      told = state;
      return `;state=${state}`;
    },
    end() {
      unwatch();
      settling?.cancel();
    },
  };
}
