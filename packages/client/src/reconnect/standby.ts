import type { Instant, Millis, SocketEvent, Timer } from '@wirebeat/core';
import { byteLength } from '../outbox/send-queue.ts';
import type { CloseRecord } from './close-record.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { ResolvedReconnectOptions } from './options.ts';
import { isOffline } from './retry-policy.ts';

/** What a {@link Standby} needs from the socket that has it. */
export interface StandbyPort {
  /** Dials a second connection. May throw, as the WebSocket class does. */
  dial(owner: ConnectionOwner): Connection;
  /** The standby was answered: the connection in use is to be ended. */
  replace(reason: 'replaced' | 'unanswered'): void;
  /** Messages are to wait until it is decided which connection is used, or they are not. */
  hold(isHeld: boolean): void;
  /** Neither connection was answered: this peer answers no pings. */
  unanswered(): void;
}

/** A standby that takes over, and what it has received. */
export interface TakeOver {
  readonly connection: Connection;
  readonly held: readonly SocketEvent[];
}

/** The longest wait before a standby is dialled, so that the clients of one server do not dial in step. */
const SPREAD: Millis = 200;
/** Between two standbys, so that a server that stalls is not stormed. */
const PAUSE: Millis = 60_000;
/** How often a standby may fail to open before a silent peer counts as one that answers no pings. */
const MAX_FAILURES = 5;

/** Close codes of a server that restarts or is overloaded, by IANA's registry. */
const RESTARTS: readonly number[] = [1001, 1012, 1013];

/** Why a standby is dialled: an answer is overdue, or the peer has never answered on this connection. */
type Cause = 'suspect' | 'unanswered';

/**
 * Make-before-break: a second connection is dialled while the one in use is suspect and may still
 * recover. The one that is heard first is kept.
 *
 * Once the standby has sent its first ping, with the session, the server ends the older connection
 * before it answers. From there the one in use can no longer win.
 *
 * A standby also finds out whether a peer that leaves its first pings unanswered is dead or answers no
 * pings at all.
 */
export class Standby {
  readonly #options: ResolvedReconnectOptions;
  readonly #port: StandbyPort;
  #cause: Cause | undefined; // while there is a standby, or a timer for one
  #timer: Timer | undefined;
  #connection: Connection | undefined;
  #held: SocketEvent[] = [];
  #heldBytes = 0;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;
  #wasFalse = false; // the connection in use was suspect and spoke again: it is let die by itself
  #failures = 0; // standbys in a row that were not even opened
  #isRefused = false; // the server takes no second connection

  constructor(options: ResolvedReconnectOptions, port: StandbyPort) {
    this.#options = options;
    this.#port = port;
  }

  /** The connection in use is suspect, and has answered or belongs to a peer that has. */
  suspected(): void {
    const { scheduler, backoff, makeBeforeBreak } = this.#options;
    const now = scheduler.now();
    if (this.#cause !== undefined || this.#wasFalse || now < this.#notBefore) return;
    if (this.#isRefused || !makeBeforeBreak) return;
    this.#notBefore = now + PAUSE;
    this.#failures = 0;
    this.#port.hold(true);
    this.#plan('suspect', backoff.random() * SPREAD);
  }

  /** The connection in use had no answer to its first pings. */
  unanswered(): void {
    if (this.#isRefused) return this.#port.unanswered();
    this.cancel();
    this.#failures = 0;
    this.#plan('unanswered', 0);
  }

  /** The connection in use was suspect, and has spoken. */
  recovered(): void {
    if (this.#failures > 0 && !isOffline()) this.#isRefused = true; // the server was there
    if (this.#cause !== 'suspect') return;
    this.#wasFalse = true;
    // One that is open may have taken the session over: its answer is due.
    if (!this.#connection?.isOpen) this.cancel();
  }

  /** The connection in use has received a message: if its pings are unanswered, it is not dead. */
  heard(): void {
    if (this.#cause === 'unanswered') this.#giveUp();
  }

  /**
   * The connection in use has ended with `record`, so the standby, if there is one, takes over as it
   * is: being dialled, or open with what it has received. `isBound`: the server knew its session.
   */
  takeOver(owner: ConnectionOwner, record: CloseRecord, isBound: boolean): TakeOver | undefined {
    const connection = this.#connection;
    const held = this.#held;
    this.#timer?.cancel();
    this.#forget();
    this.#wasFalse = false;
    this.#failures = 0;
    if (connection === undefined) return undefined;
    if (connection.isOpen && !isBound && isKick(record)) this.#isRefused = true;
    connection.owner = owner;
    return { connection, held };
  }

  /** Ends the standby, if there is one. */
  cancel(): void {
    const connection = this.#connection;
    this.#timer?.cancel();
    this.#forget();
    connection?.discard();
  }

  #plan(cause: Cause, wait: Millis): void {
    const { scheduler } = this.#options;
    this.#cause = cause;
    this.#timer = scheduler.at(scheduler.now() + wait, () => this.#dial(cause));
  }

  #dial(cause: Cause): void {
    this.#timer = undefined;
    const owner: ConnectionOwner = {
      opened: () => this.#connection?.heartbeat?.probe(), // also where none pings by itself
      failed: () => {},
      received: (event) => this.#hold(event),
      ended: (record) => this.#ended(cause, record),
      beat: (name) => {
        if (name === 'pong') this.#port.replace(cause === 'suspect' ? 'replaced' : cause);
        else if (name === 'unanswered') this.#giveUp();
        // The connection in use has recovered, and this one is not better.
        else if (name === 'suspect' && this.#wasFalse) this.cancel();
      },
    };
    try {
      this.#connection = this.#port.dial(owner);
    } catch {
      // The one in use may recover; if it does not, the next attempt says the same.
      this.#giveUp();
    }
  }

  #ended(cause: Cause, record: CloseRecord): void {
    const isTimeout = record.reason === 'connect-timeout';
    this.#forget();
    if (isKick(record)) this.#isRefused = true;
    else if (!record.wasOpen && !isTimeout && !isOffline()) this.#failures += 1;
    if (cause === 'suspect') return;
    // One that was not open tells nothing about the first.
    if (record.wasOpen || this.#failures === MAX_FAILURES) this.#port.unanswered();
    else this.#plan(cause, isTimeout ? 0 : PAUSE);
  }

  #giveUp(): void {
    const isUnanswered = this.#cause === 'unanswered';
    this.cancel();
    if (isUnanswered) this.#port.unanswered();
  }

  #hold(event: SocketEvent): void {
    this.#held.push(event);
    this.#heldBytes += byteLength(event.data);
    const { maxQueuedBytes, maxQueuedMessages } = this.#options; // empty ones take memory too
    const isFull = this.#heldBytes > maxQueuedBytes || this.#held.length > maxQueuedMessages;
    if (isFull) this.#giveUp();
  }

  #forget(): void {
    if (this.#cause === 'suspect') this.#port.hold(false);
    this.#timer = this.#connection = this.#cause = undefined;
    this.#held = [];
    this.#heldBytes = 0;
  }
}

/** Whether a server closed one of two connections because there were two, and not because it restarts. */
function isKick({ reason, code }: CloseRecord): boolean {
  return (reason === 'peer-close' || reason === 'fatal') && !RESTARTS.includes(code);
}
