import type { HeartbeatEvents, Millis, SocketData } from '@wirebeat/core';
import { IS_PAGE } from '../development.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import type { SocketCloseEvent, SocketCustomEvent, SocketMessageEvent } from './dom-events.ts';
import type { DomAbortSignal, DomEvent, DomEventTarget } from './dom-types.ts';

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
  /**
   * An attempt has failed, a connection could not be prepared, or the socket could not send a message.
   * `error` is what was thrown or, in Node, what the socket reported; absent if a browser reports nothing.
   */
  readonly error: DomEvent & { readonly error?: unknown };
  readonly close: SocketCloseEvent;
  /**
   * A wait is over, and an attempt begins. `attempt` is that of the last `retry`, and 0 if none
   * failed. Not emitted for the first attempt, and for a second connection beside the first only if
   * that one ends while the second is still being opened.
   */
  readonly dial: SocketCustomEvent<{ attempt: number }>;
  /** The next attempt is scheduled. `attempt` is the number of counted attempts; `delay` is in ms. */
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
  handler: (event: DomEvent) => unknown;
  handleEvent(event: DomEvent): void;
}

interface Constants {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
}

/** The event API of `WebSocket`: the constants, the four handlers, and typed listeners. */
export interface TypedEventTarget extends DomEventTarget, Constants {
  onopen: Handler<'open'>;
  onmessage: Handler<'message'>;
  onerror: Handler<'error'>;
  onclose: Handler<'close'>;
  addEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: Listener<DomEvent> | null,
    options?: boolean | ListenerOptions,
  ): void;
  removeEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: Listener<DomEvent> | null,
    options?: boolean | ListenerOptions,
  ): void;
  /** The tag that `Object.prototype.toString` returns. */
  readonly [Symbol.toStringTag]: string;
}

interface EventTargetClass extends Constants {
  new (): TypedEventTarget;
  readonly prototype: TypedEventTarget;
}

/** The globals that a `ReconnectingWebSocket` requires, and their polyfills. */
const POLYFILLS = {
  EventTarget: 'event-target-polyfill',
  Event: 'event-target-polyfill',
  AbortController: 'abort-controller/polyfill',
  URL: 'react-native-url-polyfill/auto',
};

/**
 * Creates a class that extends the `EventTarget` of the runtime. Looks it up when the first object is
 * created and not at import: if it is missing, as in React Native, a class that extends it directly
 * throws at import.
 */
function createClass(): EventTargetClass {
  const Class = function (this: unknown): object {
    if (!IS_PAGE) checkGlobals();
    if (!(prototype instanceof EventTarget)) {
      Object.setPrototypeOf(Class, EventTarget); // Node recognizes its own by this
      Object.setPrototypeOf(prototype, EventTarget.prototype);
    }
    // It ignores its arguments. Naming the other globals here makes a missing one an error now.
    const others = [Event, AbortController, URL];
    return Reflect.construct(EventTarget, others, new.target as unknown as typeof EventTarget);
  } as unknown as EventTargetClass;
  const { prototype } = Class;
  for (const target of [Class, prototype]) {
    ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].forEach((name, value) => {
      Object.defineProperty(target, name, { value, enumerable: true });
    });
  }
  for (const type of ['open', 'message', 'error', 'close']) {
    Object.defineProperty(prototype, `on${type}`, handlerOf(type));
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: 'WebSocket', configurable: true });
  return Class;
}

/** React Native lacks some. Pages have all, so in bundles for pages the error only names what is missing. */
function checkGlobals(): void {
  for (const [name, polyfill] of Object.entries(POLYFILLS)) {
    if (typeof Reflect.get(globalThis, name) === 'function') continue;
    throw new ReferenceError(
      `ReconnectingWebSocket needs \`${name}\`: import a polyfill first, such as \`${polyfill}\``,
    );
  }
}

/**
 * Returns a property for the handler of a type. HTML §8.1.8.1: a replaced handler keeps its place
 * among the listeners, a removed one loses it.
 */
function handlerOf(type: string): PropertyDescriptor & ThisType<DomEventTarget> {
  const listeners = new WeakMap<object, HandlerListener>();
  return {
    configurable: true,
    get() {
      return listeners.get(this)?.handler ?? null;
    },
    set(handler: unknown) {
      const known = listeners.get(this);
      if (typeof handler !== 'function') {
        this.removeEventListener(type, known ?? null);
        listeners.delete(this);
      } else if (known) known.handler = handler as HandlerListener['handler'];
      else {
        // A separate listener, because the same function may be added as a listener too.
        const listener: HandlerListener = {
          handler: handler as HandlerListener['handler'],
          handleEvent: (event) => listener.handler.call(this, event),
        };
        listeners.set(this, listener);
        this.addEventListener(type, listener);
      }
    },
  };
}

/** The base of {@link ReconnectingWebSocket}, which dispatches the events. */
export const WebSocketEventTarget: EventTargetClass = /* @__PURE__ */ createClass();
