import {
  guarded,
  type HeartbeatEvents,
  type Instant,
  InvalidOptionError,
  type LinkQuality,
  LinkRecord,
  linkQuality,
  type Millis,
  type Scheduler,
  SystemScheduler,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import type { SocketHeartbeat } from '../attach.ts';
import type { CloseReason } from '../reconnect/close-record.ts';
import { type ReconnectingSocket, type Snapshot, snapshotOf } from '../snapshot-store.ts';
import { causeWords } from './cause-words.ts';

/** Options of {@link statusOf}. */
export interface StatusOptions {
  /**
   * How long a connection must be lost before {@link ConnectionStatus.shown} is `lost`, in ms.
   *
   * @default 3000
   */
  readonly lostAfter?: Millis;
  /** The clock. Pass the scheduler of the socket if it has one of its own. */
  readonly scheduler?: Scheduler;
}

/** The state of a connection for people. Immutable, as is a {@link Snapshot}. */
export interface ConnectionStatus extends Snapshot {
  /** How good the link is now: see {@link linkQuality}. */
  readonly quality: LinkQuality;
  /**
   * The quality to show. As `quality`, but `lost` only after `lostAfter`, so that a replaced
   * connection does not flicker. Until then it is the last quality, or `connecting` if the socket
   * was never open. `lost` at once after an end for good.
   */
  readonly shown: LinkQuality | 'connecting';
  /** When the next attempt starts, on the clock of the scheduler; undefined without a wait. */
  readonly retryAt: Instant | undefined;
  /** Why there is no connection, in a sentence for people; undefined if there is one. */
  readonly cause: string | undefined;
  /** The same as a word, for your own sentences in any language. */
  readonly reason: CloseReason | undefined;
  /** The last 50 latencies, oldest first, in ms. */
  readonly latencies: readonly Millis[];
}

/** The quality of a link has changed. */
export interface QualityChange {
  readonly quality: LinkQuality;
  readonly before: LinkQuality;
}

/** A store of a {@link ConnectionStatus}. */
export interface StatusStore {
  /**
   * Calls `listener` with the status, at once and at each change. Returns a function that
   * unsubscribes. Without subscribers, the store has no timer and listens to nothing.
   */
  readonly subscribe: (listener: (status: ConnectionStatus) => void) => () => void;
  /** Returns the current status: the same object until something changes. */
  readonly getSnapshot: () => ConnectionStatus;
  /** Calls `listener` at each change of the quality. Returns a function that unsubscribes. */
  readonly onQuality: (listener: (change: QualityChange) => void) => () => void;
}

const LOST_AFTER: Millis = 3_000;

/**
 * Returns a store of the state of a connection, as people should see it: {@link snapshotOf} with a
 * grade for the link, a calm view and a cause in plain words. For any socket other than a {@link
 * ReconnectingWebSocket}, pass the result of {@link attachHeartbeat} too.
 *
 * Each call returns a new store with a history of its own, so create one for each socket. The grade
 * is made from what happens while the store has subscribers.
 *
 * @throws {InvalidOptionError} if `lostAfter` is not a number ≥ 0, `scheduler` has no `now()`, an option is
 * unknown, or `socket` is any other socket, without its heartbeat.
 */
export function statusOf(socket: ReconnectingSocket, options?: StatusOptions): StatusStore;
export function statusOf(
  socket: WebSocketLike,
  heartbeat: SocketHeartbeat,
  options?: StatusOptions,
): StatusStore;
export function statusOf(
  socket: WebSocketLike,
  second?: SocketHeartbeat | StatusOptions,
  third?: StatusOptions,
): StatusStore {
  const hasHeartbeat = third !== undefined || 'detach' in Object(second);
  const [heartbeat, options = {}] = hasHeartbeat ? [second, third] : [undefined, second];
  const monitor = new Monitor(
    socket,
    heartbeat as SocketHeartbeat | undefined,
    options as StatusOptions,
  );
  return {
    subscribe: (listener) => monitor.subscribe(listener),
    getSnapshot: () => monitor.current,
    onQuality: (listener) => {
      let before = monitor.current.quality;
      return monitor.subscribe(({ quality }) => {
        const change = { quality, before };
        before = quality;
        if (quality !== change.before) listener(change);
      });
    },
  };
}

/** Written here, because the checks of the core are a copy of their own in the bundle of a page. */
function demand(isRight: boolean, option: string, expected: string, value: unknown): void {
  if (!isRight) throw new InvalidOptionError(option, expected, value);
}

type Listener = (status: ConnectionStatus) => void;

class Monitor {
  readonly #socket: WebSocketLike;
  readonly #heartbeat: SocketHeartbeat | undefined;
  readonly #source: ReturnType<typeof snapshotOf>;
  readonly #lostAfter: Millis;
  readonly #scheduler: Scheduler;
  readonly #record = new LinkRecord();
  readonly #listeners = new Set<{ readonly call: Listener }>();
  #current: ConnectionStatus | undefined;
  #lostAt: Instant | undefined; // since when there has been no open connection
  #retryAt: Instant | undefined;
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(
    socket: WebSocketLike,
    heartbeat: SocketHeartbeat | undefined,
    options: StatusOptions,
  ) {
    demand(Object(options) === options, 'options', 'an object', options);
    const { lostAfter = LOST_AFTER, scheduler = new SystemScheduler(), ...others } = options;
    const isWait = typeof lostAfter === 'number' && lostAfter >= 0;
    demand(isWait, 'lostAfter', 'a number >= 0', lostAfter);
    demand(!!scheduler?.now, 'scheduler', 'an object with now()', scheduler);
    const [unknown] = Object.entries(others);
    if (unknown) {
      throw new InvalidOptionError(unknown[0], 'absent', unknown[1], ['lostAfter', 'scheduler']);
    }
    this.#socket = socket;
    this.#heartbeat = heartbeat;
    this.#lostAfter = lostAfter;
    this.#scheduler = scheduler;
    this.#source = heartbeat
      ? snapshotOf(socket, heartbeat)
      : snapshotOf(socket as ReconnectingSocket);
  }

  /** The status as subscribers know it; without any, as of now. */
  get current(): ConnectionStatus {
    if (this.#unsubscribe === undefined) this.#refresh(this.#source.getSnapshot());
    return this.#current as ConnectionStatus;
  }

  subscribe(call: Listener): () => void {
    const listener = { call: guarded(call) };
    this.#listeners.add(listener);
    if (this.#unsubscribe === undefined) this.#start();
    listener.call(this.current);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  #start(): void {
    this.#listen('addEventListener', 'on');
    this.#refresh(this.#source.getSnapshot());
    let isFirst = true; // the store calls at once
    this.#unsubscribe = this.#source.subscribe((snapshot) => {
      if (!isFirst) this.#update(snapshot);
      isFirst = false;
    });
    this.#setTimer();
  }

  #stop(): void {
    this.#listen('removeEventListener', 'off');
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lostAt = undefined;
  }

  /** A {@link ReconnectingWebSocket} emits the events of its heartbeat itself. */
  #listen(one: 'addEventListener' | 'removeEventListener', other: 'on' | 'off'): void {
    if (this.#heartbeat === undefined) {
      const socket = this.#socket as ReconnectingSocket;
      socket[one]('pong', this.#onPongEvent);
      socket[one]('suspect', this.#onOverdue);
      return;
    }
    this.#heartbeat[other]('pong', this.#onPong);
    this.#heartbeat[other]('suspect', this.#onOverdue);
  }

  readonly #onPong = ({ latency, sampled }: HeartbeatEvents['pong']): void => {
    this.#record.answered(sampled ? latency : undefined);
    this.#update(this.#source.getSnapshot());
  };

  readonly #onPongEvent = ({ detail }: { readonly detail: HeartbeatEvents['pong'] }): void =>
    this.#onPong(detail);

  readonly #onOverdue = (): void => this.#record.overdue();

  #update(snapshot: Snapshot): void {
    const before = this.#current;
    this.#refresh(snapshot);
    this.#setTimer();
    if (this.#current === before) return;
    for (const { call } of this.#listeners) call(this.#current as ConnectionStatus);
  }

  #refresh(snapshot: Snapshot): void {
    const next = this.#read(snapshot);
    const before = this.#current;
    const names = Object.keys(next) as (keyof ConnectionStatus)[];
    if (before === undefined || names.some((name) => next[name] !== before[name])) {
      this.#current = Object.freeze(next);
    }
  }

  #read(snapshot: Snapshot): ConnectionStatus {
    const { phase, status, retry, giveup } = snapshot;
    const before = this.#current;
    const isOpen = phase === 'open' && status !== 'dead';
    const quality = linkQuality(this.#record.evidence(isOpen, status === 'suspect'));
    const now = this.#scheduler.now();
    if (isOpen) this.#lostAt = undefined;
    else this.#lostAt ??= now;
    if (retry !== before?.retry) this.#retryAt = retry && now + retry.delay;
    const isShown = isOpen || phase === 'closed' || now >= this.#lostShownAt;
    const cause = isOpen ? undefined : (giveup ?? retry)?.cause;
    const measured = this.#record.latencies;
    const isSame =
      before?.latencies.length === measured.length && before.latencies.at(-1) === measured.at(-1);
    return {
      ...snapshot,
      quality,
      shown: isShown ? quality : (before?.shown ?? 'connecting'),
      retryAt: phase === 'waiting' ? this.#retryAt : undefined,
      cause: cause && causeWords(cause),
      reason: cause?.reason,
      latencies: isSame ? before.latencies : [...measured],
    };
  }

  /** When a lost connection is to be shown as lost. */
  get #lostShownAt(): Instant {
    return (this.#lostAt ?? Number.POSITIVE_INFINITY) + this.#lostAfter;
  }

  #setTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const due = this.#lostShownAt;
    if (this.#current?.shown === 'lost' || !Number.isFinite(due)) return;
    this.#timer = this.#scheduler.at(due, () => this.#update(this.#source.getSnapshot()));
  }
}
