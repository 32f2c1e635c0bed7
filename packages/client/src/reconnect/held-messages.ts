import {
  override,
  type Scheduler,
  type SocketEvent,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import { report } from './event-dispatcher.ts';

type Callback = (event: SocketEvent) => void;
type Listener = Callback | { handleEvent: Callback };
type Options = { readonly once?: boolean; readonly signal?: AbortSignal } | boolean | undefined;

/** More messages than this are dispatched at once: a hidden page runs only one timer a second. */
const MAX_TURNS = 100;

/**
 * Dispatches the messages that a connection received while it was the standby, as if they came now:
 * to `receive`, and then to the `message` listeners added to the socket since. Each message has its
 * own turn of the event loop, so that `ready` can wait for one after the other. Messages received
 * in the meantime are queued behind them.
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

  /** Whether all messages were dispatched. If not, new messages must be added here. */
  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  add(event: SocketEvent): void {
    this.#events.push(event);
  }

  /** Dispatches all remaining messages now. */
  flush(): void {
    this.#timer?.cancel();
    while (!this.isEmpty) this.#handOver();
    if (this.#release.length > 0) this.#end();
  }

  /** Discards all remaining messages. */
  cancel(): void {
    this.#timer?.cancel();
    this.#events.length = 0;
    for (const release of this.#release.splice(0)) release();
  }

  #next(): void {
    this.#timer = this.#scheduler.at(this.#scheduler.now() + 1, () => {
      this.#handOver();
      if (this.isEmpty || this.#events.length > MAX_TURNS) this.flush();
      else this.#next();
    });
  }

  #handOver(): void {
    const event = this.#events[0] as SocketEvent;
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
    this.#events.shift(); // last, so that messages received in between queue behind it
  }

  /** Adds the listeners to the socket itself. */
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
