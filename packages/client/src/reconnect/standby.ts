import type { Instant, Millis, SocketEvent, Timer } from '@wirebeat/core';
import { byteLength } from '../outbox/send-queue.ts';
import type { CloseRecord } from './close-record.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { ResolvedReconnectOptions } from './options.ts';
import { isOffline } from './retry-policy.ts';

/** What a {@link Standby} needs from its owner. */
export interface StandbyPort {
  /** Dials a second connection. May throw, as the WebSocket class does. */
  dial(owner: ConnectionOwner): Connection;
  /** Ends the connection in use, because the standby was answered. */
  replace(reason: 'replaced' | 'unanswered'): void;
  /** Holds messages until it is decided which connection to use, or releases them. */
  hold(isHeld: boolean): void;
  /** Reports that the peer answers no pings on either connection. */
  unanswered(): void;
}

/** A standby that takes over, and the messages that it has received. */
export interface TakeOver {
  readonly connection: Connection;
  readonly held: readonly SocketEvent[];
}

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

/** Why a standby is dialled: an answer is overdue, or the peer has never answered on this connection. */
type Cause = 'suspect' | 'unanswered';

/**
 * Make-before-break: dials a second connection while the one in use is suspect and may still
 * recover. The connection that receives an answer first is kept.
 *
 * When the server receives the first ping of the standby, with the session, it ends the older
 * connection before it answers. From then on, only the standby can be kept.
 *
 * A standby also finds out why the first pings of a connection are unanswered: the link is dead, or
 * the peer answers no pings at all.
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
  #wasFalse = false; // the connection in use has recovered from `suspect`: no more standbys for it
  #failures = 0; // the number of standbys in a row that failed to open
  #isRefused = false; // the server accepts no second connection

  constructor(options: ResolvedReconnectOptions, port: StandbyPort) {
    this.#options = options;
    this.#port = port;
  }

  /** Plans a standby, because the connection in use is suspect and its peer has answered before. */
  suspected(): void {
    const { scheduler, backoff, makeBeforeBreak } = this.#options;
    const now = scheduler.now();
    if (this.#cause !== undefined || this.#wasFalse || now < this.#notBefore) return;
    if (this.#isRefused || !makeBeforeBreak) return;
    this.#failures = 0;
    this.#port.hold(true);
    this.#plan('suspect', LEAST_WAIT + backoff.random() * SPREAD);
  }

  /** Dials a standby, because the first pings of the connection in use were not answered. */
  unanswered(): void {
    if (this.#isRefused) return this.#port.unanswered();
    this.cancel();
    this.#failures = 0;
    this.#plan('unanswered', 0);
  }

  /** Handles the recovery of the connection in use from `suspect`. */
  recovered(): void {
    if (this.#failures > 0 && !isOffline()) this.#isRefused = true; // the server was reachable
    if (this.#cause !== 'suspect') return;
    if (this.#connection === undefined) return this.cancel(); // the server saw nothing of it
    this.#wasFalse = true;
    // An open standby may have taken over the session already, so its answer will come.
    if (!this.#connection.isOpen) this.cancel();
  }

  /**
   * Handles a message on the connection in use: its pings are unanswered, but the link is alive.
   */
  heard(): void {
    if (this.#cause === 'unanswered') this.#giveUp();
  }

  /**
   * Returns the standby, if there is one, to take over after the connection in use has ended with
   * `record`. The standby may still be connecting. `isBound`: the server knew the session of the
   * connection that has ended.
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
    this.#notBefore = this.#options.scheduler.now() + PAUSE;
    const owner: ConnectionOwner = {
      opened: () => this.#connection?.heartbeat?.probe(), // needed if scheduled pings are off
      failed: () => {},
      received: (event) => this.#hold(event),
      ended: (record) => this.#ended(cause, record),
      beat: (name) => {
        if (name === 'pong') this.#port.replace(cause === 'suspect' ? 'replaced' : cause);
        else if (name === 'unanswered') this.#giveUp();
        // The connection in use has recovered, and the standby is no better.
        else if (name === 'suspect' && this.#wasFalse) this.cancel();
      },
    };
    try {
      this.#connection = this.#port.dial(owner);
    } catch {
      // The connection in use may recover. If not, the next attempt reports the same error.
      this.#giveUp();
    }
  }

  #ended(cause: Cause, record: CloseRecord): void {
    const isTimeout = record.reason === 'connect-timeout';
    this.#forget();
    if (isKick(record)) this.#isRefused = true;
    else if (!record.wasOpen && !isTimeout && !isOffline()) this.#failures += 1;
    if (cause === 'suspect') return;
    // A standby that never opened says nothing about the connection in use.
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
    const { maxQueuedBytes, maxQueuedMessages } = this.#options; // empty messages take memory too
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

/** Whether a server closed one of two connections because it accepts only one per client. */
function isKick({ reason, code }: CloseRecord): boolean {
  return (reason === 'peer-close' || reason === 'fatal') && !RESTARTS.includes(code);
}
