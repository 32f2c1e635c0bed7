import { type HeartbeatEvents, type Millis, ReadyState, type SocketData } from '@wirebeat/core';
import type { CloseRecord } from '../reconnect/close-record.ts';
import type { SocketCloseEvent, SocketCustomEvent, SocketMessageEvent } from './dom-events.ts';
import type { DomAbortSignal, DomEvent } from './dom-types.ts';
import { LateEventTarget } from './late-event-target.ts';

/**
 * Why messages are dropped. `overflow`: they do not fit into the queue. `close`: the socket is
 * closed for good. `undeliverable`: the `send()` of the underlying socket throws, or the server has
 * closed three connections with 1003, 1007, 1008, 1009 or 1011 while this was the first unconfirmed
 * message.
 */
export type DropReason = 'overflow' | 'close' | 'undeliverable';

/**
 * The events of a {@link ReconnectingWebSocket}: those of `WebSocket`, of the heartbeat, and its
 * own.
 */
export type ReconnectingWebSocketEventMap = {
  readonly open: DomEvent;
  readonly message: SocketMessageEvent;
  readonly error: DomEvent;
  readonly close: SocketCloseEvent;
  /** The next attempt is scheduled. `attempt` starts at 1; `delay` is in ms. */
  readonly retry: SocketCustomEvent<{ attempt: number; delay: Millis; cause: CloseRecord }>;
  /** Messages passed to `send()` will not be sent, or not be sent again. */
  readonly drop: SocketCustomEvent<{ messages: readonly SocketData[]; reason: DropReason }>;
  /** No further attempt will be made. */
  readonly giveup: SocketCustomEvent<{ attempts: number; cause: CloseRecord }>;
} & { readonly [Name in keyof HeartbeatEvents]: SocketCustomEvent<HeartbeatEvents[Name]> };

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** As in the standard. The type has another name in `@types/node`. */
interface ListenerOptions {
  readonly capture?: boolean;
  readonly once?: boolean;
  readonly passive?: boolean;
  readonly signal?: DomAbortSignal;
}

type Handler<Name extends keyof ReconnectingWebSocketEventMap> =
  // biome-ignore lint/suspicious/noExplicitAny: a handler may return anything, as in the standard
  ((event: ReconnectingWebSocketEventMap[Name]) => any) | null;

/** The listener that calls one of the four handlers, in its place among the listeners. */
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

  /** The tag that `Object.prototype.toString` returns. */
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

  /**
   * HTML §8.1.8.1: a replaced handler keeps its place among the listeners, a removed one loses it.
   */
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
      // A separate listener, because the same function may be added as a listener too.
      const listener: HandlerListener = {
        handler,
        handleEvent: (event) => listener.handler.call(this, event as never),
      };
      this.#handlers.set(name, listener);
      super.addEventListener(name, listener);
    }
  }
}

/** Defines read-only constants on the class and on its prototype, as in WebIDL. */
function withConstants(face: typeof Face): typeof Face {
  for (const [name, value] of Object.entries(ReadyState)) {
    for (const target of [face, face.prototype]) {
      Object.defineProperty(target, name.toUpperCase(), { value, enumerable: true });
    }
  }
  return face;
}

/**
 * The event API of `WebSocket`: the constants, the four handlers, and typed listeners.
 * {@link ReconnectingWebSocket} dispatches the events.
 */
export const WebSocketEventTarget: typeof Face = /* @__PURE__ */ withConstants(Face);
