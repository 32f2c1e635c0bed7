import type { Instant, Millis, Scheduler, SocketEvent, Timer } from '@wirebeat/core';
import type { Connection, ConnectionOwner } from './connection.ts';
import { byteLength } from './send-queue.ts';

/** What a {@link Succession} works with. */
export interface SuccessionOptions {
  readonly scheduler: Scheduler;
  /** Source of chance, in [0, 1). */
  readonly random: () => number;
  /** Bytes that a successor may receive before it is in use. */
  readonly maxHeldBytes: number;
  /** Dials a second connection. May throw, as the WebSocket class does. */
  dial(owner: ConnectionOwner): Connection;
  /** The successor was answered: it is the one in use from here, and this is what it received. */
  replace(successor: Connection, held: readonly SocketEvent[]): void;
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
  readonly #options: SuccessionOptions;
  #timer: Timer | undefined;
  #successor: Connection | undefined;
  #held: SocketEvent[] = [];
  #heldBytes = 0;
  #notBefore: Instant = Number.NEGATIVE_INFINITY;
  #wasFalse = false; // the connection in use was suspect and spoke again: it is let die by itself

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  /** The connection in use is suspect. */
  suspected(): void {
    const { scheduler, random } = this.#options;
    const now = scheduler.now();
    if (this.#isOn || this.#wasFalse || now < this.#notBefore) return;
    this.#notBefore = now + PAUSE;
    this.#timer = scheduler.at(now + random() * SPREAD, () => this.begin());
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
        if (name === 'pong') this.#replace();
      },
    };
    try {
      this.#successor = this.#options.dial(owner);
    } catch {
      // The one in use may recover; if it does not, the next attempt says the same.
    }
  }

  /**
   * The connection in use has ended, so the successor, if there is one, stands in for it as it is:
   * being dialled, or open with what it has received.
   */
  inherit(): { readonly successor: Connection; readonly held: readonly SocketEvent[] } | undefined {
    const successor = this.#successor;
    const held = this.#held;
    this.#timer?.cancel();
    this.#forget();
    this.#wasFalse = false;
    return successor && { successor, held };
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

  #replace(): void {
    const inheritance = this.inherit();
    if (inheritance !== undefined) {
      this.#options.replace(inheritance.successor, inheritance.held);
    }
  }

  #hold(event: SocketEvent): void {
    this.#held.push(event);
    this.#heldBytes += byteLength(event.data);
    if (this.#heldBytes > this.#options.maxHeldBytes) this.cancel();
  }

  #forget(): void {
    this.#timer = this.#successor = undefined;
    this.#held = [];
    this.#heldBytes = 0;
  }
}
