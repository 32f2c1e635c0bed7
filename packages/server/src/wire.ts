import {
  type Beat,
  encodeBeat,
  type Interceptor,
  intercept,
  interceptSend,
  type PingOrder,
  ReadyState,
  type Scheduler,
} from '@wirebeat/core';
import { PongOutlet } from './pong-outlet.ts';
import { Progress } from './progress.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';

/** What the wires of one server share. */
export interface WireContext {
  readonly scheduler: Scheduler;
  /** What begins the payload of our protocol Pings: see {@link drawPayload}. */
  readonly payload: string;
  readonly maxBufferedBytes: number;
}

/** What is told of a socket. */
export interface WireWatcher extends Interceptor {
  /** The application is about to send something. */
  sent(): void;
  closed(code: number, text: string): void;
}

/**
 * Draws what begins the payload of our protocol Pings: the application's own `pong` events see only
 * its own, and a second heartbeat on the same sockets sees all of its.
 */
export function drawPayload(random: () => number): string {
  return `wb-${Math.floor(random() * 36 ** 6).toString(36)}`;
}

const ignore = (): void => {};

/** The socket of one connection: how beats leave by it, and what it can tell. */
export class Wire {
  readonly socket: ServerSocket;
  /** Of a long message; absent where nothing counts bytes. */
  readonly progress: Progress | undefined;
  readonly #context: WireContext;
  readonly #send: ServerSocket['send'];
  #pongs: PongOutlet | undefined; // from the first on
  #release: readonly (() => void)[] = [];

  constructor(socket: ServerSocket, context: WireContext, counter: ByteCounter | undefined) {
    this.socket = socket;
    this.#context = context;
    this.progress = counter && new Progress(counter);
    this.#send = socket.send; // before ours is put on it
  }

  watch(watcher: WireWatcher): void {
    const { socket } = this;
    const onClose = (event: { code: number; reason: string }) => {
      watcher.closed(event.code, event.reason);
    };
    socket.addEventListener('close', onClose);
    this.#release = [
      () => socket.removeEventListener('close', onClose),
      interceptSend(socket, () => watcher.sent()),
      intercept(socket, watcher),
    ];
  }

  /** Leaves no trace on the socket. */
  unwatch(): void {
    this.#pongs?.close();
    for (const release of this.#release) release();
  }

  sendProtocolPing({ id }: PingOrder): void {
    if (!this.#isOpen) return;
    const { payload } = this.#context;
    this.progress?.asked();
    this.socket.ping(id === undefined ? payload : `${payload}.${id}`, undefined, ignore);
  }

  /** The pong that the payload of a protocol Pong is; undefined if its Ping was not ours. */
  readProtocolPong(payload: Uint8Array): Beat | undefined {
    const [prefix, id, ...rest] = String.fromCharCode(...payload).split('.');
    if (prefix !== this.#context.payload || rest.length > 0) return undefined;
    return { type: 'pong', id };
  }

  sendBeat(beat: Beat): void {
    if (!this.#isOpen) return;
    this.#send.call(this.socket, encodeBeat(beat) as never, { compress: false }, ignore);
  }

  sendPong(pong: Beat): void {
    const { scheduler, maxBufferedBytes } = this.#context;
    const [socket, send] = [this.socket, this.#send];
    this.#pongs ??= new PongOutlet({ socket, send, scheduler, maxBufferedBytes });
    this.#pongs.send(pong);
  }

  get #isOpen(): boolean {
    return this.socket.readyState === ReadyState.Open;
  }
}
