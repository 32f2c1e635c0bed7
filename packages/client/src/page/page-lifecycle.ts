import { type Millis, type PeerState, SystemScheduler } from '@wirebeat/core';

/** What a {@link Lifecycle} calls. */
export interface LifecycleListener {
  /**
   * Called with the new state of the page. Also called at the start if the state is not `visible`.
   * A `frozen` page runs nothing until the state changes.
   */
  state(state: PeerState): void;
  /** Called after an event that may have broken the link. It causes a ping, and no verdict. */
  hint(): void;
}

/** Watches the page or app that a socket belongs to. */
export interface Lifecycle {
  /** Starts calling `listener`. Returns a function that stops it and removes all listeners. */
  watch(listener: LifecycleListener): () => void;
}

type Take = (event: { readonly type: string; readonly persisted?: boolean }) => void;

interface Target {
  addEventListener?(type: string, take: Take): void;
  removeEventListener?(type: string, take: Take): void;
}

interface Page extends Target {
  readonly document?: Target & { readonly hidden: boolean };
  readonly navigator?: { readonly connection?: Target & { readonly type?: string } };
}

const OF_DOCUMENT = ['visibilitychange', 'freeze', 'resume'];
const OF_PAGE = ['pagehide', 'pageshow', 'online', 'offline', 'focus'];

/**
 * The lifecycle of the page; in a worker, the events that workers have. Does nothing in a runtime
 * without pages.
 *
 * `pagehide` with `persisted` also means `frozen`, because Safari freezes such a page without a
 * `freeze` event.
 */
export const pageLifecycle: Lifecycle = {
  watch({ state, hint }) {
    const page = globalThis as unknown as Page;
    const { document, navigator } = page;
    const connection = navigator?.connection;
    let network = connection?.type;
    let isFrozen = false;
    let told: PeerState = 'visible';
    const look = () => {
      const now = isFrozen ? 'frozen' : document?.hidden ? 'hidden' : 'visible';
      if (now === told) return;
      told = now;
      state(now);
    };
    const take: Take = ({ type, persisted }) => {
      const before = network;
      network = connection?.type;
      // Chromium also emits `change` for each new estimate of the speed.
      if (type === 'change' && network === before) return;
      if (persisted === false) return; // the page is new, or is being unloaded
      const freezes = type === 'freeze' || type === 'pagehide';
      const hides = type === 'visibilitychange' && document?.hidden;
      if (!hides) isFrozen = freezes; // every other event shows that the page runs
      look();
      if (!hides && !freezes) hint();
    };
    const listen = (does: 'addEventListener' | 'removeEventListener') => {
      for (const type of OF_DOCUMENT) document?.[does]?.(type, take);
      for (const type of OF_PAGE) page[does]?.(type, take);
      connection?.[does]?.('change', take);
    };
    listen('addEventListener');
    look();
    return () => listen('removeEventListener');
  },
};

/** A shorter sleep breaks no connection, and most corrections of a clock are smaller. */
const SLEEP: Millis = 1_000;

/**
 * Detects that the machine slept: the wall clock went on, while the monotonic clock may have
 * stopped. Returns a function that compares the clocks, and calls `hint` if they have drifted apart
 * since the last call. No event reports sleep, and an extra timer would cost too much, so call the
 * function whenever other code runs.
 */
export function watchClocks(hint: () => void): () => void {
  const clock = new SystemScheduler();
  const drift = () => Date.now() - clock.now();
  let before = drift();
  return () => {
    const now = drift();
    const slept = now - before > SLEEP;
    before = now;
    if (slept) hint();
  };
}
