import type { HeartbeatEvents, Instant, Millis } from '@wirebeat/core';
import {
  type CloseRecord,
  NEVER_DIALLED,
  type OwnReason,
  reasonOf,
  recordOf,
} from '../close-record.ts';
import { ConnectionState, NEVER, PATIENCE } from './connection-state.ts';
import type { ReconnectorOptions } from './options.ts';
import type {
  ConnectionEnd,
  ConnectionFact,
  ConnectionId,
  GiveOrder,
  ReconnectOrder,
} from './orders.ts';
import { READY_STATES, type ReconnectPhase } from './phase.ts';
import { RetryPolicy } from './retry-policy.ts';
import { Standby } from './standby.ts';

/** How long to wait for the Close frame of the peer: on a dead link it never comes. */
const CLOSE_WAIT: Millis = 1_000;
/** The largest fraction that is randomly subtracted from `maxAge`, to spread the reconnections. */
const AGE_JITTER = 0.1;
/** What ends a connection whose time is over. In any other phase it is `connect-timeout`. */
const EXPIRED: { readonly [Phase in ReconnectPhase]?: OwnReason } = {
  readying: 'ready-timeout',
  failing: 'not-ready',
  closing: 'user',
};

/**
 * Decides when to dial, when to give up, and which of two connections to keep.
 *
 * A state machine without sockets, timers, a clock or random numbers of its own: facts go in with the time,
 * {@link takeOrders} returns the orders that follow, and {@link tick} must be called at the {@link deadline}.
 * Facts about a connection that has ended have no effect. `docs/topics/reconnecting.md` has the table of
 * phases and facts. While a connection is in use, there may be a {@link Standby} beside it. If the connection
 * in use ends then, the standby is adopted.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #retry: RetryPolicy;
  readonly #standby: Standby;
  /** Gives an order. Drops every `unanswered` after the first, until the peer answers. */
  readonly #order: GiveOrder = (...order) => {
    const isReport = order[0] === 'unanswered';
    if (!isReport || !this.#isUnanswered) this.#orders.push(order);
    this.#isUnanswered ||= isReport;
  };
  #orders: ReconnectOrder[] = [];
  #phase: ReconnectPhase = 'waiting';
  #current: ConnectionState | undefined;
  #lastId: ConnectionId = 0;
  #lastClose: CloseRecord | undefined;
  #wakeAt: Instant = NEVER; // the end of a wait without a connection
  #isHintable = false; // whether a hint ends the wait
  #isAnnounced = false; // whether `open` was emitted without its `close`
  #wasClosed = false; // whether `lost` emitted `close`
  #isParked = false; // whether no attempt follows until `unpark`
  #isUnanswered = false; // whether `unanswered` was emitted since the peer last answered

  constructor(options: ReconnectorOptions) {
    this.#options = options;
    this.#retry = new RetryPolicy(options);
    this.#standby = new Standby(options, this.#order);
  }

  get phase(): ReconnectPhase {
    return this.#phase;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return READY_STATES[this.#phase];
  }

  /** The number of attempts in a row that failed or were lost soon after. */
  get attempt(): number {
    return this.#retry.attempt;
  }

  /** How the last connection or attempt in use ended. */
  get lastClose(): CloseRecord | undefined {
    return this.#lastClose;
  }

  /** Whether a second connection is dialled or planned. Then call {@link received}. */
  get isUndecided(): boolean {
    return this.#standby.isPlanned;
  }

  /** When to call {@link tick}; `Infinity` for never. */
  get deadline(): Instant {
    const { dialAt, connection } = this.#standby;
    return Math.min(this.#wakeAt, this.#current?.due ?? NEVER, dialAt, connection?.due ?? NEVER);
  }

  /** Returns the orders that have been given since the last call. */
  takeOrders(): readonly ReconnectOrder[] {
    const orders = this.#orders;
    this.#orders = [];
    return orders;
  }

  /** Dials for the first time. */
  start(now: Instant): void {
    this.#dial(now);
  }

  // What happens on a connection.

  /** Something has happened on a connection, other than a message. */
  happened(now: Instant, id: ConnectionId, ...[name, detail]: ConnectionFact): void {
    const connection = this.#find(id);
    if (connection === undefined) return; // it has ended
    const isCurrent = connection === this.#current;
    const standby = this.#standby;
    const { hasAnswered } = this.#options.heartbeat.memory;
    switch (name) {
      case 'open':
        return this.#opened(now, connection);
      case 'pong': // a standby that is answered replaces the connection in use
        connection.isAnswered = true;
        if (!isCurrent) return this.#current?.end(standby.verdict);
        this.#isUnanswered = false;
        return standby.answered();
      case 'suspect':
        connection.isSuspect = true;
        if (!isCurrent) return standby.suspect();
        // If the peer never answers, an overdue answer proves nothing.
        return this.readyState === 1 && hasAnswered ? standby.suspected(now) : undefined;
      case 'alive':
        connection.isSuspect = false;
        return isCurrent ? standby.recovered() : undefined;
      case 'unanswered':
        return isCurrent ? this.#unanswered(now, detail) : standby.giveUp();
      case 'dead':
        return connection.end(detail.reason);
      case 'error': // before `open` that is the end: undici 6 (Node 22) emits no `close` after it
        return connection.isOpen ? undefined : connection.end(detail);
      case 'end':
        return this.#ended(now, connection, detail);
      default: // the routine of a heartbeat
    }
  }

  /** A message was received. `bytes`: its size if it came on the standby, which holds it; else 0. */
  received(id: ConnectionId, bytes = 0): void {
    if (id === this.#current?.id) this.#standby.receivedBeside();
    else if (id === this.#standby.connection?.id) this.#standby.held(bytes);
  }

  /** The `open` or `close` event that an order asked for has been emitted. */
  emitted(now: Instant): void {
    switch (this.#phase) {
      case 'open':
        return this.#prepare(now);
      case 'lost':
        return this.#goOn(now);
      case 'over':
        return this.#finish(this.#lastClose as CloseRecord, this.attempt); // it was set by the loss
      default: // a listener has closed or reconnected
    }
  }

  /** The application has prepared the connection. If it has failed to, waits: many servers send a close code then. */
  prepared(now: Instant, id: ConnectionId, isReady: boolean): void {
    const connection = this.#current;
    if (this.#phase !== 'readying' || connection?.id !== id) return;
    const { maxAge, random } = this.#options;
    this.#phase = isReady ? 'ready' : 'failing';
    connection.due = isReady
      ? connection.openedAt + maxAge * (1 - AGE_JITTER * random())
      : now + CLOSE_WAIT;
    if (!isReady) return;
    connection.readyAt = now;
    this.#order('send', id);
  }

  // What the user, the page and the timer do.

  /** Closes for good. */
  close(now: Instant, code?: number, text?: string): void {
    if (this.readyState >= 2) return;
    this.#phase = 'closing';
    this.#wakeAt = NEVER;
    this.#standby.cancel();
    const connection = this.#current;
    if (connection === undefined) this.#wakeAt = now;
    else {
      connection.due = connection.isOpen ? now + CLOSE_WAIT : now;
      this.#order('close', connection.id, code, text);
    }
  }

  /** Ends the connection, attempt or wait, and dials again at once. Resets the backoff. */
  reconnect(now: Instant): void {
    if (this.readyState >= 2) return;
    this.#retry.reset();
    this.#isParked = false;
    this.#leave('reconnect');
    if (this.#current === undefined) this.#dial(now);
  }

  /** Ends the connection, attempt or wait. The next attempt follows at {@link unpark}. */
  park(): void {
    if (this.readyState >= 2 || this.#isParked) return;
    this.#isParked = true;
    this.#isHintable = false;
    this.#wakeAt = NEVER;
    this.#leave('parked');
  }

  unpark(now: Instant): void {
    const isDue = this.#isParked && this.#phase === 'waiting';
    this.#isParked = false;
    if (isDue) this.#dial(now);
  }

  /** Something may have brought the server back into reach, so a wait ends. */
  hint(now: Instant): void {
    if (this.#phase !== 'waiting' || !this.#isHintable || this.#options.isOffline()) return;
    this.#dial(now);
  }

  /** Does what is due. `unsent`: the bytes that the connection in use has not sent yet. */
  tick(now: Instant, unsent = 0): void {
    if (this.#wakeAt <= now) {
      if (this.#phase === 'closing') this.#finish(NEVER_DIALLED);
      else this.#dial(now);
    } else if (this.#current?.isExpired(now)) this.#expire(now, this.#current, unsent);
    else this.#standby.tick(now, () => this.#newConnection(now));
  }

  // Parts of them.

  #find(id: ConnectionId): ConnectionState | undefined {
    if (this.#current?.id === id) return this.#current;
    return this.#standby.connection?.id === id ? this.#standby.connection : undefined;
  }

  /** Held messages are not released: they go to the next connection. */
  #leave(reason: 'reconnect' | 'parked'): void {
    const connection = this.#current;
    this.#standby.cancel(true);
    connection?.end(reason, connection.isOpen && !connection.isSuspect);
  }

  #newConnection(now: Instant): ConnectionState {
    this.#lastId += 1;
    return new ConnectionState(this.#lastId, now + this.#options.connectTimeout, this.#order);
  }

  #dial(now: Instant): void {
    this.#wakeAt = NEVER;
    this.#phase = 'dialling';
    this.#current = this.#newConnection(now);
    this.#order('dial', this.#current.id, false);
  }

  #opened(now: Instant, connection: ConnectionState): void {
    if (connection.isOpen || this.#phase === 'closing') return;
    connection.openedAt = now;
    connection.due = NEVER;
    if (connection === this.#current) this.#open(connection);
    else this.#order('probe', connection.id); // needed if scheduled pings are off
  }

  #open({ id }: ConnectionState): void {
    this.#phase = 'open';
    this.#isAnnounced = true;
    this.#order('open', id);
  }

  #prepare(now: Instant): void {
    const connection = this.#current as ConnectionState; // there is one in this phase
    const { ready, readyTimeout } = this.#options;
    this.#phase = 'readying';
    if (!ready) return this.prepared(now, connection.id, true);
    connection.due = now + readyTimeout;
    this.#order('prepare', connection.id);
  }

  /** The first pings were not answered. If the link may be dead, a standby finds out. */
  #unanswered(now: Instant, { reason, silentFor }: HeartbeatEvents['unanswered']): void {
    if (reason !== 'silent' || this.readyState > 1) return this.#order('unanswered', reason);
    const { heartbeat, delivery } = this.#options;
    const { pingTimeout, memory } = heartbeat;
    const isOwed = memory.hasAnswered || delivery?.confirm === true;
    const isLong = silentFor >= pingTimeout && memory.speaks;
    this.#standby[isLong && this.readyState === 1 ? 'unanswered' : 'doubt'](now, isOwed);
  }

  #ended(now: Instant, connection: ConnectionState, end: ConnectionEnd): void {
    const age = connection.isOpen ? now - connection.openedAt : undefined;
    const record = recordOf(end, this.#reasonOf(connection, end), connection.own, age);
    if (connection !== this.#current) return this.#standby.ended(now, record);
    const hasWorked = connection.isAnswered || end.hasListened;
    if (hasWorked && now - connection.readyAt >= this.#options.stableFor) this.#retry.reset();
    this.#lastClose = record;
    const adopted = this.#standby.takeOver(record, end.isBound);
    this.#current = adopted;
    if (this.#phase === 'closing') return this.#finish(record);
    this.#phase = adopted || this.#isParked || this.#retry.isWorth(record) ? 'lost' : 'over';
    this.#wasClosed = this.#isAnnounced;
    this.#isAnnounced = false;
    if (adopted) this.#order('adopt', adopted.id);
    this.#order('lost', record, this.#wasClosed);
  }

  /** Goes on after `close`, with the standby or the next attempt. */
  #goOn(now: Instant): void {
    const adopted = this.#current;
    if (adopted?.isOpen) return this.#open(adopted);
    this.#phase = adopted ? 'dialling' : 'waiting';
    if (adopted || this.#isParked) return;
    const cause = this.#lastClose as CloseRecord; // it was set when the connection was lost
    const { delay, isHintable } = this.#retry.next(cause);
    this.#wakeAt = now + delay;
    this.#isHintable = isHintable;
    this.#order('retry', { attempt: this.attempt, delay, cause });
  }

  /** Nothing follows: the user has closed, or so many `attempts` have failed. */
  #finish(record: CloseRecord, attempts?: number): void {
    this.#phase = 'closed';
    this.#wakeAt = NEVER;
    this.#order('closed', record, attempts === undefined || !this.#wasClosed, attempts);
  }

  #expire(now: Instant, connection: ConnectionState, unsent: number): void {
    if (this.#phase !== 'ready') connection.end(EXPIRED[this.#phase] ?? 'connect-timeout');
    else if (unsent === 0 && !connection.isSuspect) connection.end('rotation', true);
    else connection.due = now + PATIENCE;
  }

  #reasonOf(
    connection: ConnectionState,
    { code, isPingRefused }: ConnectionEnd,
  ): CloseRecord['reason'] {
    const phase = connection === this.#current ? this.#phase : undefined;
    if (phase === 'closing') return 'user';
    const reason = reasonOf(code, this.#options.isFatal);
    if (phase === 'failing') return reason === 'fatal' ? reason : 'not-ready';
    // The peer refused the ping, not the application, so the code is not fatal.
    return reason === 'fatal' && isPingRefused ? 'peer-close' : reason;
  }
}
