// Web Locks tell one context that another has ended, however it ended: its locks are then free.

/** The parts of a `LockManager` that are used. */
interface LocksLike {
  request(
    name: string,
    options: { readonly signal?: AbortSignal },
    callback: () => unknown,
  ): Promise<unknown>;
}

/** A lock that this context holds. */
export interface Held {
  readonly name: string;
  readonly release: () => void;
}

/** Returns the locks of this context; undefined where there are none, as on pages without TLS. */
export function locksHere(): LocksLike | undefined {
  return (globalThis as { readonly navigator?: { readonly locks?: LocksLike } }).navigator?.locks;
}

/** Takes a lock that nobody else knows yet. It is held until it is released, or the context ends. */
export function hold(locks: LocksLike): Promise<Held> {
  const name = `wirebeat-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    void locks.request(name, {}, () => {
      return new Promise<void>((release) => resolve({ name, release }));
    });
  });
}

/**
 * Calls `callback` once the holder of a lock has released it or has ended. Returns a function that
 * stops waiting. Without a name, it never calls.
 */
export function whenFree(name: string | undefined, callback: () => void): () => void {
  const waiting = new AbortController();
  const { signal } = waiting;
  if (name !== undefined) {
    locksHere()
      ?.request(name, { signal }, callback)
      .catch(() => {}); // it was stopped
  }
  return () => waiting.abort();
}
