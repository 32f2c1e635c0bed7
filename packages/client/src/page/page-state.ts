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
 * How long the `close` of a socket is waited for after a freeze. Chromium drops the sockets of frozen
 * and cached pages, yet says OPEN until it tells so: 13 ms at most in measurements, more under load.
 */
export const SETTLING: Millis = 300;

/** What the page is, as one heartbeat sees it. */
export interface PageState {
  /** Looks whether the machine slept. Called when something runs anyway. */
  look(): void;
  /** The server has answered a ping by its id, so it is no constant that answers. */
  understood(): void;
  /** What a ping says of the page; undefined if the server knows, or would not understand. */
  valuesOf(first: boolean): { readonly state: PeerState } | undefined;
  end(): void;
}

/**
 * Tells a heartbeat's machine and, by its pings, the server what the page has become. Hints probe, they
 * never decide.
 */
export function watchPageState(
  pacemaker: HeartbeatDriver,
  scheduler: Scheduler,
  lifecycle: Lifecycle | false,
  probe: () => void,
): PageState {
  let state: PeerState = 'visible';
  let told: PeerState = state;
  let isUnderstood = false;
  let isAway = false; // frozen, or not yet sure of its socket
  let settling: Timer | undefined;

  const tell = () => {
    if (isUnderstood && !isAway && state !== told) pacemaker.probe(0);
  };
  const settle = () => {
    isAway = false;
    pacemaker.resume();
  };
  const listener: LifecycleListener = {
    state(now) {
      const wasFrozen = state === 'frozen';
      state = now;
      pacemaker.heartbeat.timerSlack = now === 'visible' ? TIMER_SLACK : HIDDEN_TIMER_SLACK;
      tell(); // a message sent in the event `freeze` arrives
      if (now === 'frozen') {
        isAway = true;
        settling?.cancel();
        pacemaker.suspend();
      } else if (wasFrozen) settling = scheduler.at(scheduler.now() + SETTLING, settle);
    },
    hint() {
      const isOpen = pacemaker.heartbeat.status !== 'idle';
      if (isOpen && !isAway) probe(); // away, the server is asked anyway
    },
  };
  const unwatch = lifecycle ? lifecycle.watch(listener) : () => {};
  return {
    look: lifecycle ? watchClocks(listener.hint) : () => {},
    understood() {
      isUnderstood = true;
      tell();
    },
    valuesOf(first) {
      if (state === told || !(first || isUnderstood)) return undefined;
      told = state;
      return { state };
    },
    end() {
      unwatch();
      settling?.cancel();
    },
  };
}
