import type { Instant, Millis, SocketEvent, Timer } from '@wirebeat/core';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { ResolvedReconnectOptions } from './reconnect-options.ts';
import { byteLength } from './send-queue.ts';

/** Who has a {@link Succession}. */
export interface SuccessionOwner {
  /** Dials a second connection. May throw, as the WebSocket class does. */
  dial(owner: ConnectionOwner): Connection;
  /** The successor was answered: the connection in use is to be ended. */
  replace(): void;
}

/** A connection that takes over, and what it has received. */
export interface Inheritance {
  readonly successor: Connection;
  readonly held: readonly SocketEvent[];
}

/** The longest wait before a second connection: the clients of one server do not dial in step. */
const SPREAD: Millis = 500;
/** Between two second connections, so that a server that stalls is not stormed. */
const PAUSE: Millis = 60_000;

/**
 * Make-before-break: a second connection is made while the one in use is suspect and may still
 * recover. Who speaks first is kept.
 *
 * Once the successor has sent its first ping, with the session, the server ends the older connection
 * before it answers. From there the one in use can no longer win.
 */
export class Succession {
  readonly #options: ResolvedReconnectOptions;
  readonly #owner: SuccessionOwner;
  #timer: Timer | undefined;
  #successor: Connection | undefined;
  #held: SocketEvent[] = [];
  #heldBytes = 0;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;
  #wasFalse = false; // the connection in use was suspect and spoke again: it is let die by itself

  constructor(options: ResolvedReconnectOptions, owner: SuccessionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** The connection in use is suspect. */
  suspected(): void {
    const { scheduler, backoff } = this.#options;
    const now = scheduler.now();
    if (this.#isOn || this.#wasFalse || now < this.#notBefore) return;
    this.#notBefore = now + PAUSE;
    this.#timer = scheduler.at(now + backoff.random() * SPREAD, () => this.begin());
  }

  /** The connection in use has spoken. */
  recovered(): void {
    if (!this.#isOn || this.#successor?.isOpen) return;
    this.#wasFalse = true;
    this.cancel();
  }

  /** Dials the successor now, if there is none. */
  begin(): void {
    if (this.#successor !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const owner: ConnectionOwner = {
      opened: () => {},
      failed: () => {},
      received: (event) => this.#hold(event),
      ended: () => this.#forget(),
      beat: (name) => {
        if (name === 'pong') this.#owner.replace();
      },
    };
    try {
      this.#successor = this.#owner.dial(owner);
    } catch {
      // The one in use may recover; if it does not, the next attempt says the same.
    }
  }

  /**
   * The connection in use has ended, so the successor, if there is one, stands in for it as it is:
   * being dialled, or open with what it has received.
   */
  inherit(owner: ConnectionOwner): Inheritance | undefined {
    const successor = this.#successor;
    const held = this.#held;
    this.#timer?.cancel();
    this.#forget();
    this.#wasFalse = false;
    if (successor === undefined) return undefined;
    successor.owner = owner;
    return { successor, held };
  }

  /** There shall be no successor. */
  cancel(): void {
    const successor = this.#successor;
    this.#timer?.cancel();
    this.#forget();
    successor?.discard();
  }

  get #isOn(): boolean {
    return this.#timer !== undefined || this.#successor !== undefined;
  }

  #hold(event: SocketEvent): void {
    this.#held.push(event);
    this.#heldBytes += byteLength(event.data);
    if (this.#heldBytes > this.#options.maxQueuedBytes) this.cancel();
  }

  #forget(): void {
    this.#timer = this.#successor = undefined;
    this.#held = [];
    this.#heldBytes = 0;
  }
}
