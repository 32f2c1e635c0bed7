import type { Scheduler, Timer } from '@wirebeat/core';

/** More messages than this are emitted at once: a hidden page runs only one timer a second. */
const MAX_TURNS = 100;

/**
 * Emits the messages that a connection received while it was the standby, as if they came now. Each
 * has its own turn of the event loop, so that `ready` can wait for one after the other. Messages
 * received in the meantime are queued behind them.
 */
export class HeldMessages {
  readonly #messages: unknown[];
  readonly #scheduler: Scheduler;
  readonly #emit: (data: unknown) => void;
  #timer: Timer | undefined;

  constructor(messages: unknown[], scheduler: Scheduler, emit: (data: unknown) => void) {
    this.#messages = messages;
    this.#scheduler = scheduler;
    this.#emit = emit;
    if (messages.length > 0) this.#next();
  }

  /** Queues a message behind the held ones. Returns false if there are none. */
  add(data: unknown): boolean {
    return this.#messages.length > 0 && this.#messages.push(data) > 0;
  }

  /** Emits all remaining messages now. */
  flush(): void {
    this.#timer?.cancel();
    while (this.#messages.length > 0) this.#emitFirst();
  }

  /** Discards all remaining messages. */
  cancel(): void {
    this.#timer?.cancel();
    this.#messages.length = 0;
  }

  #next(): void {
    this.#timer = this.#scheduler.at(this.#scheduler.now() + 1, () => {
      this.#emitFirst();
      if (this.#messages.length > MAX_TURNS) this.flush();
      else if (this.#messages.length > 0) this.#next();
    });
  }

  #emitFirst(): void {
    this.#emit(this.#messages[0]);
    this.#messages.shift(); // last, so that messages received in between queue behind it
  }
}
