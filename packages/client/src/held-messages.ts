import {
  override,
  type Scheduler,
  type SocketEvent,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import { report } from './announcer.ts';

type Callback = (event: SocketEvent) => void;
type Listener = Callback | { handleEvent: Callback };
type Options = { readonly once?: boolean; readonly signal?: AbortSignal } | boolean | undefined;

/**
 * Hands over what a connection received while it was the standby, as if it came now: to `receive`, and
 * then to the listeners of `message` that were added to the socket since. Each message has a turn of its
 * own, so that `ready` can wait for one after the other, and what comes meanwhile queues behind.
 */
export class HeldMessages {
  readonly #socket: WebSocketLike;
  readonly #scheduler: Scheduler;
  readonly #receive: (event: SocketEvent) => void;
  readonly #events: SocketEvent[];
  readonly #release: (() => void)[];
  #listeners: [listener: Listener, options: Options][] = [];
  #timer: Timer | undefined;

  constructor(
    socket: WebSocketLike,
    events: readonly SocketEvent[],
    scheduler: Scheduler,
    receive: (event: SocketEvent) => void,
  ) {
    this.#socket = socket;
    this.#scheduler = scheduler;
    this.#receive = receive;
    this.#events = [...events];
    const { addEventListener, removeEventListener } = socket;
    this.#release = [
      override(socket, 'addEventListener', (type: string, listener: Listener, options: Options) => {
        if (type !== 'message') addEventListener.call(socket, type, listener, options);
        else if (!this.#has(listener)) this.#listeners.push([listener, options]);
      }),
      override(
        socket,
        'removeEventListener',
        (type: string, listener: Listener, options: Options) => {
          if (type === 'message') this.#remove(listener);
          removeEventListener.call(socket, type, listener, options);
        },
      ),
    ];
    this.#next();
  }

  /** Whether there are any left: what comes now is to be added. */
  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  add(event: SocketEvent): void {
    this.#events.push(event);
  }

  /** Hands over nothing more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#events.length = 0;
    for (const release of this.#release.splice(0)) release();
  }

  #next(): void {
    this.#timer = this.#scheduler.at(this.#scheduler.now() + 1, () => {
      const event = this.#events[0];
      if (event !== undefined) this.#handOver(event);
      this.#events.shift();
      if (!this.isEmpty) this.#next();
      else if (this.#release.length > 0) this.#end();
    });
  }

  #handOver(event: SocketEvent): void {
    this.#receive(event);
    for (const [listener, options] of [...this.#listeners]) {
      const { once = false, signal } = typeof options === 'object' ? options : {};
      if (!this.#has(listener) || signal?.aborted) continue;
      if (once) this.#remove(listener);
      try {
        if (typeof listener === 'function') listener.call(this.#socket, event);
        else listener.handleEvent(event);
      } catch (error) {
        report(error);
      }
    }
  }

  /** From here the listeners are the socket's own. */
  #end(): void {
    for (const release of this.#release.splice(0)) release();
    for (const [listener, options] of this.#listeners) {
      const isAborted = typeof options === 'object' && options.signal?.aborted;
      if (!isAborted) this.#socket.addEventListener('message', listener, options);
    }
  }

  #has(listener: Listener): boolean {
    return this.#listeners.some(([other]) => other === listener);
  }

  #remove(listener: Listener): void {
    this.#listeners = this.#listeners.filter(([other]) => other !== listener);
  }
}
