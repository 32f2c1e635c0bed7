import { checkNames, resolveOption, type WebSocketLike } from '@wirebeat/core';
import {
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { attachHeartbeat } from './attach.ts';
import type { AttachOptions } from './options.ts';
import type { ProtocolsSource, UrlSource } from './reconnect/dialer.ts';
import type { ReconnectOptions } from './reconnect/options.ts';
import { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
import {
  type ReconnectingSocket,
  type Snapshot,
  type SnapshotStore,
  snapshotOf,
} from './snapshot-store.ts';
import type { SocketMessageEvent } from './websocket-api/dom-events.ts';

/** Options of {@link useWebSocket}, in addition to those of the socket. */
export interface WebSocketHookOptions extends ReconnectOptions {
  /** The subprotocols. Only an array is allowed, because it is read at each render. */
  readonly protocols?:
    | string
    | readonly string[]
    | Extract<ProtocolsSource, (...args: never) => unknown>;
  /** Called with every message, in order. A state that holds the last message would skip some. */
  readonly onMessage?: (event: SocketMessageEvent) => void;
}

/** Options of {@link useSocket}. */
export interface SocketHookOptions {
  /** The socket is replaced when this value changes. Name what the socket depends on, such as a room. */
  readonly key?: string | number;
  /** Called with every message, in order. */
  readonly onMessage?: (event: SocketMessageEvent) => void;
}

/** The result of {@link useSocket}. */
export interface SocketHook<Socket extends ReconnectingSocket> extends Snapshot {
  /** The socket. Undefined on a server, in the first render, and without a `url` or `create`. */
  readonly socket: Socket | undefined;
}

/** The result of {@link useWebSocket}. */
export type WebSocketHook = SocketHook<ReconnectingWebSocket>;

/** The snapshot while there is no socket. */
const NO_SOCKET: Snapshot = /* @__PURE__ */ Object.freeze({
  readyState: 0,
  phase: 'dialling',
  status: 'idle',
  latency: undefined,
  lastReceived: undefined,
  retry: undefined,
  giveup: undefined,
});
const NO_STORE: SnapshotStore = { subscribe: () => () => {}, getSnapshot: () => NO_SOCKET };

/** Options that are compared by their content. Other objects are not compared. */
const PLAIN: readonly string[] = ['protocols', 'backoff', 'fatalCodes'];

/**
 * Creates a {@link ReconnectingWebSocket} while the component is mounted: exactly one, even in
 * StrictMode, and none on a server or without a `url`.
 *
 * The socket is replaced when the value of `url`, `protocols` or another option changes. Functions
 * are not compared: those of the last render are called. For an invalid address or option, an error
 * is thrown to the nearest error boundary.
 */
export function useWebSocket(
  url: UrlSource | null | undefined,
  options: WebSocketHookOptions = {},
): WebSocketHook {
  const key = url == null ? undefined : keyOf(url, options);
  return useCreated(key, { url, options }, dial);
}

/**
 * Holds a socket that `create` makes, such as a `SharedSocket`, while the component is mounted:
 * exactly one, even in StrictMode, and none on a server or without `create`. The hook closes it.
 *
 * `create` is not compared: the socket is replaced when `key` changes. An error of `create` is thrown
 * to the nearest error boundary.
 */
export function useSocket<Socket extends ReconnectingSocket>(
  create: (() => Socket) | null | undefined,
  options: SocketHookOptions = {},
): SocketHook<Socket> {
  const key = create == null ? undefined : (options.key ?? '');
  return useCreated(key, { create, options }, ({ value }) => {
    checkNames('options', value.options, ['key', 'onMessage']);
    return (value.create as () => Socket)();
  });
}

/**
 * Returns the state of `socket` for a component to show. If `socket` is not a {@link
 * ReconnectingWebSocket} or a `SharedSocket`, {@link attachHeartbeat} adds a heartbeat while the
 * component is mounted, with the options of the render that attaches it. Use the hook once for such a
 * socket, because each use attaches its own heartbeat.
 */
export function useHeartbeat(
  socket: ReconnectingSocket | WebSocketLike | null | undefined,
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
    return socket == null ? undefined : snapshotOf(socket as ReconnectingSocket);
  }, [socket, other, heartbeat]);
  return useSnapshot(store);
}

