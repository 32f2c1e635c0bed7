type Method = (this: unknown, ...args: never[]) => unknown;

/** What an object had of its own before. */
interface Own {
  readonly before: PropertyDescriptor;
  readonly original: Method;
  readonly replacement: Method;
}

/**
 * Puts a method on very many objects of one class: the same function on all of them. An object that
 * has a method of its own under that name gets a function of its own.
 *
 * If another put its own on top, ours stays below it, and shall do nothing by itself.
 */
export class SharedOverride {
  readonly #name: string;
  readonly #make: (original: Method) => Method;
  readonly #shared: WeakMap<Method, Method> = new WeakMap(); // by the method of the class
  readonly #isShared: WeakSet<Method> = new WeakSet();
  readonly #owns: WeakMap<object, Own> = new WeakMap();

  /** `make` makes the method that is put over `original`. */
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

  /** Leaves no trace. */
  takeOff(target: object): void {
    const own = this.#owns.get(target);
    const current = Object.getOwnPropertyDescriptor(target, this.#name)?.value;
    if (own === undefined) {
      if (this.#isShared.has(current)) Reflect.deleteProperty(target, this.#name);
    } else if (current === own.replacement) {
      Object.defineProperty(target, this.#name, own.before);
    }
  }

  /** The method that `target` had before, or would have. */
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
