type Method = (this: unknown, ...args: never[]) => unknown;

/**
 * Notices what the application sends on sockets of one class, through one prototype that is derived from
 * that of the class: closures for each socket would use much memory.
 */
export class SendWatch<Socket extends object> {
  readonly #names: readonly string[];
  readonly #sending: (socket: Socket) => void;
  /** The derived prototype of each prototype. */
  readonly #derived: WeakMap<object, object> = new WeakMap();
  /** The prototype of the class of each derived one. */
  readonly #bases: WeakMap<object, object> = new WeakMap();

  /** `names` are the methods that send; a class may lack some. `sending` is called before each. */
  constructor(names: readonly string[], sending: (socket: Socket) => void) {
    this.#names = names;
    this.#sending = sending;
  }

  put(socket: Socket): void {
    const base = Object.getPrototypeOf(socket) as object;
    if (!this.#bases.has(base)) Object.setPrototypeOf(socket, this.#derive(base));
  }

  /** Restores the socket, unless other code has changed its prototype since. */
  takeOff(socket: Socket): void {
    const base = this.#bases.get(Object.getPrototypeOf(socket));
    if (base !== undefined) Object.setPrototypeOf(socket, base);
  }

  /** Returns the method that the socket had before. */
  original(socket: Socket, name: string): Method {
    const prototype = Object.getPrototypeOf(socket) as object;
    return Reflect.get(this.#bases.get(prototype) ?? prototype, name, socket) as Method;
  }

  #derive(base: object): object {
    const known = this.#derived.get(base);
    if (known !== undefined) return known;
    const derived = Object.create(base) as object;
    const sending = this.#sending;
    for (const name of this.#names.filter((each) => each in base)) {
      const value = function (this: Socket, ...args: never[]): unknown {
        sending(this);
        return (Reflect.get(base, name) as Method).apply(this, args);
      };
      Object.defineProperty(derived, name, { value, writable: true, configurable: true });
    }
    this.#derived.set(base, derived);
    this.#bases.set(derived, base);
    return derived;
  }
}
