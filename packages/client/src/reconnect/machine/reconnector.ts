import type { Instant, Millis, TimeoutReason } from '@wirebeat/core';
import { type CloseRecord, NEVER_DIALLED, reasonOf } from '../close-record.ts';
import type { ReconnectorOptions } from './options.ts';
import type { ConnectionEnd, ConnectionId, ReconnectOrder, UnansweredPings } from './orders.ts';
import { READY_STATES, type ReconnectPhase } from './phase.ts';
import { RetryPolicy } from './retry-policy.ts';
import { endOrders, NEVER, PATIENCE, Slot } from './slot.ts';
import { Standby } from './standby.ts';

type Orders = readonly ReconnectOrder[];

const NONE: Orders = [];
/** How long to wait for the Close frame of the peer: on a dead link it never comes. */
const CLOSE_WAIT: Millis = 1_000;
/** The largest fraction that is randomly subtracted from `maxAge`, to spread the reconnections. */
const AGE_JITTER = 0.1;

/**
 * Decides when to dial, when to give up, and which of two connections to keep.
 *
 * A state machine without sockets, timers, a clock or random numbers of its own: facts go in with
 * the time, orders come out, and {@link tick} must be called at the {@link deadline}. Facts about a
 * connection that has ended have no effect. `docs/topics/reconnecting.md` has the table of phases
 * and facts.
 *
 * While a connection is in use, there may be a {@link Standby} beside it. If the connection in use
 * ends then, the standby is adopted.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  readonly #retry: RetryPolicy;
  readonly #standby: Standby;
  #phase: ReconnectPhase = 'waiting';
  #current: Slot | undefined;
  #lastId: ConnectionId = 0;
  #lastClose: CloseRecord | undefined;
  #wakeAt: Instant = NEVER; // the end of a wait without a connection
  #isHintable = false; // whether a hint ends the wait
  #isAnnounced = false; // whether `open` was emitted without its `close`
  #wasClosed = false; // whether `lost` emitted `close`
  #isUnanswered = false; // whether `unanswered` was emitted

  constructor(options: ReconnectorOptions) {
    this.#options = options;
    this.#retry = new RetryPolicy(options);
    this.#standby = new Standby(options);
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

  /** When to call {@link tick}; `Infinity` for never. */
  get deadline(): Instant {
    const { dialAt, slot } = this.#standby;
    return Math.min(this.#wakeAt, this.#current?.due ?? NEVER, dialAt, slot?.due ?? NEVER);
  }

  /** Dials for the first time. */
  start(now: Instant): Orders {
    return this.#dial(now);
  }

  // What happens on a connection.

  opened(now: Instant, id: ConnectionId): Orders {
    const slot = this.#find(id);
    if (slot === undefined || slot.isOpen || this.#phase === 'closing') return [];
    slot.openedAt = now;
    slot.due = NEVER;
    // The ping is needed if scheduled pings are off.
    return slot === this.#current ? this.#open(id) : [{ type: 'probe', id }];
  }

  /** The `open` or `close` event that an order asked for has been emitted. */
  emitted(now: Instant): Orders {
    switch (this.#phase) {
      case 'open':
        return this.#prepare(now);
      case 'lost':
        return this.#goOn(now);
      case 'over':
        return this.#giveUp();
      default: // a listener has closed or reconnected
        return [];
    }
  }

  /** The application has prepared the connection. */
  ready(now: Instant, id: ConnectionId): Orders {
    const slot = this.#current;
    if (this.#phase !== 'readying' || slot?.id !== id) return [];
    const { maxAge, random } = this.#options;
    this.#phase = 'ready';
    slot.readyAt = now;
    slot.due = (slot.openedAt ?? now) + maxAge * (1 - AGE_JITTER * random());
    return [{ type: 'send', id }];
  }

  /** It has failed to. After a refused login, many servers send a close code, so this waits. */
  notReady(now: Instant, id: ConnectionId): Orders {
    if (this.#phase !== 'readying' || this.#current?.id !== id) return [];
    this.#phase = 'failing';
    this.#current.due = now + CLOSE_WAIT;
    return [];
  }

  /** A ping was answered. A standby that is answered replaces the connection in use. */
  answered(id: ConnectionId): Orders {
    const slot = this.#find(id);
    if (slot === undefined) return [];
    slot.isAnswered = true;
    if (slot !== this.#current) return endOrders(this.#current, this.#standby.verdict);
    this.#isUnanswered = false;
    return [];
  }

  /** An answer is overdue. If the peer never answers (`hasAnswered`), this proves nothing. */
  suspect(now: Instant, id: ConnectionId, hasAnswered: boolean): Orders {
    const slot = this.#find(id);
    if (slot === undefined) return [];
    slot.isSuspect = true;
    if (slot !== this.#current) return this.#standby.suspect();
    return this.readyState === 1 && hasAnswered ? this.#standby.suspected(now) : [];
  }

  /** Something was received after `suspect`. */
  recovered(id: ConnectionId): Orders {
    const slot = this.#find(id);
    if (slot === undefined) return [];
    slot.isSuspect = false;
    return slot === this.#current ? this.#standby.recovered() : [];
  }

  /** The first pings were not answered. If the link may be dead, a standby finds out. */
  unanswered(now: Instant, id: ConnectionId, pings: UnansweredPings): Orders {
    const slot = this.#find(id);
    if (slot === undefined) return [];
    if (slot !== this.#current) return this.#once(this.#standby.giveUp());
    const { reason, silentFor, mayAnswer } = pings;
    const isSilent = reason === 'silent' && silentFor >= this.#options.pingTimeout;
    const mayBeDead = isSilent && mayAnswer && this.readyState === 1;
    return this.#once(mayBeDead ? this.#standby.unanswered(now) : [{ type: 'unanswered', reason }]);
  }

  /** A message was received: of so many bytes, if it was on the standby, where it is held. */
  received(id: ConnectionId, bytes = 0): Orders {
    if (!this.#standby.isPlanned) return NONE; // called for every message
    if (id === this.#current?.id) return this.#once(this.#standby.heard());
    return id === this.#standby.slot?.id ? this.#once(this.#standby.held(bytes)) : [];
  }

  /** The heartbeat has found the link dead. */
  dead(id: ConnectionId, reason: TimeoutReason): Orders {
    return endOrders(this.#find(id), reason);
  }

  /**
   * There is no address, or the socket has reported an error. Before `open` that is the end: undici
   * 6 (Node 22) emits no `close` after it.
   */
  failed(id: ConnectionId): Orders {
    const slot = this.#find(id);
    return slot?.isOpen ? [] : endOrders(slot, 'abnormal');
  }

  /** The socket has closed, or was detached or terminated as ordered. */
  ended(now: Instant, id: ConnectionId, end: ConnectionEnd): Orders {
    const slot = this.#find(id);
    if (slot === undefined) return [];
    const record = this.#recordOf(now, slot, end);
    if (slot === this.#current) return this.#lost(now, slot, record, end);
    return this.#once(this.#standby.ended(now, record));
  }

  // What the user, the page and the timer do.

  /** Closes for good. */
  close(now: Instant, code?: number, text?: string): Orders {
    if (this.readyState >= 2) return [];
    this.#phase = 'closing';
    this.#wakeAt = NEVER;
    const orders = this.#standby.cancel();
    const slot = this.#current;
    if (slot === undefined) this.#wakeAt = now;
    else {
      slot.due = slot.isOpen ? now + CLOSE_WAIT : now;
      orders.push({ type: 'close', id: slot.id, code, text });
    }
    return orders;
  }

  /** Ends the connection, attempt or wait, and dials again at once. Resets the backoff. */
  reconnect(now: Instant): Orders {
    if (this.readyState >= 2) return [];
    this.#retry.reset();
    // Messages are not released: they go to the next connection.
    const orders = this.#standby.cancel().filter(({ type }) => type !== 'release');
    const slot = this.#current;
    if (slot === undefined) return [...orders, ...this.#dial(now)];
    const isHealthy = slot.isOpen && !slot.isSuspect;
    return [...orders, ...endOrders(slot, 'reconnect', isHealthy)];
  }

  /** Something may have brought the server back into reach, so a wait ends. */
  hint(now: Instant): Orders {
    const isDue = this.#phase === 'waiting' && this.#isHintable && !this.#options.isOffline();
    return isDue ? this.#dial(now) : [];
  }

  /** Does what is due. `unsent`: the bytes that the connection in use has not sent yet. */
  tick(now: Instant, unsent = 0): Orders {
    if (this.#wakeAt <= now) {
      return this.#phase === 'closing' ? this.#finish(NEVER_DIALLED) : this.#dial(now);
    }
    if (this.#current?.isExpired(now)) return this.#expire(now, this.#current, unsent);
    const { dialAt, slot } = this.#standby;
    if (dialAt <= now) return this.#standby.dial(now, this.#newSlot(now));
    return slot?.isExpired(now) ? endOrders(slot, 'connect-timeout') : [];
  }

  // Parts of them.

  #find(id: ConnectionId): Slot | undefined {
    if (this.#current?.id === id) return this.#current;
    return this.#standby.slot?.id === id ? this.#standby.slot : undefined;
  }

  #newSlot(now: Instant): Slot {
    this.#lastId += 1;
    return new Slot(this.#lastId, now + this.#options.connectTimeout);
  }

  #dial(now: Instant): Orders {
    this.#wakeAt = NEVER;
    this.#phase = 'dialling';
    this.#current = this.#newSlot(now);
    return [{ type: 'dial', id: this.#current.id, isStandby: false }];
  }

  #open(id: ConnectionId): Orders {
    this.#phase = 'open';
    this.#isAnnounced = true;
    return [{ type: 'open', id }];
  }

  #prepare(now: Instant): Orders {
    const slot = this.#current as Slot; // there is one in this phase
    const { hasReady, readyTimeout } = this.#options;
    this.#phase = 'readying';
    if (!hasReady) return this.ready(now, slot.id);
    slot.due = now + readyTimeout;
    return [{ type: 'prepare', id: slot.id }];
  }

  #lost(now: Instant, slot: Slot, record: CloseRecord, end: ConnectionEnd): Orders {
    const hasWorked = slot.isAnswered || end.hasListened;
    const readyFor = now - (slot.readyAt ?? NEVER);
    if (hasWorked && readyFor >= this.#options.stableFor) this.#retry.reset();
    this.#lastClose = record;
    this.#current = this.#standby.takeOver(record, end.isBound === true);
    if (this.#phase === 'closing') return this.#finish(record);
    const adopted = this.#current;
    const goesOn = adopted !== undefined || this.#retry.isWorth(record);
    this.#phase = goesOn ? 'lost' : 'over';
    this.#wasClosed = this.#isAnnounced;
    this.#isAnnounced = false;
    const lost: ReconnectOrder = { type: 'lost', record, isToClose: this.#wasClosed };
    return adopted === undefined ? [lost] : [{ type: 'adopt', id: adopted.id }, lost];
  }

  /** Goes on after `close`, with the standby or the next attempt. */
  #goOn(now: Instant): Orders {
    const adopted = this.#current;
    if (adopted?.isOpen) return this.#open(adopted.id);
    this.#phase = adopted === undefined ? 'waiting' : 'dialling';
    if (adopted !== undefined) return [];
    const cause = this.#lastClose as CloseRecord; // it was set when the connection was lost
    const { delay, isHintable } = this.#retry.next(cause);
    this.#wakeAt = now + delay;
    this.#isHintable = isHintable;
    return [{ type: 'retry', attempt: this.attempt, delay, cause }];
  }

  #giveUp(): Orders {
    this.#phase = 'closed';
    const cause = this.#lastClose as CloseRecord; // as above
    return [{ type: 'giveup', attempts: this.attempt, cause, isToClose: !this.#wasClosed }];
  }

  #finish(record: CloseRecord): Orders {
    this.#phase = 'closed';
    this.#wakeAt = NEVER;
    return [{ type: 'closed', record }];
  }

  #expire(now: Instant, slot: Slot, unsent: number): Orders {
    switch (this.#phase) {
      case 'readying':
        return endOrders(slot, 'ready-timeout');
      case 'failing':
        return endOrders(slot, 'not-ready');
      case 'closing':
        return endOrders(slot, 'user');
      case 'ready':
        if (unsent === 0 && !slot.isSuspect) return endOrders(slot, 'rotation', true);
        slot.due = now + PATIENCE;
        return [];
      default:
        return endOrders(slot, 'connect-timeout');
    }
  }

  #recordOf(now: Instant, slot: Slot, end: ConnectionEnd): CloseRecord {
    const { code, text, wasClean, evidence } = end;
    const own = slot.end ?? { reason: this.#reasonOf(slot, end), code, text, wasClean };
    const { openedAt } = slot;
    const wasOpen = openedAt !== undefined;
    return { ...own, wasOpen, ...evidence, ...(wasOpen && { age: now - openedAt }) };
  }

  #reasonOf(slot: Slot, { code, isPingRefused }: ConnectionEnd): CloseRecord['reason'] {
    const phase = slot === this.#current ? this.#phase : undefined;
    if (phase === 'closing') return 'user';
    const reason = reasonOf(code, this.#options.isFatal);
    if (phase === 'failing') return reason === 'fatal' ? reason : 'not-ready';
    // The peer refused the ping, not the application, so the code is not fatal.
    return reason === 'fatal' && isPingRefused ? 'peer-close' : reason;
  }

  /** Reports once that pings are unanswered, and again only after the peer has answered. */
  #once(orders: Orders): Orders {
    const isKnown = this.#isUnanswered;
    this.#isUnanswered ||= orders.some(({ type }) => type === 'unanswered');
    return isKnown ? orders.filter(({ type }) => type !== 'unanswered') : orders;
  }
}
