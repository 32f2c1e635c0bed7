import { InvalidOptionError } from '@wirebeat/core';
import { EventEmitter } from 'eventemitter3';
import { Hooks, warnOf } from './connection/hooks.ts';

type Listener<Event> = (event: Event) => void;

/**
 * A typed emitter. Only subclasses can emit. A listener that throws or rejects does not stop other
 * listeners. `report` receives the error and the event.
 */
export class HandleEmitter<Events> {
  readonly #emitter: EventEmitter = new EventEmitter();
  readonly #report: (error: unknown, event: unknown) => void;
  readonly #guards: WeakMap<object, Listener<unknown>> = new WeakMap();

  constructor(report: (error: unknown, event: unknown) => void = warn) {
    this.#report = report;
  }

  /** Calls `listener` at each event with this name. */
  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    this.#emitter.on(name, this.#guard(listener));
    return this;
  }

  /** Calls `listener` at the next event with this name. */
  once<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    this.#emitter.once(name, this.#guard(listener));
    return this;
  }

  /** Removes a listener added with `on` or `once`. */
  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    this.#emitter.off(name, this.#guard(listener));
    return this;
  }

  protected emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    this.#emitter.emit(name, event);
  }

  protected removeAllListeners(): void {
    this.#emitter.removeAllListeners();
  }

  /** Returns whether the event has a listener. If not, the event object need not be created. */
  protected hasListener(name: keyof Events & string): boolean {
    return this.#emitter.listenerCount(name) > 0;
  }

  /** Returns the same guard for the same listener, so that `off` finds it. */
  #guard(listener: Listener<never>): Listener<unknown> {
    if (typeof listener !== 'function') {
      throw new InvalidOptionError('listener', 'a function', listener);
    }
    const guard =
      this.#guards.get(listener) ??
      Hooks.guardListener(listener as Listener<unknown>, this.#report);
    this.#guards.set(listener, guard);
    return guard;
  }
}

function warn(error: unknown): void {
  warnOf({ hook: 'listener', error, socket: undefined });
}
