import type {
  HeartbeatEvents,
  HeartbeatStatus,
  Instant,
  Millis,
  WebSocketLike,
} from '@wirebeat/core';
import type { SocketHeartbeat } from './attach.ts';
import { report } from './reconnect/event-dispatcher.ts';
import type { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
import type { ReconnectingWebSocketEventMap } from './websocket-api/event-target.ts';

type Detail<Name extends 'retry' | 'giveup'> = ReconnectingWebSocketEventMap[Name]['detail'];

/** What a page shows of a connection. It never changes: a change makes another. */
export interface Snapshot {
  /** As that of the socket. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** What is known of the peer. */
  readonly status: HeartbeatStatus;
  /** The last latency of this connection; undefined until the first. */
  readonly latency: Millis | undefined;
  /**
   * When anything was last received on this connection, by the scheduler's clock, which is that of
   * `performance.now()`: as of the last pong or change. Undefined without an open connection.
   */
  readonly lastReceived: Instant | undefined;
  /** What the last `retry` told; undefined once the socket is open, or closed for good. */
  readonly retry: Detail<'retry'> | undefined;
  /** What `giveup` told; undefined until it does. */
  readonly giveup: Detail<'giveup'> | undefined;
}

/** A {@link Snapshot} that can be watched: a store for React, Svelte and Solid as it is. */
export interface SnapshotStore {
  /**
   * Calls `listener` with the snapshot, at once and at each change; returns what ends that. A
   * listener that throws does not stop the others.
   */
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void;
  /** The snapshot: the same object until something changes. */
  readonly getSnapshot: () => Snapshot;
}

/** What changes the status or the latency. */
const BEATS: readonly (keyof HeartbeatEvents)[] = ['alive', 'pong', 'suspect', 'dead'];
/** What changes the rest. */
const TURNS: readonly string[] = ['open', 'close', 'retry', 'giveup'];

/** One a socket, for as long as the socket: who subscribes during an outage knows its `retry`. */
const STORES: WeakMap<WebSocketLike, SnapshotStore> = /* @__PURE__ */ new WeakMap();

/**
 * What a page shows of a connection, to be watched. Of one {@link ReconnectingWebSocket} it is the
 * same store each time. Any other socket comes with what {@link attachHeartbeat} gave for it, and is
 * listened to only while somebody is subscribed.
 */
export function snapshotOf(socket: ReconnectingWebSocket): SnapshotStore;
export function snapshotOf(socket: WebSocketLike, heartbeat: SocketHeartbeat): SnapshotStore;
export function snapshotOf(socket: WebSocketLike, heartbeat?: SocketHeartbeat): SnapshotStore {
  if (heartbeat !== undefined) return storeOf(socket, heartbeat, () => ({}));
  const known = STORES.get(socket);
  if (known !== undefined) return known;
  let turn: Partial<Snapshot> = {};
  // Before the listeners of the store, so that these see it.
  const note = ({ type, detail }: CustomEvent) => {
    const { giveup } = turn;
    turn = { ...(giveup && { giveup }), ...(detail && { [type]: detail }) };
  };
  for (const name of TURNS) socket.addEventListener(name, note);
  const store = storeOf(socket, socket as ReconnectingWebSocket, () => turn);
  STORES.set(socket, store);
  return store;
}

function storeOf(
  socket: WebSocketLike,
  heartbeat: Pick<ReconnectingWebSocket, 'status' | 'latency' | 'lastReceived'>,
  turn: () => Partial<Snapshot>,
): SnapshotStore {
  const tells = new Set<() => void>();
  let current: Snapshot | undefined;
  let isNews = false; // a pong came, or a change
  const getSnapshot = () => {
    const { status, latency } = heartbeat;
    const { retry, giveup } = turn();
    const readyState = socket.readyState as Snapshot['readyState'];
    const lastReceived = status === 'idle' ? undefined : heartbeat.lastReceived;
    const next = { readyState, status, latency, lastReceived, retry, giveup };
    if (current === undefined || differs(current, next, isNews)) current = Object.freeze(next);
    isNews = false;
    return current;
  };
  const look = () => {
    isNews = true;
    for (const tell of tells) tell();
  };
  return {
    getSnapshot,
    subscribe(listener) {
      let last: Snapshot | undefined; // told to this listener, whoever else has asked meanwhile
      const tell = () => {
        const now = getSnapshot();
        if (now === last) return;
        last = now;
        try {
          listener(now);
        } catch (error) {
          report(error);
        }
      };
      if (tells.size === 0) watch(true, socket, heartbeat, look);
      tells.add(tell);
      tell();
      return () => {
        if (tells.delete(tell) && tells.size === 0) watch(false, socket, heartbeat, look);
      };
    },
  };
}

/** Each message changes `lastReceived`, and is no news by itself. */
function differs(before: Snapshot, now: Snapshot, isNews: boolean): boolean {
  return (Object.keys(now) as (keyof Snapshot)[]).some(
    (name) => now[name] !== before[name] && (isNews || name !== 'lastReceived'),
  );
}

/** Begins or ends to listen. The heartbeat of a {@link ReconnectingWebSocket} is told by itself. */
function watch(begins: boolean, socket: WebSocketLike, heartbeat: object, look: () => void): void {
  const isOne = heartbeat === socket;
  const listen = begins ? 'addEventListener' : 'removeEventListener';
  for (const name of isOne ? [...TURNS, ...BEATS] : ['open', 'close']) socket[listen](name, look);
  if (isOne) return;
  for (const name of BEATS) (heartbeat as SocketHeartbeat)[begins ? 'on' : 'off'](name, look);
}
