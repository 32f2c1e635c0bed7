import { type HeartbeatEvents, type Millis, ReadyState, type SocketData } from '@wirebeat/core';
import type { CloseRecord } from '../reconnect/close-record.ts';
import type { SocketCloseEvent, SocketCustomEvent, SocketMessageEvent } from './dom-events.ts';
import type { DomAbortSignal, DomEvent } from './dom-types.ts';
import { LateEventTarget } from './late-event-target.ts';

/**
 * Why messages will not be sent: the queue has no place, there is no connection any more, or it cannot
 * be sent. That is so if the socket throws at it, or if the server has closed three connections with
 * 1003, 1007, 1008, 1009 or 1011 while it was the first message that was not confirmed.
 */
export type DropReason = 'overflow' | 'close' | 'undeliverable';

/** The events of a {@link ReconnectingWebSocket}: the four of a WebSocket, and its heartbeat's. */
export type ReconnectingWebSocketEventMap = {
  readonly open: DomEvent;
  readonly message: SocketMessageEvent;
  readonly error: DomEvent;
  readonly close: SocketCloseEvent;
  /** The next attempt is scheduled: `attempt` counts from 1, `delay` is in ms. */
  readonly retry: SocketCustomEvent<{ attempt: number; delay: Millis; cause: CloseRecord }>;
  /** Messages that were given to `send()` and will not be sent, or not again. */
  readonly drop: SocketCustomEvent<{ messages: readonly SocketData[]; reason: DropReason }>;
  /** There will be no further attempt. */
  readonly giveup: SocketCustomEvent<{ attempts: number; cause: CloseRecord }>;
} & { readonly [Name in keyof HeartbeatEvents]: SocketCustomEvent<HeartbeatEvents[Name]> };

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** As the standard's, which `@types/node` names otherwise. */
interface ListenerOptions {
  readonly capture?: boolean;
  readonly once?: boolean;
  readonly passive?: boolean;
  readonly signal?: DomAbortSignal;
}

type Handler<Name extends keyof ReconnectingWebSocketEventMap> =
  // biome-ignore lint/suspicious/noExplicitAny: a handler may return anything, as in the standard
  ((event: ReconnectingWebSocketEventMap[Name]) => any) | null;

/** One of the four, in its turn among the listeners. */
interface HandlerListener {
  handler: (event: never) => unknown;
  handleEvent(event: DomEvent): void;
}

class Face extends LateEventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  readonly #handlers: Map<string, HandlerListener> = new Map();

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return 'WebSocket';
  }

  get onopen(): Handler<'open'> {
    return this.#handler('open');
  }

  set onopen(handler: Handler<'open'>) {
    this.#setHandler('open', handler);
  }

  get onmessage(): Handler<'message'> {
    return this.#handler('message');
  }

  set onmessage(handler: Handler<'message'>) {
    this.#setHandler('message', handler);
  }

  get onerror(): Handler<'error'> {
    return this.#handler('error');
  }

  set onerror(handler: Handler<'error'>) {
    this.#setHandler('error', handler);
  }

  get onclose(): Handler<'close'> {
    return this.#handler('close');
  }

  set onclose(handler: Handler<'close'>) {
    this.#setHandler('close', handler);
  }

  override addEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: Listener<DomEvent> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: Listener<never> | null,
    options?: boolean | ListenerOptions,
  ): void {
    super.addEventListener(type, listener as Listener<DomEvent> | null, options);
  }

  override removeEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: Listener<DomEvent> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: Listener<never> | null,
    options?: boolean | ListenerOptions,
  ): void {
    super.removeEventListener(type, listener as Listener<DomEvent> | null, options);
  }

  #handler<Name extends keyof ReconnectingWebSocketEventMap>(name: Name): Handler<Name> {
    return (this.#handlers.get(name)?.handler as Handler<Name> | undefined) ?? null;
  }

  /** HTML §8.1.8.1: replaced, a handler keeps its turn; taken away, it loses it. */
  #setHandler<Name extends keyof ReconnectingWebSocketEventMap>(
    name: Name,
    handler: Handler<Name>,
  ): void {
    const known = this.#handlers.get(name);
    if (typeof handler !== 'function') {
      this.#handlers.delete(name);
      if (known !== undefined) super.removeEventListener(name, known);
    } else if (known !== undefined) known.handler = handler;
    else {
      // A listener of its own: the same function may be added as a listener too.
      const listener: HandlerListener = {
        handler,
        handleEvent: (event) => listener.handler.call(this, event as never),
      };
      this.#handlers.set(name, listener);
      super.addEventListener(name, listener);
    }
  }
}

/** As WebIDL has them: on the class and on its prototype, and never another value. */
function withConstants(face: typeof Face): typeof Face {
  for (const [name, value] of Object.entries(ReadyState)) {
    for (const target of [face, face.prototype]) {
      Object.defineProperty(target, name.toUpperCase(), { value, enumerable: true });
    }
  }
  return face;
}

/**
 * The face of a WebSocket: the constants, the four handlers, and listeners that know their events.
 * What dispatches the events stands in {@link ReconnectingWebSocket}.
 */
export const WebSocketEventTarget: typeof Face = /* @__PURE__ */ withConstants(Face);
