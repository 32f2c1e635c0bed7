import type { Scheduler, WebSocketLike } from '@wirebeat/core';
import { messageEvent } from '../websocket-api/dom-events.ts';
import type { Connection } from './connection.ts';
import { HeldMessages } from './held-messages.ts';
import type { ReadySocket } from './options.ts';

/**
 * What the `ready` function of the application sees of one connection: its socket, without pings
 * and pongs, and with the messages that were held while the connection was the standby.
 */
export class Preparation {
  readonly socket: ReadySocket;
  readonly #target: EventTarget = new EventTarget();
  readonly #held: HeldMessages;

  /** `emit` is called with each held message, before the listeners of the socket. */
  constructor(
    connection: Connection,
    url: string,
    scheduler: Scheduler,
    emit: (data: unknown) => void,
  ) {
    const socket = connection.socket as WebSocketLike & { readonly protocol?: string };
    const targetOf = (type: string) => (type === 'message' ? this.#target : socket);
    this.socket = {
      url,
      protocol: socket.protocol ?? '',
      send: (data) => connection.send(data),
      addEventListener: (type, ...args) => targetOf(type).addEventListener(type, ...args),
      removeEventListener: (type, ...args) => targetOf(type).removeEventListener(type, ...args),
    };
    this.#held = new HeldMessages(connection.held.splice(0), scheduler, (data) => {
      emit(data);
      this.receive(data);
    });
  }

  /** Returns whether the message was queued behind held ones. If not, call {@link receive}. */
  hold(data: unknown): boolean {
    return this.#held.add(data);
  }

  receive(data: unknown): void {
    this.#target.dispatchEvent(messageEvent(data, ''));
  }

  /** Emits all held messages now. */
  flush(): void {
    this.#held.flush();
  }

  /** Discards all held messages. */
  cancel(): void {
    this.#held.cancel();
  }
}
