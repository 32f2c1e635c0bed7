import type { Instant, Millis } from '@wirebeat/core';
import type { CloseRecord } from '../close-record.ts';
import { type ConnectionState, NEVER } from './connection-state.ts';
import type { GiveOrder } from './orders.ts';

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
/** The longest time that is added to it between two standbys that find out whether a link is dead. */
const MAX_EXTRA: Millis = 15 * PAUSE;
/** How many standbys may fail to open before the peer counts as one that answers no pings. */
const MAX_FAILURES = 5;
/** The close codes of a server that restarts or is overloaded, from the registry of IANA. */
const RESTARTS: readonly number[] = [1001, 1012, 1013];

/**
 * Make-before-break: the part of a {@link Reconnector} that decides about a second connection,
 * which is dialled while the one in use is suspect and may still recover. The connection that
 * receives an answer first is kept.
 *
 * When the server receives the first ping of the standby, with the session, it ends the older
 * connection before it answers. From then on, only the standby can be kept.
 *
 * A standby also finds out why the first pings of a connection are unanswered: the link is dead, or
 * the peer answers no pings at all. If a peer that owes answers gives none there either, the link
 * may have been dead on both, or die later, so another standby finds out after each pause.
 */
export class Standby {
  connection: ConnectionState | undefined;
  /** When to dial one; `Infinity` for never. */
  dialAt: Instant = NEVER;
  readonly #options: StandbyOptions;
  readonly #order: GiveOrder;
  #cause: StandbyCause | undefined; // while there is a standby, or a plan to dial one
  #heldBytes = 0;
  #heldMessages = 0;
  #notBefore: Instant = -NEVER;
  #wasFalse = false; // the connection in use has recovered from `suspect`: no more standbys for it
  #failures = 0; // the number of standbys in a row that failed to open
  #isRefused = false; // the server accepts no second connection
  #isOwed = false; // whether the connection in use gets no pings, although the peer owes answers
  #extra: Millis = 0; // added to the next pause
  #wasAlive = false; // whether something was received during the pause

  constructor(options: StandbyOptions, order: GiveOrder) {
    this.#options = options;
    this.#order = order;
  }

  /** Whether there is a standby, or a plan to dial one. */
  get isPlanned(): boolean {
    return this.#cause !== undefined;
  }

  /** Why the connection in use is replaced if the standby is answered. */
  get verdict(): 'replaced' | 'unanswered' {
    return this.#cause === 'suspect' ? 'replaced' : 'unanswered';
  }

