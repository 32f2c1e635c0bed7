import type { SocketEvent, WebSocketLike } from '../socket.ts';
import { override } from './override.ts';

type Callback = (event: SocketEvent) => unknown;
/** Returns the event to pass to a listener, or `undefined` to hide it. */
type Pass = (event: SocketEvent) => SocketEvent | undefined;
/**
 * Hides pings and pongs from the listeners of a socket that calls them itself. Calls `pass` for each
 * event, and returns a function that restores the socket.
 */
export interface ListenerGate {
  (socket: WebSocketLike, pass: Pass): () => void;
  /**
   * Makes a reader that keeps state read each event once, although several listeners may ask. `byHandler`
   * if a handler asks, before the event is dispatched.
   */
  once?(read: Pass): (event: SocketEvent, byHandler?: boolean) => SocketEvent | undefined;
}
type Listener = Callback | { handleEvent: Callback };
type ListenerOptions = { readonly once?: boolean } | boolean | undefined;

/** Missing in some runtimes, and in the types that the core is compiled with. */
declare const EventTarget: (new () => object) | undefined;

/** A socket with a handler that may be called before our listener. */
interface HandledSocket extends WebSocketLike {
  onmessage?: Callback | null;
}

/**
 * Hides pings and pongs where our own listener cannot hide them. This applies to an `onmessage`
 * handler that was set earlier, and to classes that call handlers themselves: partysocket calls its
 * handler, and reconnecting-websocket its listeners too. Only listeners added from now on are
 * gated. `pass` is called for each event. Returns a function that restores the socket.
 */
export const gateListeners: ListenerGate = /* @__PURE__ */ Object.assign(gate, { once });

function once(read: Pass): (event: SocketEvent, byHandler?: boolean) => SocketEvent | undefined {
  let last: SocketEvent | undefined;
  let left: SocketEvent | undefined; // what the application receives of it
  let isCopyDue = false;
  return (event, byHandler = false) => {
    // A class that calls its handlers itself, such as partysocket, dispatches a copy afterwards.
    const isCopy = isCopyDue && !byHandler && event.data === last?.data;
    const isNew = !isCopy && event !== last && event !== left;
    isCopyDue = byHandler && (isNew || isCopyDue);
    if (isNew) left = read(event);
    else if (isCopy && left === last) left = event;
    if (isNew || isCopy) last = event;
    return left;
  };
}

function gate(socket: HandledSocket, pass: Pass): () => void {
  // The native class has an accessor in its prototype, except in workerd, which reads a field.
  const hasField = 'value' in (Object.getOwnPropertyDescriptor(socket, 'onmessage') ?? {});
  const willHave = !('onmessage' in socket);
  const ends: (() => void)[] = [];
  if (hasField || willHave || socket.onmessage) {
    ends.push(gateHandler(socket, hasField || willHave, pass));
  }
  // An EventTarget dispatches to its listeners, which is intercepted already. An EventTarget of
  // another realm or of a polyfill is recognized by its method.
  const dispatches = typeof EventTarget === 'function' && socket instanceof EventTarget;
  const looksSo = 'dispatchEvent' in socket && !hasField;
  if (!dispatches && !looksSo) ends.push(gateAdded(socket, pass));
  return () => {
    for (const end of ends) end();
  };
}

/**
 * Whether this is a class that calls its handler or its listeners itself, so that in a page only
 * {@link gateListeners} hides pings and pongs from them.
 */
export function callsItself(socket: WebSocketLike): boolean {
  if ('emit' in socket) return false;
  const hasField = 'value' in (Object.getOwnPropertyDescriptor(socket, 'onmessage') ?? {});
  const dispatches = typeof EventTarget === 'function' && socket instanceof EventTarget;
  return dispatches ? hasField : !('dispatchEvent' in socket);
}

/** Gates `onmessage`. If the class reads it from a field, reading `onmessage` returns the gate. */
function gateHandler(socket: HandledSocket, hasField: boolean, pass: Pass): () => void {
  const before = Object.getOwnPropertyDescriptor(socket, 'onmessage');
  let handler = socket.onmessage ?? null;
  let gate = handler && gateOf(handler, pass);
  const get = () => (hasField ? gate : handler);
  const give = (given: Callback | null) => {
    if (hasField) return;
    if (before?.set) before.set.call(socket, given);
    else Reflect.set(Object.getPrototypeOf(socket), 'onmessage', given, socket);
  };
  const set = (given: Callback | null) => {
    handler = given;
    gate = given && gateOf(given, pass);
    give(gate);
  };
  give(gate);
  Object.defineProperty(socket, 'onmessage', { configurable: true, enumerable: true, get, set });
  return () => {
    // If other code has redefined the property since, ours stays.
    if (Object.getOwnPropertyDescriptor(socket, 'onmessage')?.get !== get) return;
    if (before === undefined) Reflect.deleteProperty(socket, 'onmessage');
    else Object.defineProperty(socket, 'onmessage', before);
    if (handler || 'onmessage' in socket) socket.onmessage = handler;
  };
}

function gateAdded(socket: WebSocketLike, pass: Pass): () => void {
  const { addEventListener, removeEventListener } = socket;
  const gates = new Map<Listener, [gate: Callback, options: ListenerOptions]>();
  const release = (listener: Listener, options?: ListenerOptions) => {
    removeEventListener.call(socket, 'message', gates.get(listener)?.[0] ?? listener, options);
    gates.delete(listener);
  };
  const add = (type: string, listener: Listener | null, options?: ListenerOptions) => {
    if (type !== 'message' || listener === null) {
      return addEventListener.call(socket, type, listener, options);
    }
    if (gates.has(listener)) return;
    const once = typeof options === 'object' && options.once === true;
    const gate = gateOf(listener, pass, once ? () => release(listener, options) : undefined);
    gates.set(listener, [gate, options]);
    addEventListener.call(socket, type, gate, once ? { ...options, once: false } : options);
  };
  const ends = [
    override(socket, 'addEventListener', add),
    override(socket, 'removeEventListener', (type: string, listener: Listener, options) => {
      if (type === 'message') release(listener, options);
      else removeEventListener.call(socket, type, listener, options);
    }),
  ];
  return () => {
    for (const end of ends) end();
    // Adds the listeners again in their order, after those added before.
    for (const [listener, [gate, options]] of gates) {
      removeEventListener.call(socket, 'message', gate, options);
      addEventListener.call(socket, 'message', listener, options);
    }
  };
}

/** Wraps a listener so that it receives only what `pass` returns. */
function gateOf(listener: Listener, pass: Pass, beforehand?: () => void): Callback {
  let replaced: SocketEvent | undefined; // received in place of another, and dispatched after it
  return function (this: unknown, event) {
    const left = pass(event);
    if (left === undefined || left === replaced) return undefined;
    if (left !== event) replaced = left;
    beforehand?.();
    return typeof listener === 'function' ? listener.call(this, left) : listener.handleEvent(left);
  };
}
