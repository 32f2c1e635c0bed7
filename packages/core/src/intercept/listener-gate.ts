import { decodeBeat } from '../protocol/beat.ts';
import type { SocketEvent, WebSocketLike } from '../socket.ts';
import { override } from './override.ts';

type Callback = (event: SocketEvent) => unknown;
type Listener = Callback | { handleEvent: Callback };
type ListenerOptions = { readonly once?: boolean } | boolean | undefined;

/** Not in every runtime, nor in the types that the core is compiled with. */
declare const EventTarget: (new () => object) | undefined;

/** A socket with a handler, which may be called before our listener is. */
interface HandledSocket extends WebSocketLike {
  onmessage?: Callback | null;
}

/**
 * Keeps beats from those that our listener cannot keep them from: it comes too late, or stops nobody.
 * That is the handler that was set before it. And it is what a class that imitates a WebSocket calls
 * by itself: partysocket its handler, reconnecting-websocket the listeners too, of which those are
 * gated that are added from now on. Returns what ends it and leaves no trace.
 */
export function gateListeners(socket: HandledSocket): () => void {
  // A runtime's own class has an accessor in its prototype, but for workerd, which reads a field.
  const hasField = 'value' in (Object.getOwnPropertyDescriptor(socket, 'onmessage') ?? {});
  const willHave = !('onmessage' in socket);
  const ends: (() => void)[] = [];
  if (hasField || willHave || socket.onmessage) {
    ends.push(gateHandler(socket, hasField || willHave));
  }
  // One that is an EventTarget dispatches to its listeners, and that is intercepted. That of another
  // realm or of a polyfill is known by its method.
  const dispatches = typeof EventTarget === 'function' && socket instanceof EventTarget;
  const looksSo = 'dispatchEvent' in socket && !hasField;
  if (!dispatches && !looksSo) ends.push(gateAdded(socket));
  return () => {
    for (const end of ends) end();
  };
}

/** Who calls a handler in a field reads it there: then `onmessage` reads as the gate before it. */
function gateHandler(socket: HandledSocket, hasField: boolean): () => void {
  const before = Object.getOwnPropertyDescriptor(socket, 'onmessage');
  let handler = socket.onmessage ?? null;
  let gate = handler && gateOf(handler);
  const get = () => (hasField ? gate : handler);
  const give = (given: Callback | null) => {
    if (hasField) return;
    if (before?.set) before.set.call(socket, given);
    else Reflect.set(Object.getPrototypeOf(socket), 'onmessage', given, socket);
  };
  const set = (given: Callback | null) => {
    handler = given;
    gate = given && gateOf(given);
    give(gate);
  };
  give(gate);
  Object.defineProperty(socket, 'onmessage', { configurable: true, enumerable: true, get, set });
  return () => {
    // If another put its own on top, ours stays below it.
    if (Object.getOwnPropertyDescriptor(socket, 'onmessage')?.get !== get) return;
    if (before === undefined) Reflect.deleteProperty(socket, 'onmessage');
    else Object.defineProperty(socket, 'onmessage', before);
    if (handler || 'onmessage' in socket) socket.onmessage = handler;
  };
}

function gateAdded(socket: WebSocketLike): () => void {
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
    const gate = gateOf(listener, once ? () => release(listener, options) : undefined);
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
    // In their order, and behind those added before, as they were.
    for (const [listener, [gate, options]] of gates) {
      removeEventListener.call(socket, 'message', gate, options);
      addEventListener.call(socket, 'message', listener, options);
    }
  };
}

/** Lets everything through but beats. */
function gateOf(listener: Listener, beforehand?: () => void): Callback {
  return function (this: unknown, event) {
    if (typeof event.data === 'string' && decodeBeat(event.data) !== undefined) return undefined;
    beforehand?.();
    return typeof listener === 'function'
      ? listener.call(this, event)
      : listener.handleEvent(event);
  };
}
