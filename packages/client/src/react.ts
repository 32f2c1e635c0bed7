import type { WebSocketLike } from '@wirebeat/core';
import {
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { type AttachOptions, attachHeartbeat } from './attach.ts';
import type { ProtocolsSource, UrlSource } from './reconnect/dialer.ts';
import type { ReconnectOptions } from './reconnect/options.ts';
import { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
import { type Snapshot, type SnapshotStore, snapshotOf } from './snapshot.ts';
import type { SocketMessageEvent } from './websocket-api/dom-events.ts';

/** Options of {@link useWebSocket}, beside those of the socket. */
export interface WebSocketHookOptions extends ReconnectOptions {
  /** An iterable must be a list: it is read at each render. */
  readonly protocols?:
    | string
    | readonly string[]
    | Extract<ProtocolsSource, (...args: never) => unknown>;
  /** Called with every message, in order. A state with the last message would skip some. */
  readonly onMessage?: (event: SocketMessageEvent) => void;
}

/** What {@link useWebSocket} returns. */
export interface WebSocketHook extends Snapshot {
  /** For `send()` and all else. Undefined on a server, in the first render, and without a `url`. */
  readonly socket: ReconnectingWebSocket | undefined;
}

/** Of a socket that is not there yet. */
const NO_SOCKET: Snapshot = /* @__PURE__ */ Object.freeze({
  readyState: 0,
  status: 'idle',
  latency: undefined,
  lastReceived: undefined,
  retry: undefined,
  giveup: undefined,
});
const NO_STORE: SnapshotStore = { subscribe: () => () => {}, getSnapshot: () => NO_SOCKET };

/** Options that are compared by what is in them. Other objects are not compared. */
const PLAIN: readonly string[] = ['protocols', 'backoff', 'fatalCodes'];

/**
 * A {@link ReconnectingWebSocket} for as long as the component is mounted: one, also in StrictMode,
 * and none on a server. Without a `url` there is none yet.
 *
 * It is replaced when `url`, `protocols` or another option has another value. Functions are not
 * compared: those of the last render are called. A bad address or option is thrown to the nearest
 * error boundary.
 */
export function useWebSocket(
  url: UrlSource | null | undefined,
  options: WebSocketHookOptions = {},
): WebSocketHook {
  const key = url == null ? undefined : keyOf(url, options);
  const latest = useLatest({ url, options }, key);
  const socket = useOwned(
    key,
    () => dial(latest),
    (socket) => socket.close(),
  );
  return { ...useSnapshot(socket && snapshotOf(socket)), socket };
}

/**
 * What a page shows of `socket`. Any other than a {@link ReconnectingWebSocket} is watched over by
 * {@link attachHeartbeat} for as long as the component is mounted, with the options of the render in
 * which that began: use it once a socket, for each use attaches a heartbeat of its own.
 */
export function useHeartbeat(
  socket: ReconnectingWebSocket | WebSocketLike | null | undefined,
  options: AttachOptions = {},
): Snapshot {
  const latest = useLatest(options);
  const other = socket == null || isReconnecting(socket) ? undefined : socket;
  const heartbeat = useOwned(
    other,
    (other) => attachHeartbeat(other, latest.current.value),
    (heartbeat) => heartbeat.detach(),
  );
  const store = useMemo(() => {
    if (other !== undefined) return heartbeat && snapshotOf(other, heartbeat);
    return socket == null ? undefined : snapshotOf(socket as ReconnectingWebSocket);
  }, [socket, other, heartbeat]);
  return useSnapshot(store);
}

/** By what it has: there may be two copies of the class. */
function isReconnecting(socket: object): socket is ReconnectingWebSocket {
  return 'detectionBound' in socket;
}

function useSnapshot({ subscribe, getSnapshot }: SnapshotStore = NO_STORE): Snapshot {
  return useSyncExternalStore(subscribe, getSnapshot, NO_STORE.getSnapshot);
}

/** The value of the last render that was committed; one object as long as the key is the same. */
interface Latest<Value> {
  readonly key: unknown;
  value: Value;
}

/** What was made for an older key keeps its object, with the value of the last render of that key. */
function useLatest<Value>(value: Value, key?: unknown): { readonly current: Latest<Value> } {
  const ref = useRef<Latest<Value>>({ key, value });
  // The first of the effects: all others, and whatever is called from outside, find it up to date.
  useInsertionEffect(() => {
    if (ref.current.key === key) ref.current.value = value;
    else ref.current = { key, value };
  });
  return ref;
}

/**
 * What is made for `key` once the component is mounted, and ended when it is unmounted or the key is
 * another. StrictMode mounts, unmounts and mounts in one go; so it is made in the microtask after.
 */
function useOwned<Key, Thing>(
  key: Key | undefined,
  make: (key: Key) => Thing,
  end: (thing: Thing) => void,
): Thing | undefined {
  const latest = useLatest({ make, end });
  const [held, hold] = useState<{ readonly key: Key; readonly thing: Thing }>();
  useEffect(() => {
    if (key === undefined) return;
    let release: (() => void) | undefined = () => {};
    queueMicrotask(() => {
      if (release === undefined) return;
      try {
        const { make, end } = latest.current.value;
        const thing = make(key);
        release = () => end(thing);
        hold({ key, thing });
      } catch (error) {
        hold(() => {
          throw error; // where an error boundary catches it
        });
      }
    });
    return () => {
      release?.();
      release = undefined;
      hold(undefined); // a component that is hidden and shown keeps its state
    };
  }, [key, latest]);
  return held?.key === key ? held?.thing : undefined;
}

interface Asked {
  readonly url: UrlSource | null | undefined;
  readonly options: WebSocketHookOptions;
}

function dial(latest: { readonly current: Latest<Asked> }): ReconnectingWebSocket {
  // Its functions are those of its own renders, also until it is closed after the key has changed.
  const own = latest.current;
  const { url, options } = own.value;
  const { protocols, onMessage: _, ...others } = options;
  const given = Object.entries(others).map(([name, value]) => {
    const isCalled = typeof value === 'function' && name !== 'WebSocket';
    return [name, isCalled ? lastOf(() => Reflect.get(own.value.options, name)) : value];
  });
  const socket = new ReconnectingWebSocket(
    typeof url === 'function' ? lastOf(() => own.value.url) : (url as string | URL),
    typeof protocols === 'function' ? lastOf(() => own.value.options.protocols) : protocols,
    Object.fromEntries(given),
  );
  socket.addEventListener('message', (event) => {
    if (latest.current === own) own.value.options.onMessage?.(event); // else it is about to be closed
  });
  return socket;
}

/** Calls the function that is there when it is called. */
function lastOf<Result>(read: () => unknown): (...args: unknown[]) => Result {
  return (...args) => {
    const last = read();
    return typeof last === 'function' ? last(...args) : last;
  };
}

/** The same text for the same address and options. */
function keyOf(url: UrlSource, { onMessage: _, ...options }: WebSocketHookOptions): string {
  const values = { ...options, url: typeof url === 'function' ? url : String(url) };
  const entries = Object.entries(values).map(([name, value]) => {
    const isComparable = Object(value) !== value || PLAIN.includes(name);
    return [name, isComparable ? value : typeof value];
  });
  return JSON.stringify(entries.sort());
}
