import { guarded } from './guarded.ts';

/** What is used of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Those that wait for one signal, and the one listener that the signal has for them. */
interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const WAITING: WeakMap<AbortSignalLike, Waiting> = /* @__PURE__ */ new WeakMap();

/**
 * Calls `callback` when `signal` is aborted. Returns what ends that.
 *
 * A signal gets one listener, however many wait for it: Node warns of a leak at the eleventh.
 */
export function onAbort(signal: AbortSignalLike, callback: () => void): () => void {
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
