type Method = (this: unknown, ...args: never[]) => unknown;

/** The own method that an object had before, and its replacement. */
interface Own {
  readonly before: PropertyDescriptor;
  readonly original: Method;
  readonly replacement: Method;
}

/**
 * Overrides a method on very many objects of one class with one shared function. An object that has its
 * own method of that name gets its own function.
 *
 * If other code overrides the method again on top, our function stays below it and must do nothing by
 * itself after `takeOff`.
 */
export class SharedOverride {
  readonly #name: string;
  readonly #make: (original: Method) => Method;
  readonly #shared: WeakMap<Method, Method> = new WeakMap(); // keyed by the method of the class
  readonly #isShared: WeakSet<Method> = new WeakSet();
  readonly #owns: WeakMap<object, Own> = new WeakMap();

  /** `make` creates the replacement for `original`. */
  constructor(name: string, make: (original: Method) => Method) {
    this.#name = name;
    this.#make = make;
  }

  put(target: object): void {
    const before = Object.getOwnPropertyDescriptor(target, this.#name);
    const original = Reflect.get(target, this.#name) as Method;
    const value = before === undefined ? this.#sharedOver(original) : this.#make(original);
    if (before !== undefined) this.#owns.set(target, { before, original, replacement: value });
    Object.defineProperty(target, this.#name, { value, writable: true, configurable: true });
  }

  /** Restores the method, unless other code has overridden it since. */
  takeOff(target: object): void {
    const own = this.#owns.get(target);
    const current = Object.getOwnPropertyDescriptor(target, this.#name)?.value;
    if (own === undefined) {
      if (this.#isShared.has(current)) Reflect.deleteProperty(target, this.#name);
    } else if (current === own.replacement) {
      Object.defineProperty(target, this.#name, own.before);
    }
  }

  /** Returns the method that `target` had before, or would have without the override. */
  original(target: object): Method {
    const own = this.#owns.get(target);
    return own?.original ?? (Reflect.get(Object.getPrototypeOf(target), this.#name) as Method);
  }

  #sharedOver(original: Method): Method {
    const known = this.#shared.get(original);
    if (known !== undefined) return known;
    const made = this.#make(original);
    this.#shared.set(original, made);
    this.#isShared.add(made);
    return made;
  }
}
