import { InvalidOptionError } from './errors.ts';
import { guarded } from './guarded.ts';

type Listener = (event: never) => void;

/** What is used of an event emitter such as that of `eventemitter3`. */
export interface EventEmitterLike {
  on(name: string, listener: (event: unknown) => void): unknown;
  once(name: string, listener: (event: unknown) => void): unknown;
  off(name: string, listener: (event: unknown) => void): unknown;
  emit(name: string, event: unknown): unknown;
  removeAllListeners(): unknown;
}

/**
 * An emitter whose events are known by name, over one that a package brings along. Only the class
 * that extends it emits.
 *
 * A listener that throws stops neither the others nor the heartbeat; its error is reported after.
 */
export class Emitter<Events> {
  readonly #emitter: EventEmitterLike;
  readonly #guards: WeakMap<Listener, (event: unknown) => void> = new WeakMap();

  constructor(emitter: EventEmitterLike) {
    this.#emitter = emitter;
  }

  /** Calls `listener` at each event of that name. */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#emitter.on(name, this.#guard(listener));
    return this;
  }

  /** Calls `listener` at the next event of that name. */
  once<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): this {
    this.#emitter.once(name, this.#guard(listener));
    return this;
  }

  /** Ends what `on` or `once` began. */
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

  /** The same for the same listener, so that `off` finds it. */
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
