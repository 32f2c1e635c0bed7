import type { Duplex } from 'node:stream';

/**
 * One direction of a {@link TcpFlow}: what `from` sends is written to `to`, in order, each piece
 * `delay` ms after it came.
 */
class Lane {
  delay = 0;
  readonly #from: Duplex;
  readonly #to: Duplex;
  /** What is on the way. A piece without bytes is a FIN. */
  readonly #pieces: { readonly bytes: Buffer | undefined; readonly dueAt: number }[] = [];
  #state: 'carrying' | 'frozen' | 'cut' = 'carrying';
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Duplex, to: Duplex) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take(undefined));
    to.on('drain', () => this.#carry());
  }

  freeze(): void {
    if (this.#state === 'carrying') this.#state = 'frozen';
    this.#carry();
  }

  resume(): void {
    if (this.#state === 'frozen') this.#state = 'carrying';
    this.#carry();
  }

  /** From here all is read and thrown away, so that the kernel goes on acknowledging it. */
  cut(): void {
    this.#state = 'cut';
    this.#pieces.length = 0;
    clearTimeout(this.#timer);
    this.#from.resume();
  }

  get #halted(): boolean {
    return this.#state === 'frozen' || this.#to.writableNeedDrain;
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#state === 'cut') return;
    this.#pieces.push({ bytes, dueAt: performance.now() + this.delay });
    this.#carry();
  }

  #carry(): void {
    if (this.#state === 'cut') return;
    clearTimeout(this.#timer);
    // Only the head is looked at: one that is due sooner, for the delay was cut, keeps its place.
    let head = this.#pieces[0];
    while (head !== undefined && head.dueAt <= performance.now() && !this.#halted) {
      this.#pass(head.bytes);
      this.#pieces.shift();
      head = this.#pieces[0];
    }
    if (head !== undefined && !this.#halted) {
      const wait = Math.ceil(head.dueAt - performance.now());
      this.#timer = setTimeout(() => this.#carry(), wait);
    }
    if (this.#halted) this.#from.pause();
    else this.#from.resume();
  }

  #pass(bytes: Buffer | undefined): void {
    if (bytes === undefined) this.#to.end();
    else this.#to.write(bytes);
  }
}

/**
 * Carries one TCP connection between two sockets, and can be hurt.
 *
 * Both sockets must have `allowHalfOpen`: else Node answers a FIN by itself, which a dead path
 * does not.
 */
export class TcpFlow {
  /** Resolves when both sockets are closed. */
  readonly ended: Promise<unknown>;
  readonly #near: Duplex;
  readonly #far: Duplex;
  readonly #outward: Lane;
  readonly #homeward: Lane;
  #isCut = false;

  /** `near` is the one who dialled, `far` who is dialled. */
  constructor(near: Duplex, far: Duplex) {
    this.#near = near;
    this.#far = far;
    this.#outward = new Lane(near, far);
    this.#homeward = new Lane(far, near);
    this.ended = Promise.all([this.#watch(near, far), this.#watch(far, near)]);
  }

  /** Whether it was cut: its ends do not know. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Added to the round trip, in ms. */
  get delay(): number {
    return this.#homeward.delay;
  }

  set delay(delay: number) {
    this.#homeward.delay = delay;
  }

  /**
   * Stops carrying, silently and for good, like a path whose middle has gone: no FIN, no RST. What
   * is sent arrives nowhere, nor does the news that an end has closed.
   */
  cut(): void {
    this.#isCut = true;
    this.#outward.cut();
    this.#homeward.cut();
  }

  /** Holds everything back until {@link resume}. Nothing is lost. */
  freeze(): void {
    this.#outward.freeze();
    this.#homeward.freeze();
  }

  resume(): void {
    this.#outward.resume();
    this.#homeward.resume();
  }

  /** Closes both connections. */
  destroy(): void {
    this.cut();
    this.#near.destroy();
    this.#far.destroy();
  }

  #watch(socket: Duplex, other: Duplex): Promise<void> {
    // A reset passes on what is still held back: whoever resets wants no more of it.
    socket.on('error', () => {
      if (!this.#isCut) other.destroy();
    });
    socket.on('end', () => this.#tidy());
    return new Promise((resolve) => {
      socket.on('close', () => {
        this.#tidy();
        resolve();
      });
    });
  }

  /** A cut flow that both ends have left is of no use to anybody. */
  #tidy(): void {
    const hasLeft = (socket: Duplex) => socket.readableEnded || socket.destroyed;
    if (this.#isCut && hasLeft(this.#near) && hasLeft(this.#far)) this.destroy();
  }
}
