import type { Instant, Millis } from '@wirebeat/core';
import type { CloseRecord } from '../close-record.ts';
import type { ReconnectOrder } from './orders.ts';
import { endOrders, NEVER, type Slot } from './slot.ts';

/** The options of a {@link Standby}. No function may throw. */
export interface StandbyOptions {
  readonly makeBeforeBreak: boolean;
  /** The limits of what is received on a standby. */
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly random: () => number;
  /** Whether the runtime reports that it is offline. The server may be reachable all the same. */
  readonly isOffline: () => boolean;
}

/** Why a standby is dialled: an answer is overdue, or the peer has never answered on this connection. */
export type StandbyCause = 'suspect' | 'unanswered';

/** The least time before a standby is dialled: received data may be queued behind the timer. */
const LEAST_WAIT: Millis = 50;
/** The random rest of that time, so that clients of one server dial at different times. */
const SPREAD: Millis = 150;
/** The minimum time between two standbys, so that a stalled server is not overloaded. */
const PAUSE: Millis = 60_000;
/** How many standbys may fail to open before the peer counts as one that answers no pings. */
const MAX_FAILURES = 5;
/** The close codes of a server that restarts or is overloaded, from the registry of IANA. */
const RESTARTS: readonly number[] = [1001, 1012, 1013];
/** Reports that the peer answers no pings on either connection. */
const UNANSWERED: ReconnectOrder = { type: 'unanswered', reason: 'silent' };

/**
 * Make-before-break: the part of a {@link Reconnector} that decides about a second connection,
 * which is dialled while the one in use is suspect and may still recover. The connection that
 * receives an answer first is kept.
 *
 * When the server receives the first ping of the standby, with the session, it ends the older
 * connection before it answers. From then on, only the standby can be kept.
 *
 * A standby also finds out why the first pings of a connection are unanswered: the link is dead, or
 * the peer answers no pings at all.
 */
export class Standby {
  slot: Slot | undefined;
  readonly #options: StandbyOptions;
  #cause: StandbyCause | undefined; // while there is a standby, or a plan to dial one
  #dialAt: Instant = NEVER;
  #heldBytes = 0;
  #heldMessages = 0;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;
  #wasFalse = false; // the connection in use has recovered from `suspect`: no more standbys for it
  #failures = 0; // the number of standbys in a row that failed to open
  #isRefused = false; // the server accepts no second connection

  constructor(options: StandbyOptions) {
    this.#options = options;
  }

  /** Whether there is a standby, or a plan to dial one. */
  get isPlanned(): boolean {
    return this.#cause !== undefined;
  }

  get dialAt(): Instant {
    return this.#dialAt;
  }

  /** Why the connection in use is replaced if the standby is answered. */
  get verdict(): 'replaced' | 'unanswered' {
    return this.#cause === 'suspect' ? 'replaced' : 'unanswered';
  }

  /** Plans a standby, because the connection in use is suspect and its peer has answered before. */
  suspected(now: Instant): ReconnectOrder[] {
    const { makeBeforeBreak, random } = this.#options;
    const isAllowed = makeBeforeBreak && !this.#isRefused && !this.#wasFalse;
    if (!isAllowed || this.#cause !== undefined || now < this.#notBefore) return [];
    this.#failures = 0;
    this.#plan('suspect', now + LEAST_WAIT + random() * SPREAD);
    return [{ type: 'hold' }];
  }

  /** Plans a standby, because the first pings of the connection in use were not answered. */
  unanswered(now: Instant): ReconnectOrder[] {
    if (this.#isRefused) return [UNANSWERED];
    const orders = this.cancel();
    this.#failures = 0;
    this.#plan('unanswered', now);
    return orders;
  }

  /** Handles the recovery of the connection in use from `suspect`. */
  recovered(): ReconnectOrder[] {
    // If standbys were refused, the server was reachable.
    if (this.#failures > 0 && !this.#options.isOffline()) this.#isRefused = true;
    if (this.#cause !== 'suspect') return [];
    if (this.slot === undefined) return this.cancel(); // the server saw nothing of it
    this.#wasFalse = true;
    // An open standby may have taken over the session already, so its answer will come.
    return this.slot.isOpen ? [] : this.cancel();
  }

  /** A message on the connection in use: its pings are unanswered, but its link is alive. */
  heard(): ReconnectOrder[] {
    return this.#cause === 'unanswered' ? this.giveUp() : [];
  }

  /** A message on the standby, which is held. */
  held(bytes: number): ReconnectOrder[] {
    this.#heldBytes += bytes;
    this.#heldMessages += 1; // empty messages take memory too
    const { maxQueuedBytes, maxQueuedMessages } = this.#options;
    const isFull = this.#heldBytes > maxQueuedBytes || this.#heldMessages > maxQueuedMessages;
    return isFull ? this.giveUp() : [];
  }

  /** The standby is suspect. If the connection in use has recovered, the standby is no better. */
  suspect(): ReconnectOrder[] {
    return this.#wasFalse ? this.cancel() : [];
  }

  dial(now: Instant, slot: Slot): ReconnectOrder[] {
    this.slot = slot;
    this.#dialAt = NEVER;
    this.#notBefore = now + PAUSE;
    return [{ type: 'dial', id: slot.id, isStandby: true }];
  }

  /**
   * Returns the standby, if there is one, to take over after the connection in use has ended with
   * `record`. The standby may still be connecting. `isBound`: the server knew the session of the
   * connection that has ended.
   */
  takeOver(record: CloseRecord, isBound: boolean): Slot | undefined {
    const { slot } = this;
    this.#forget();
    this.#wasFalse = false;
    this.#failures = 0;
    if (slot?.isOpen && !isBound && isKick(record)) this.#isRefused = true;
    return slot;
  }

  /** The standby has ended. One that never opened says nothing about the connection in use. */
  ended(now: Instant, record: CloseRecord): ReconnectOrder[] {
    const cause = this.#cause;
    const isTimeout = record.reason === 'connect-timeout';
    const orders = this.#forget();
    if (isKick(record)) this.#isRefused = true;
    else if (!record.wasOpen && !isTimeout && !this.#options.isOffline()) this.#failures += 1;
    if (cause !== 'unanswered') return orders;
    if (record.wasOpen || this.#failures === MAX_FAILURES) return [UNANSWERED];
    this.#plan(cause, now + (isTimeout ? 0 : PAUSE));
    return orders;
  }

  /** Ends the standby, if there is one. */
  cancel(): ReconnectOrder[] {
    const { slot } = this;
    return [...this.#forget(), ...endOrders(slot, 'user', true)];
  }

  /** Ends the standby. If it was to find out whether the peer answers, the peer does not. */
  giveUp(): ReconnectOrder[] {
    const isUnanswered = this.#cause === 'unanswered';
    return [...this.cancel(), ...(isUnanswered ? [UNANSWERED] : [])];
  }

  #plan(cause: StandbyCause, dialAt: Instant): void {
    this.#cause = cause;
    this.#dialAt = dialAt;
  }

  #forget(): ReconnectOrder[] {
    const isHolding = this.#cause === 'suspect';
    this.slot = this.#cause = undefined;
    this.#dialAt = NEVER;
    this.#heldBytes = this.#heldMessages = 0;
    return isHolding ? [{ type: 'release' }] : [];
  }
}

/** Whether a server closed one of two connections because it accepts only one per client. */
function isKick({ reason, code }: CloseRecord): boolean {
  return (reason === 'peer-close' || reason === 'fatal') && !RESTARTS.includes(code);
}