  /** Plans a standby, because the connection in use is suspect and its peer has answered before. */
  suspected(now: Instant): void {
    const { makeBeforeBreak, random } = this.#options;
    const isAllowed = makeBeforeBreak && !this.#isRefused && !this.#wasFalse;
    if (!isAllowed || this.isPlanned || now < this.#notBefore) return;
    this.#failures = 0;
    this.#plan('suspect', now + LEAST_WAIT + random() * SPREAD);
    this.#order('hold', true);
  }

  /** Plans a standby, because the first pings of the connection in use were not answered. */
  unanswered(now: Instant, isOwed: boolean): void {
    if (this.#isRefused) return this.#order('unanswered', 'silent');
    this.cancel();
    this.#owe(now, isOwed);
    this.#plan('unanswered', now);
  }

  /** The connection in use gets no pings. If the peer owes answers, plans a standby for later. */
  doubt(now: Instant, isOwed: boolean): void {
    this.#owe(now, isOwed);
    this.#order('unanswered', 'silent');
  }

  /** A ping on the connection in use was answered. */
  answered(): void {
    this.#isOwed = false;
    // An open standby may have taken over the session already, so its answer will come.
    if (this.#cause === 'unanswered' && !this.connection?.isOpen) this.cancel();
  }

  /** Handles the recovery of the connection in use from `suspect`. */
  recovered(): void {
    // If standbys were refused, the server was reachable.
    if (this.#failures > 0 && !this.#options.isOffline()) this.#isRefused = true;
    if (this.#cause !== 'suspect') return;
    // A standby that is only planned has left no trace on the server.
    this.#wasFalse ||= this.connection !== undefined;
    // An open standby may have taken over the session already, so its answer will come.
    if (!this.connection?.isOpen) this.#drop();
  }

  /** A message on the connection in use: its pings are unanswered, but its link is alive. */
  receivedBeside(): void {
    if (this.#cause !== 'unanswered' || this.#wasAlive) return;
    this.giveUp();
    this.#wasAlive = this.isPlanned;
  }

  /** A message on the standby, which is held. */
  held(bytes: number): void {
    this.#heldBytes += bytes;
    this.#heldMessages += 1; // empty messages take memory too
    const { maxQueuedBytes, maxQueuedMessages } = this.#options;
    if (this.#heldBytes > maxQueuedBytes || this.#heldMessages > maxQueuedMessages) this.giveUp();
  }

  /** The standby is suspect. If the connection in use has recovered, the standby is no better. */
  suspect(): void {
    if (this.#wasFalse) this.#drop();
  }

  /** Does what is due. */
  tick(now: Instant, newConnection: () => ConnectionState): void {
    if (now < this.dialAt) {
      if (this.connection?.isExpired(now)) this.connection.end('connect-timeout');
    } else if (this.#wasAlive) {
      this.#wasAlive = false;
      this.dialAt = now + PAUSE;
    } else this.#dial(now, newConnection());
  }

  #dial(now: Instant, connection: ConnectionState): void {
    this.connection = connection;
    this.dialAt = NEVER;
    this.#notBefore = now + PAUSE;
    this.#extra = Math.min(2 * this.#extra + PAUSE, MAX_EXTRA);
    this.#order('dial', connection.id, true);
  }

  /**
   * Returns the standby, if there is one, to take over after the connection in use has ended with
   * `record`. The standby may still be connecting. `isBound`: the server knew the session of the
   * connection that has ended.
   */
  takeOver(record: CloseRecord, isBound = false): ConnectionState | undefined {
    const { connection } = this;
    this.#forget();
    this.#wasFalse = this.#isOwed = false;
    this.#failures = 0;
    if (connection?.isOpen && !isBound && isKick(record)) this.#isRefused = true;
    return connection;
  }

  /** The standby has ended. One that never opened says nothing about the connection in use. */
  ended(now: Instant, record: CloseRecord): void {
    const isUnanswered = this.#cause === 'unanswered';
    const isTimeout = record.reason === 'connect-timeout';
    if (this.#forget()) this.#order('hold', false);
    if (isKick(record)) this.#isRefused = true;
    else if (!record.wasOpen && !isTimeout && !this.#options.isOffline()) this.#failures += 1;
    if (!isUnanswered) return this.#planCheck();
    if (!record.wasOpen && this.#failures < MAX_FAILURES) {
      return this.#plan('unanswered', now + (isTimeout ? 0 : PAUSE));
    }
    this.#planCheck();
    this.#order('unanswered', 'silent');
  }

  /** Ends the standby, if there is one. With `isHeld`, messages go on waiting in the queue. */
  cancel(isHeld = false): void {
    const { connection } = this;
    if (this.#forget() && !isHeld) this.#order('hold', false);
    connection?.end('user', true);
  }

  /** Ends the standby. If it was to find out whether the peer answers, the peer does not. */
  giveUp(): void {
    const isUnanswered = this.#cause === 'unanswered';
    this.#drop();
    if (isUnanswered) this.#order('unanswered', 'silent');
  }

  /** Ends the standby. If the connection in use is still in doubt, there will be another. */
  #drop(): void {
    this.cancel();
    this.#planCheck();
  }

  #owe(now: Instant, isOwed: boolean): void {
    this.#isOwed = isOwed;
    this.#extra = 0;
    this.#notBefore = now + PAUSE;
    this.#planCheck();
  }

  #planCheck(): void {
    if (!this.#isOwed || this.#isRefused || this.isPlanned) return;
    this.#failures = 0;
    this.#plan('unanswered', this.#notBefore + this.#extra);
  }

  #plan(cause: StandbyCause, dialAt: Instant): void {
    this.#cause = cause;
    this.dialAt = dialAt;
  }

  /** Returns whether messages are held for the decision. */
  #forget(): boolean {
    const isHolding = this.#cause === 'suspect';
    this.connection = this.#cause = undefined;
    this.dialAt = NEVER;
    this.#wasAlive = false;
    this.#heldBytes = this.#heldMessages = 0;
    return isHolding;
  }
}

/** Whether a server closed one of two connections because it accepts only one per client. */
function isKick({ reason, code }: CloseRecord): boolean {
  return (reason === 'peer-close' || reason === 'fatal') && !RESTARTS.includes(code);
}
