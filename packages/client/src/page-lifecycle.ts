/** What the page tells of itself. */
export interface LifecycleListener {
  /** The page is shown or hidden; told once at the start where it is hidden. */
  visibility(hidden: boolean): void;
  /** Something happened after which a link may be dead: it is asked, never judged by this. */
  hint(): void;
}

interface Target {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

const HINTS = ['online', 'offline', 'pageshow', 'focus'];

/**
 * Watches the page's visibility and the browser's hints. Does nothing in a runtime without them.
 * Returns what ends it.
 */
export function watchPage(listener: LifecycleListener): () => void {
  const global = globalThis as Partial<Target> & { document?: Target & { hidden: boolean } };
  const { document } = global;
  const onVisibility = () => {
    const hidden = document?.hidden === true;
    listener.visibility(hidden);
    if (!hidden) listener.hint();
  };
  const onHint = () => listener.hint();
  const window = typeof global.addEventListener === 'function' ? (global as Target) : undefined;
  document?.addEventListener('visibilitychange', onVisibility);
  document?.addEventListener('resume', onHint); // Chromium: the page was frozen
  for (const type of HINTS) window?.addEventListener(type, onHint);
  if (document?.hidden) listener.visibility(true);
  return () => {
    document?.removeEventListener('visibilitychange', onVisibility);
    document?.removeEventListener('resume', onHint);
    for (const type of HINTS) window?.removeEventListener(type, onHint);
  };
}
