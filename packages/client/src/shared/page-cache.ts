interface Page {
  addEventListener?(type: string, listener: (event: PageTransition) => void): void;
  removeEventListener?(type: string, listener: (event: PageTransition) => void): void;
}

interface PageTransition {
  readonly persisted: boolean;
}

/**
 * Calls `leave` when this page is put into the back-forward cache, where it keeps its locks, and
 * `enter` when it is shown again. Returns a function that stops both.
 */
export function watchPageCache(leave: () => void, enter: () => void): () => void {
  const page = globalThis as unknown as Page;
  const hide = ({ persisted }: PageTransition) => persisted && leave();
  const show = ({ persisted }: PageTransition) => persisted && enter();
  page.addEventListener?.('pagehide', hide);
  page.addEventListener?.('pageshow', show);
  return () => {
    page.removeEventListener?.('pagehide', hide);
    page.removeEventListener?.('pageshow', show);
  };
}
