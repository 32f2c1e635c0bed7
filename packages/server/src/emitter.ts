import { Emitter, InvalidOptionError } from '@wirebeat/core';
import { EventEmitter } from 'eventemitter3';
import { Hooks, warnOf } from './connection/hooks.ts';

type Listener<Event> = (event: Event) => void;

/**
 * Base class of the public emitters: an {@link Emitter} on top of `eventemitter3`. A listener that
 * throws or rejects does not stop other listeners. `report` receives the error and the event.
 */
export class HandleEmitter<Events> extends Emitter<Events> {
  readonly #emitter: EventEmitter;
  readonly #report: (error: unknown, event: unknown) => void;
  readonly #guards: WeakMap<object, Listener<unknown>> = new WeakMap();

  constructor(report: (error: unknown, event: unknown) => void = warn) {
    const emitter = new EventEmitter();
    super(emitter);
    this.#emitter = emitter;
    this.#report = report;
  }

  override on<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
  ): this {
    return super.on(name, this.#guard(listener));
  }

  override once<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
  ): this {
    return super.once(name, this.#guard(listener));
  }

  override off<Name extends keyof Events & string>(
    name: Name,
    listener: Listener<Events[Name]>,
  ): this {
    return super.off(name, this.#guard(listener));
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
