import { Emitter } from '@wirebeat/core';
import { EventEmitter } from 'eventemitter3';

/** What a handle extends: an {@link Emitter} over `eventemitter3`. */
export class HandleEmitter<Events> extends Emitter<Events> {
  readonly #emitter: EventEmitter;

  constructor() {
    const emitter = new EventEmitter();
    super(emitter);
    this.#emitter = emitter;
  }

  /** Whether anybody listens: if not, an event need not be made. */
  protected hears(name: keyof Events & string): boolean {
    return this.#emitter.listenerCount(name) > 0;
  }
}
