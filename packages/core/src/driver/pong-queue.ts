import { IS_PAGE } from '../development.ts';
import type { Beat } from '../protocol/beat.ts';
import { ReadyState } from '../socket.ts';
import type { Millis, Scheduler, Timer } from '../time.ts';

/** How a {@link PongQueue} sends pongs. All sockets of one server share one object. */
export interface PongPort<Socket> {
  readonly scheduler: Scheduler;
  /** If more bytes than this are unsent, no pong is sent. @default no limit */
  readonly maxBufferedBytes?: number;
  /** If at most this many bytes are unsent, every pong is sent at once. */
  readonly freeBytes: number;
  /** The bytes that the socket has not sent yet; 0 if the runtime does not report them. */
  bufferedBytes(socket: Socket): number;
  /**
   * Whether a fragmented message is incomplete: a pong would become part of it. Its end must flush.
   * @default false
   */
  isMidMessage?(socket: Socket): boolean;
  /** Sends a pong. Calls `sent` once it has left the buffer, if the runtime reports that. */
  send(socket: Socket, pong: Beat, sent: () => void): void;
}

const NOTHING = () => {}; // a page does not report that a message has left its buffer

/** Time between two checks of a full buffer: no event reports that it has drained. */
const LOOK_AGAIN: Millis = 250;

/**
 * Sends the pongs of one connection. At most one pong waits in the buffer of the socket, and only
 * the latest pong after it waits here. It answers the earlier pings too, because messages stay in
 * order. So a peer that sends pings without reading takes up no memory.
 */
export class PongQueue<Socket extends { readonly readyState: number }> {
  /** The values of the next pong. */
  values: Beat['values'];
  readonly #socket: Socket;
  readonly #port: PongPort<Socket>;
  #held: Beat | undefined;
  #isQueued = false; // whether a pong may still be in the buffer
  #bytesBehind = 0; // bytes sent after that pong
  #timer: Timer | undefined;

  constructor(socket: Socket, port: PongPort<Socket>) {
    this.#socket = socket;
    this.#port = port;
  }

  /** Whether no pong waits, here or in the buffer of the socket. */
  get isIdle(): boolean {
    const isQueued = this.#isQueued && this.#port.bufferedBytes(this.#socket) > 0;
    return this.#held === undefined && !isQueued;
  }

  /** Sends a pong with this id, now or once there is room. A later pong replaces a waiting one. */
  send(id: string | undefined): void {
    this.#held = { type: 'pong', id, values: IS_PAGE ? undefined : this.values };
    this.flush();
  }

  /**
   * Records that at least this many bytes were sent after all pongs so far. If the runtime does not
   * report that a pong has left, this tells: if the buffer holds no more bytes than were sent after
   * the pong, the pong has left.
   */
  sentBehind(bytes: number): void {
    if (this.#isQueued) this.#bytesBehind += bytes;
  }

  close(): void {
    this.#held = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sends the waiting pong, if there is room. */
  flush(): void {
    const pong = this.#held;
    if (pong === undefined || this.#timer !== undefined) return;
    if (this.#socket.readyState !== ReadyState.Open) return this.close();
    if (!IS_PAGE && this.#port.isMidMessage?.(this.#socket)) return;
    if (!this.#hasRoom) return this.#lookAgain();
    this.#held = undefined;
    this.#isQueued = true;
    this.#bytesBehind = 0;
    const left = () => {
      this.#isQueued = false;
      this.#timer?.cancel();
      this.#lookNow();
    };
    this.#port.send(this.#socket, pong, IS_PAGE ? NOTHING : left);
  }

  get #hasRoom(): boolean {
    const { maxBufferedBytes = Number.POSITIVE_INFINITY, freeBytes } = this.#port;
    const bytes = this.#port.bufferedBytes(this.#socket);
    if (!IS_PAGE && bytes > maxBufferedBytes) return false;
    return !this.#isQueued || bytes <= Math.max(freeBytes, this.#bytesBehind);
  }

  #lookAgain(): void {
    const { scheduler } = this.#port;
    this.#timer = scheduler.at(scheduler.now() + LOOK_AGAIN, () => this.#lookNow());
  }

  #lookNow(): void {
    this.#timer = undefined;
    this.flush();
  }
}
