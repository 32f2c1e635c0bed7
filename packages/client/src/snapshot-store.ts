import {
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  type Millis,
  type WebSocketLike,
} from '@wirebeat/core';
import type { SocketHeartbeat } from './attach.ts';
import { IS_DEVELOPMENT } from './development.ts';
import { reportUnhandled } from './reconnect/events.ts';
import type { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
import type { ReconnectingWebSocketEventMap } from './websocket-api/event-target.ts';

/** The public API of {@link ReconnectingWebSocket}, which a `SharedSocket` has too. */
export type ReconnectingSocket = Pick<ReconnectingWebSocket, keyof ReconnectingWebSocket>;

type Detail<Name extends 'retry' | 'giveup'> = ReconnectingWebSocketEventMap[Name]['detail'];

/**
 * What a connection is doing. `dialling`: an attempt is under way. `waiting`: the next attempt
 * follows. `closed`: nothing follows, or the closing handshake is under way.
 */
export type ConnectionPhase = 'dialling' | 'open' | 'waiting' | 'closed';

/** The state of a connection for a page to show. Immutable: each change creates a new snapshot. */
export interface Snapshot {
  /** The `readyState` of the socket. */
  readonly readyState: 0 | 1 | 2 | 3;
  /** What the connection is doing. */
  readonly phase: ConnectionPhase;
  /** What is known about the peer. */
  readonly status: HeartbeatStatus;
  /** The last measured latency of this connection in ms; undefined before the first pong. */
  readonly latency: Millis | undefined;
  /**
   * When anything was last received on this connection, in ms on the clock of the scheduler (by
   * default, `performance.now()`). Updated at each pong and at each other change. Undefined if the
   * connection is not open.
   */
  readonly lastReceived: Instant | undefined;
  /** The detail of the last `retry` event, also while its attempt is under way; undefined once the socket is open or closed for good. */
  readonly retry: Detail<'retry'> | undefined;
  /** The detail of the `giveup` event; undefined before it. */
  readonly giveup: Detail<'giveup'> | undefined;
}

/**
 * A store of a {@link Snapshot}. Works as a store for React, Svelte and Solid without an adapter.
 */
export interface SnapshotStore {
  /**
   * Calls `listener` with the snapshot, at once and at each change. Returns a function that
   * unsubscribes. If a listener throws, the others are still called.
   */
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void;
  /** Returns the current snapshot: the same object until something changes. */
  readonly getSnapshot: () => Snapshot;
}

/** What the last events of a {@link ReconnectingWebSocket} have added. */
interface Turn extends Partial<Pick<Snapshot, 'retry' | 'giveup'>> {
  /** Whether an attempt is under way, and not a wait. */
  readonly isDialled?: boolean;
}

const DIALLED: Turn = { isDialled: true };

/** The events that change the status or the latency. */
const BEATS: readonly (keyof HeartbeatEvents)[] = ['alive', 'pong', 'suspect', 'dead'];
/** The events that change the rest. */
const TURNS: readonly string[] = ['open', 'close', 'dial', 'retry', 'giveup'];

/** By `readyState`; the last one is that of a wait, during which it is CONNECTING too. */
const PHASES = ['dialling', 'open', 'closed', 'closed', 'waiting'] as const;

/** One store per socket, so that a subscriber during an outage also gets the last `retry`. */
const STORES: WeakMap<WebSocketLike, SnapshotStore> = /* @__PURE__ */ new WeakMap();

/**
 * Returns a store of the state of a connection. For one {@link ReconnectingWebSocket}, every call
 * returns the same store. For any other socket, pass the result of {@link attachHeartbeat} too; the
 * store then listens to the socket only while it has subscribers.
 *
 * @throws {InvalidOptionError} if `socket` is any other socket, without its heartbeat.
 */
export function snapshotOf(socket: ReconnectingSocket): SnapshotStore;
export function snapshotOf(socket: WebSocketLike, heartbeat: SocketHeartbeat): SnapshotStore;
export function snapshotOf(socket: WebSocketLike, heartbeat?: SocketHeartbeat): SnapshotStore {
  if (IS_DEVELOPMENT) checkSource(socket, heartbeat);
  if (heartbeat !== undefined) return storeOf(socket, heartbeat, () => DIALLED);
  const known = STORES.get(socket);
  if (known !== undefined) return known;
  let turn = DIALLED;
  // Added before the listeners of the store, so that they see the new value.
  const note = ({ type, detail }: CustomEvent) => {
    const { giveup } = turn;
    if (type === 'dial') turn = { ...turn, ...DIALLED };
    else turn = { ...(giveup && { giveup }), ...(detail && { [type]: detail }) };
  };
  for (const name of TURNS) socket.addEventListener(name, note);
  const store = storeOf(socket, socket as ReconnectingSocket, () => turn);
  STORES.set(socket, store);
  return store;
}

/** Refuses what has no heartbeat: its store would say `idle` for ever. */
function checkSource(socket: unknown, heartbeat: unknown): void {
  if (heartbeat !== undefined && !('detach' in Object(heartbeat))) {
    throw new InvalidOptionError('heartbeat', 'what attachHeartbeat() returned', heartbeat);
  }
  const source = Object(socket);
  const isSocket = typeof source.addEventListener === 'function';
  if (isSocket && (heartbeat !== undefined || 'detectionBound' in source)) return;
  throw new InvalidOptionError(
    'socket',
    'a ReconnectingWebSocket or SharedSocket, or a WebSocket with its heartbeat as the next argument',
    socket,
  );
}

function storeOf(
  socket: WebSocketLike,
  heartbeat: Pick<ReconnectingSocket, 'status' | 'latency' | 'lastReceived'>,
  turn: () => Turn,
): SnapshotStore {
  const tells = new Set<() => void>();
  let current: Snapshot | undefined;
  let isNews = false; // whether a pong or another change came
  const getSnapshot = () => {
    const { status, latency } = heartbeat;
    const { retry, giveup, isDialled } = turn();
    const readyState = socket.readyState as Snapshot['readyState'];
    const lastReceived = status === 'idle' ? undefined : heartbeat.lastReceived;
    const phase = PHASES[readyState === 0 && !isDialled ? 4 : readyState];
    const next = { readyState, phase, status, latency, lastReceived, retry, giveup };
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
      let last: Snapshot | undefined; // the last snapshot passed to this listener
      const tell = () => {
        const now = getSnapshot();
        if (now === last) return;
        last = now;
        try {
          listener(now);
        } catch (error) {
          reportUnhandled(error);
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

/**
 * Compares two snapshots. Ignores `lastReceived` unless `isNews`, because every message changes it.
 */
function differs(before: Snapshot, now: Snapshot, isNews: boolean): boolean {
  return (Object.keys(now) as (keyof Snapshot)[]).some(
    (name) => now[name] !== before[name] && (isNews || name !== 'lastReceived'),
  );
}

/**
 * Starts or stops listening. A {@link ReconnectingWebSocket} emits the events of its heartbeat
 * itself.
 */
function watch(begins: boolean, socket: WebSocketLike, heartbeat: object, look: () => void): void {
  const isOne = heartbeat === socket;
  const listen = begins ? 'addEventListener' : 'removeEventListener';
  for (const name of isOne ? [...TURNS, ...BEATS] : ['open', 'close']) socket[listen](name, look);
  if (isOne) return;
  for (const name of BEATS) (heartbeat as SocketHeartbeat)[begins ? 'on' : 'off'](name, look);
}
