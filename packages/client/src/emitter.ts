import { guarded, InvalidOptionError } from '@wirebeat/core';

interface Entry {
  readonly name: unknown;
  readonly listener: (event: never) => unknown;
  readonly isOnce: boolean;
}

/**
 * A typed emitter. Only subclasses can emit. A listener that throws stops neither the others nor the
 * heartbeat. Its error is reported later.
 */
export class HandleEmitter<Events> {
  #entries: readonly Entry[] = []; // replaced and not changed, because `emit` may be going through it

  /** Calls `listener` at each event with this name. */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    return this.#add(name, listener, false);
  }

  /** Calls `listener` at the next event with this name. */
  once<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    return this.#add(name, listener, true);
  }

  /** Removes a listener added with `on` or `once`. */
  off<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#entries = this.#entries.filter((one) => one.name !== name || one.listener !== listener);
    return this;
  }

  protected emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    for (const entry of this.#entries) {
      if (entry.name !== name) continue;
      if (entry.isOnce) this.#entries = this.#entries.filter((other) => other !== entry);
      guarded(entry.listener)(event as never);
    }
  }

  protected removeAllListeners(): void {
    this.#entries = [];
  }

  #add(name: unknown, listener: Entry['listener'], isOnce: boolean): this {
    if (typeof listener !== 'function') {
      throw new InvalidOptionError('listener', 'a function', listener);
    }
    this.#entries = [...this.#entries, { name, listener, isOnce }];
    return this;
  }
}
