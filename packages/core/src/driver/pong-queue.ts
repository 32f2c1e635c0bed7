import { type Beat, encodeBeat } from '../protocol/beat.ts';
import { ReadyState } from '../socket.ts';
import type { Millis, Scheduler, Timer } from '../time.ts';

/** How pongs leave: the same for all sockets of one server. */
export interface PongPort<Socket> {
  readonly scheduler: Scheduler;
  /** While more bytes wait to leave, no pong is sent. */
  readonly maxBufferedBytes: number;
  /** While no more bytes wait to leave, every pong is sent at once. */
  readonly freeBytes: number;
  /** Bytes that wait to leave; 0 where the runtime does not tell. */
  bufferedBytes(socket: Socket): number;
  /** Whether only a part of a message was sent: a pong would become a part of it. Its end flushes. */
  isMidMessage(socket: Socket): boolean;
  /** Sends `text`. Calls `sent` once it has left, where the runtime tells. */
  send(socket: Socket, text: string, sent: () => void): void;
}

/** Time between two looks at a full buffer: no event says that it has drained. */
const LOOK_AGAIN: Millis = 250;

/**
 * Sends the pongs of one connection. At most one waits in the buffer of the socket, and the latest of
 * those after it waits here. That one answers the earlier ones too, because messages keep their
 * order. So a peer that pings and does not read takes up no memory.
 */
export class PongQueue<Socket extends { readonly readyState: number }> {
  /** The values of the next pong. */
  values: Beat['values'];
  readonly #socket: Socket;
  readonly #port: PongPort<Socket>;
  #held: Beat | undefined;
  #isQueued = false; // a pong may still be in the buffer
  #bytesBehind = 0; // sent after it
  #timer: Timer | undefined;

  constructor(socket: Socket, port: PongPort<Socket>) {
    this.#socket = socket;
    this.#port = port;
  }

  /** Sends a pong with this id: now, or once there is room, unless a later one replaces it. */
  send(id: string | undefined): void {
    this.#held = { type: 'pong', id, values: this.values };
    this.flush();
  }

  /**
   * At least so many bytes are sent after all pongs so far. Where the runtime does not tell that a
   * pong has left, this does: a buffer that holds no more than what came after it holds no pong.
   */
  sentBehind(bytes: number): void {
    if (this.#isQueued) this.#bytesBehind += bytes;
  }

  close(): void {
    this.#held = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sends what waits, if there is room. */
  flush(): void {
    const pong = this.#held;
    if (pong === undefined || this.#timer !== undefined) return;
    if (this.#socket.readyState !== ReadyState.Open) return this.close();
    if (this.#port.isMidMessage(this.#socket)) return;
    if (!this.#hasRoom) return this.#lookAgain();
    this.#held = undefined;
    this.#isQueued = true;
    this.#bytesBehind = 0;
    this.#port.send(this.#socket, encodeBeat(pong), () => this.#left());
  }

  get #hasRoom(): boolean {
    const { maxBufferedBytes, freeBytes } = this.#port;
    const bytes = this.#port.bufferedBytes(this.#socket);
    if (bytes > maxBufferedBytes) return false;
    return !this.#isQueued || bytes <= Math.max(freeBytes, this.#bytesBehind);
  }

  #left(): void {
    this.#isQueued = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.flush();
  }

  #lookAgain(): void {
    const { scheduler } = this.#port;
    this.#timer = scheduler.at(scheduler.now() + LOOK_AGAIN, () => {
      this.#timer = undefined;
      this.flush();
    });
  }
}
