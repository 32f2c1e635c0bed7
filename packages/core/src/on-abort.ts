import { IS_PAGE } from './development.ts';
import { guarded } from './guarded.ts';

/** The parts of an `AbortSignal` that are used. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The callbacks that wait for one signal, and their one listener on the signal. */
interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const WAITING: WeakMap<AbortSignalLike, Waiting> = /* @__PURE__ */ new WeakMap();

/**
 * Calls `callback` when `signal` is aborted. Returns a function that removes the callback.
 *
 * Outside of pages, adds only one listener per signal, because Node warns about a leak at the eleventh.
 */
export function onAbort(signal: AbortSignalLike, callback: () => void): () => void {
  if (IS_PAGE) {
    const listener = () => callback(); // a new one, because the same callback may wait twice
    signal.addEventListener('abort', listener);
    return () => signal.removeEventListener('abort', listener);
  }
  const { callbacks, listener } = WAITING.get(signal) ?? watch(signal);
  const call = guarded(callback);
  callbacks.add(call);
  return () => {
    if (!callbacks.delete(call) || callbacks.size > 0) return;
    WAITING.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function watch(signal: AbortSignalLike): Waiting {
  const callbacks = new Set<() => void>();
  const listener = () => {
    for (const callback of callbacks) callback();
  };
  const waiting = { callbacks, listener };
  WAITING.set(signal, waiting);
  signal.addEventListener('abort', listener);
  return waiting;
}
