import { type Millis, type PeerState, SystemScheduler } from '@wirebeat/core';

/** What a {@link Lifecycle} tells. */
export interface LifecycleListener {
  /**
   * What the page has become; told once at the start where it is not `visible`. A `frozen` one is
   * going to run nothing until it is another.
   */
  state(state: PeerState): void;
  /** Something happened after which a link may be dead: it is asked, never judged by this. */
  hint(): void;
}

/** Watches over what a socket lives in: a page, or an app of another kind. */
export interface Lifecycle {
  /** Begins to tell `listener`. Returns what ends it and leaves nothing behind. */
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
 * The page, or what a worker sees of it. Tells nothing in a runtime without pages.
 *
 * `pagehide` with `persisted` freezes as well: Safari keeps such a page without a `freeze` event.
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
      // Chromium tells each new estimate of the speed too.
      if (type === 'change' && network === before) return;
      if (persisted === false) return; // the page is new, or goes for good
      const freezes = type === 'freeze' || type === 'pagehide';
      const hides = type === 'visibilitychange' && document?.hidden;
      if (!hides) isFrozen = freezes; // whatever else happens, happens to a page that runs
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

/** A shorter sleep breaks no connection, and clocks that are set right are mostly wrong by less. */
const SLEEP: Millis = 1_000;

/**
 * Notices that the machine slept: the wall clock went on, the monotonic one may have stood. Returns
 * what looks, and calls `hint` if they have drifted apart since the last look. There is no event for
 * this, and a timer of its own would cost more than it finds: look when something runs anyway.
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
