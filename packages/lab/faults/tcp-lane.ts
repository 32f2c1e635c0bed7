import type { Duplex } from 'node:stream';

/**
 * The conditions of one direction of a path. They can change at any time and apply to what arrives
 * after that.
 */
export interface LaneConditions {
  /** Delay of each piece, in ms. */
  delay: number;
  /** Largest random addition to the delay, in ms. The order does not change, as in TCP. */
  jitter: number;
  /** Bandwidth in bytes per second. */
  bytesPerSecond: number;
}

export const CLEAR: Readonly<LaneConditions> = {
  delay: 0,
  jitter: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};

/** Bytes that a slow lane forwards at a time: about one TCP segment. */
const SEGMENT = 1_400;
/** Bytes that a slow lane buffers. Beyond it, the buffers of the sender fill, as on a slow path. */
const WINDOW = 65_536;

/** A piece in flight. A piece without bytes is a FIN. */
interface Piece {
  readonly bytes: Buffer | undefined;
  readonly dueAt: number;
}

/** One direction of a {@link TcpFlow}: what `from` sends is written to `to`, in order. */
export class TcpLane {
  readonly conditions: LaneConditions = { ...CLEAR };
  /** When anything was last read from the sender. */
  heardAt: number = performance.now();
  readonly #from: Duplex;
  readonly #to: Duplex;
  readonly #pieces: Piece[] = [];
  #queued = 0; // bytes
  #freeAt = 0; // when everything taken in will have left a slow lane
  #state: 'carrying' | 'frozen' | 'cut' = 'carrying';
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Duplex, to: Duplex) {
    this.#from = from;
    this.#to = to;
    from.on('data', (bytes: Buffer) => this.#hear(bytes));
    from.on('end', () => this.#take(undefined));
    to.on('drain', () => this.#carry());
  }

  get isCut(): boolean {
    return this.#state === 'cut';
  }

  freeze(): void {
    if (this.#state === 'carrying') this.#state = 'frozen';
    this.#carry();
  }

  resume(): void {
    if (this.#state === 'frozen') this.#state = 'carrying';
    this.#carry();
  }

  /** Discards everything from now on. It still reads, so that the kernel keeps acknowledging. */
  cut(): void {
    this.#state = 'cut';
    this.#pieces.length = 0;
    clearTimeout(this.#timer);
    this.#from.resume();
  }

  get #halted(): boolean {
    return this.#state === 'frozen' || this.#to.writableNeedDrain;
  }

  #hear(bytes: Buffer): void {
    this.heardAt = performance.now();
    if (this.#state === 'cut') return;
    const { bytesPerSecond } = this.conditions;
    const size = bytesPerSecond === Number.POSITIVE_INFINITY ? bytes.length : SEGMENT;
    for (let at = 0; at < bytes.length; at += size) this.#take(bytes.subarray(at, at + size));
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#state === 'cut') return;
    const { delay, jitter, bytesPerSecond } = this.conditions;
    const length = bytes?.length ?? 0;
    this.#queued += length;
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + (1_000 * length) / bytesPerSecond;
    this.#pieces.push({ bytes, dueAt: this.#freeAt + delay + jitter * Math.random() });
    this.#carry();
  }

  #carry(): void {
    if (this.#state === 'cut') return;
    clearTimeout(this.#timer);
    // Only the head is checked: a piece that is due sooner because the delay was reduced keeps its
    // place.
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
    const { bytesPerSecond } = this.conditions;
    const isFull = this.#queued >= WINDOW && bytesPerSecond < Number.POSITIVE_INFINITY;
    if (this.#halted || isFull) this.#from.pause();
    else this.#from.resume();
  }

  #pass(bytes: Buffer | undefined): void {
    this.#queued -= bytes?.length ?? 0;
    if (bytes === undefined) this.#to.end();
    else this.#to.write(bytes);
  }
}