/** Checks the methods and not the class, because there may be two copies of the class. */
function isReconnecting(socket: object): socket is ReconnectingSocket {
  return 'detectionBound' in Object(socket);
}

function useSnapshot({ subscribe, getSnapshot }: SnapshotStore = NO_STORE): Snapshot {
  return useSyncExternalStore(subscribe, getSnapshot, NO_STORE.getSnapshot);
}

/**
 * Holds the value of the last committed render. Returns the same object while the key is the same.
 */
interface Latest<Value> {
  readonly key: unknown;
  value: Value;
}

/** Sockets of an older key keep their object, with the value of the last render with that key. */
function useLatest<Value>(value: Value, key?: unknown): { readonly current: Latest<Value> } {
  const ref = useRef<Latest<Value>>({ key, value });
  // The first effect, so that the other effects and all callbacks see the new value.
  useInsertionEffect(() => {
    if (ref.current.key === key) ref.current.value = value;
    else ref.current = { key, value };
  });
  return ref;
}

/**
 * Creates a value for `key` once the component is mounted, and ends it when the component is
 * unmounted or the key changes. StrictMode mounts, unmounts and mounts synchronously, so the value
 * is created in a microtask.
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
          throw error; // an error boundary catches it here
        });
      }
    });
    return () => {
      release?.();
      release = undefined;
      hold(undefined); // a component that is hidden and shown again keeps its state
    };
  }, [key, latest]);
  return held?.key === key ? held?.thing : undefined;
}

/** What a hook was called with. */
interface Asked {
  readonly options: Pick<SocketHookOptions, 'onMessage'>;
}

/**
 * Owns a socket while the component is mounted. The socket calls the functions of its own renders,
 * those with its key, until it closes.
 */
function useCreated<Value extends Asked, Socket extends ReconnectingSocket>(
  key: string | number | undefined,
  asked: Value,
  create: (own: Latest<Value>) => Socket,
): SocketHook<Socket> {
  const latest = useLatest(asked, key);
  const open = () => {
    const own = latest.current;
    resolveOption('onMessage', { type: 'function' }, own.value.options.onMessage);
    const socket = create(own);
    snapshotOf(socket); // from the start, so that it misses no `retry`
    socket.addEventListener('message', (event) => {
      if (latest.current === own) own.value.options.onMessage?.(event); // else it is closing
    });
    return socket;
  };
  const socket = useOwned(key, open, (socket) => socket.close());
  return { ...useSnapshot(socket && snapshotOf(socket)), socket };
}

interface AskedByUrl {
  readonly url: UrlSource | null | undefined;
  readonly options: WebSocketHookOptions;
}

function dial(own: Latest<AskedByUrl>): ReconnectingWebSocket {
  const { url, options } = own.value;
  checkNames('options', options, Object.keys(options)); // the socket checks the names
  const { protocols, onMessage: _, ...others } = options;
  const given = Object.entries(others).map(([name, value]) => {
    const isCalled = typeof value === 'function' && name !== 'WebSocket';
    return [name, isCalled ? lastOf(() => Reflect.get(own.value.options, name)) : value];
  });
  return new ReconnectingWebSocket(
    typeof url === 'function' ? lastOf(() => own.value.url) : (url as string | URL),
    typeof protocols === 'function' ? lastOf(() => own.value.options.protocols) : protocols,
    Object.fromEntries(given),
  );
}

/** Returns a function that calls the current version of a callback. */
function lastOf<Result>(read: () => unknown): (...args: unknown[]) => Result {
  return (...args) => {
    const last = read();
    return typeof last === 'function' ? last(...args) : last;
  };
}

/** Returns the same text for the same address and options. */
function keyOf(url: UrlSource, { onMessage: _, ...options }: WebSocketHookOptions): string {
  const values = { ...options, url: typeof url === 'function' ? url : String(url) };
  const entries = Object.entries(values).map(([name, value]) => {
    const isComparable = Object(value) !== value || PLAIN.includes(name);
    return [name, isComparable ? value : typeof value];
  });
  return JSON.stringify(entries.sort());
}
