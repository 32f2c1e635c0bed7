import {
  CloseCode,
  type Instant,
  InvalidOptionError,
  type Millis,
  ReadyState,
  type SocketData,
} from '@wirebeat/core';
import type { Delivery } from '../outbox/delivery.ts';
import type { ReconnectEvent } from '../reconnect/events.ts';
import type { ReconnectingWebSocket } from '../reconnect/reconnecting-websocket.ts';
import { snapshotOf } from '../snapshot-store.ts';
import type { ReconnectingWebSocketEventMap } from '../websocket-api/event-target.ts';
import { whenFree } from './locks.ts';
import {
  type FromTab,
  type PortLike,
  packed,
  type SocketState,
  type ToTab,
} from './port-messages.ts';

/** A socket to share, with its delivery if tabs are to call `flushed()`. */
export interface SharedParts {
  readonly socket: ReconnectingWebSocket;
  readonly delivery?: Delivery;
}

const EVENTS: readonly Exclude<keyof ReconnectingWebSocketEventMap, 'message'>[] = [
  ...(['open', 'close', 'error', 'dial', 'retry', 'drop', 'giveup'] as const),
  ...(['ping', 'pong', 'alive', 'suspect', 'dead', 'unanswered', 'stall'] as const),
];

/** One socket and the ports of the tabs that use it. Closes the socket when the last one leaves. */
export class Tabs {
  readonly #socket: ReconnectingWebSocket;
  readonly #delivery: Delivery | undefined;
  readonly #store: ReturnType<typeof snapshotOf>;
  readonly #ports: Set<PortLike> = new Set();
  #retriedAt: Instant = 0;

  constructor({ socket, delivery }: SharedParts) {
    this.#socket = socket;
    this.#delivery = delivery;
    this.#store = snapshotOf(socket); // before the listeners below, which read it
    socket.binaryType = 'arraybuffer'; // a tab that wants a Blob makes one
    socket.addEventListener('message', ({ data, origin }) => {
      for (const port of this.#ports) post(port, 'message', data, origin);
    });
    for (const name of EVENTS) {
      socket.addEventListener(name, (event: Event) => {
        if (name === 'retry') this.#retriedAt = performance.now();
        for (const port of this.#ports) this.#pass(port, ...read(event));
      });
    }
  }

  /** Whether another tab can join. */
  get isOpen(): boolean {
    return this.#socket.readyState < ReadyState.Closing;
  }

  /** Adds a tab, and tells it what it has missed. It leaves when the lock is free. */
  join(port: PortLike, lock: string | undefined): void {
    this.#ports.add(port);
    port.addEventListener('message', ({ data }: { data: FromTab }) => this.#take(port, data));
    whenFree(lock, () => this.#leave(port));
    const { phase, retry } = this.#store.getSnapshot();
    if (phase === 'open') this.#pass(port, 'open');
    else if (phase === 'waiting' && retry) {
      const delay: Millis = retry.delay - (performance.now() - this.#retriedAt);
      this.#pass(port, 'retry', { ...retry, delay: Math.max(delay, 0) });
    } else post(port, 'state', this.#state);
  }

  #take(port: PortLike, message: FromTab): void {
    if (!this.#ports.has(port)) return;
    switch (message[0]) {
      case 'join':
        return;
      case 'send':
        return this.#send(port, message[1]);
      case 'close':
        return this.#close(port, message[1], message[2]);
      case 'leave':
        return this.#leave(port);
      case 'ask':
        return void this.#answer(port, message);
      default:
        return this.#socket[message[0]]();
    }
  }

  #send(port: PortLike, data: SocketData): void {
    try {
      this.#socket.send(data);
    } catch {
      this.#pass(port, 'drop', { messages: [data], reason: 'overflow' }); // it cannot be thrown there
    }
  }

  /** The socket ends with its last tab; the end of any other tab is its own. */
  #close(port: PortLike, code?: number, reason?: string): void {
    if (this.#ports.size === 1) return this.#socket.close(code, reason);
    this.#ports.delete(port);
    const state: SocketState = { ...this.#state, readyState: ReadyState.Closed };
    post(port, 'event', state, 'close', {
      ...{ code: code ?? CloseCode.NoStatus, text: reason ?? '', wasClean: true },
      ...{ reason: 'user', wasOpen: true },
    });
  }

  #leave(port: PortLike): void {
    port.close();
    if (this.#ports.delete(port) && this.#ports.size === 0) this.#socket.close();
  }

  async #answer(port: PortLike, message: FromTab & { 0: 'ask' }): Promise<void> {
    const [, id, kind, options] = message;
    try {
      const value = kind === 'ping' ? this.#socket.ping(options) : this.#flushed();
      post(port, 'answer', id, await value);
    } catch (error) {
      post(port, 'refusal', id, packed(error));
    }
  }

  #flushed(): Promise<unknown> {
    if (this.#delivery) return this.#delivery.flushed();
    throw new InvalidOptionError('delivery', 'in what `open` returns', undefined);
  }

  #pass(port: PortLike, ...event: ReconnectEvent): void {
    post(port, 'event', this.#state, ...event);
  }

  get #state(): SocketState {
    const { url, readyState, protocol, extensions, bufferedAmount, latency } = this.#socket;
    const { status, detectionBound, lastReceived } = this.#socket;
    return {
      ...{ url, readyState, protocol, extensions, bufferedAmount, latency, status, detectionBound },
      lastReceived: lastReceived && lastReceived + performance.timeOrigin,
    };
  }
}

function post(port: PortLike, ...message: ToTab): void {
  port.postMessage(message);
}

/** Reads an event, so that it can be posted. */
function read(event: Event): ReconnectEvent {
  const { detail, error, code, reason, wasClean } = event as Event & Record<string, unknown>;
  switch (event.type) {
    case 'close':
      return ['close', { code, text: reason, wasClean } as never];
    case 'error':
      return ['error', error];
    case 'dead':
      return ['dead', { ...(detail as object), error: packed(Object(detail).error) } as never];
    default:
      return [event.type, detail] as ReconnectEvent;
  }
}
