import { InvalidOptionError } from './errors.ts';
import { guarded } from './guarded.ts';

type Listener = (event: never) => void;

/** The parts of an event emitter, such as `eventemitter3`, that are used. */
export interface EventEmitterLike {
  on(name: string, listener: (event: unknown) => void): unknown;
  once(name: string, listener: (event: unknown) => void): unknown;
  off(name: string, listener: (event: unknown) => void): unknown;
  emit(name: string, event: unknown): unknown;
  removeAllListeners(): unknown;
}

/**
 * A typed emitter on top of an emitter from a package. Only subclasses can emit.
 *
 * A listener that throws stops neither the others nor the heartbeat. Its error is reported later.
 */
export class Emitter<Events> {
  readonly #emitter: EventEmitterLike;
  readonly #guards: WeakMap<Listener, (event: unknown) => void> = new WeakMap();

  constructor(emitter: EventEmitterLike) {
    this.#emitter = emitter;
  }

  /** Calls `listener` at each event with this name. */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#emitter.on(name, this.#guard(listener));
    return this;
  }

  /** Calls `listener` at the next event with this name. */
  once<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#emitter.once(name, this.#guard(listener));
    return this;
  }

  /** Removes a listener added with `on` or `once`. */
  off<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#emitter.off(name, this.#guard(listener));
    return this;
  }

  protected emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    this.#emitter.emit(name, event);
  }

  protected removeAllListeners(): void {
    this.#emitter.removeAllListeners();
  }

  /** Returns the same wrapper for the same listener, so that `off` finds it. */
  #guard(listener: Listener): (event: unknown) => void {
    const known = this.#guards.get(listener);
    if (known !== undefined) return known;
    if (typeof listener !== 'function') {
      throw new InvalidOptionError('listener', 'a function', listener);
    }
    const guard = guarded(listener as (event: unknown) => void);
    this.#guards.set(listener, guard);
    return guard;
  }
}
