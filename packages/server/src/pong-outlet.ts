import {
  type Beat,
  encodeBeat,
  type Millis,
  ReadyState,
  type Scheduler,
  type Timer,
} from '@wirebeat/core';
import type { Values } from './advertisement.ts';
import type { ServerSocket } from './server-socket.ts';
import type { SocketTap } from './socket-tap.ts';

/** Between two looks at a clogged buffer: nothing tells when it has drained. */
const LOOK_AGAIN: Millis = 250;

/** What a {@link PongOutlet} works with. */
export interface PongOutletOptions {
  readonly socket: ServerSocket;
  readonly tap: SocketTap;
  readonly scheduler: Scheduler;
  /** With more waiting to leave, none is added. */
  readonly maxBufferedBytes: number;
}

/**
 * Where the pongs of one connection leave: at most one waits in the buffer of the socket, and one
 * before it, the latest. It answers the earlier ones too, for messages keep their order. So a peer
 * that pings and does not read takes up no memory.
 */
export class PongOutlet {
  /** What the next one says. */
  values: Values | undefined;
  readonly #options: PongOutletOptions;
  #held: Beat | undefined;
  #isQueued = false; // one of ours may still be in the buffer
  #timer: Timer | undefined;

  constructor(options: PongOutletOptions) {
    this.#options = options;
  }

  /** Sends one with this id now, or as soon as may be unless another comes. */
  send(id: string | undefined): void {
    this.#held = { type: 'pong', id, values: this.values };
    this.flush();
  }

  close(): void {
    this.#held = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sends what is held, if that may leave now. */
  flush(): void {
    const { socket, tap, maxBufferedBytes } = this.#options;
    const pong = this.#held;
    if (pong === undefined || this.#timer !== undefined) return;
    if (socket.readyState !== ReadyState.Open) return this.close();
    if (tap.isMidMessage(socket)) return; // its end will call us
    if (socket.bufferedAmount > maxBufferedBytes) return this.#lookAgain();
    if (this.#isQueued && socket.bufferedAmount > 0) return;
    this.#held = undefined;
    this.#isQueued = true;
    tap.send(socket, encodeBeat(pong), () => this.#left());
  }

  #left(): void {
    this.#isQueued = false;
    this.flush();
  }

  #lookAgain(): void {
    const { scheduler } = this.#options;
    this.#timer = scheduler.at(scheduler.now() + LOOK_AGAIN, () => {
      this.#timer = undefined;
      this.flush();
    });
  }
}
