import { type Beat, decodeBeat, mayBeBeat } from '../protocol/beat.ts';
import type { SocketEvent, WebSocketLike } from '../socket.ts';
import { gateListeners } from './listener-gate.ts';
import { override } from './override.ts';

/** Receives what a socket receives. */
export interface Interceptor {
  /**
   * Called for each message, with the ping or pong in it, if any. Those are hidden afterwards.
   * `timeStamp` is that of the event, if there is one.
   */
  receive(beat: Beat | undefined, timeStamp?: number): void;
  /** If set, reads each message in place of `receive`. */
  reader?: MessageReader | undefined;
  /** Called for each protocol Ping, if the runtime reports it. */
  receiveProtocolPing?(): void;
}

/** Reads messages, and returns what the application receives; `undefined` for nothing. */
export interface MessageReader {
  /** Called with the data of each message, as an event emitter emits it. */
  receive(data: unknown, isText: boolean): unknown;
  /** Called with each event, maybe several times. `byHandler`: before its listeners are called. */
  receiveEvent(event: SocketEvent, byHandler?: boolean): SocketEvent | undefined;
}

/** The parts of the response to a handshake, an `IncomingMessage` of Node, that are used. */
export interface RefusedHandshake {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A socket that is also an event emitter of Node, as in `ws`. */
interface EmittingSocket extends WebSocketLike {
  emit(name: string, ...args: unknown[]): boolean;
}

/** A socket that dispatches events with its public `dispatchEvent`, as in undici. */
interface DispatchingSocket extends WebSocketLike {
  dispatchEvent(event: SocketEvent): boolean;
}

/**
 * Passes everything that `socket` receives to `interceptor` before the application sees it, and
 * hides pings and pongs from the application. Returns a function that restores the socket.
 *
 * `ws` and undici dispatch with a method that can be overridden on one object, so no listener sees
 * a ping or pong. In browsers, only a listener can intercept messages. It hides pings and pongs
 * from `onmessage` and from listeners added later; in Firefox and WebKit, from earlier listeners
 * too. {@link gateListeners} handles an `onmessage` that was set earlier, and classes that call
 * their listeners themselves.
 */
export function intercept(socket: WebSocketLike, interceptor: Interceptor): () => void {
  if (isEmitting(socket)) return interceptEmit(socket, interceptor);
  return interceptDispatch(socket as DispatchingSocket, interceptor);
}

/**
 * Calls `before` with the first argument before each call of a method, and `after` after the call.
 * After `send`, `isWhole` is false if more fragments of the message follow (`fin: false` in `ws`):
 * until the last fragment, any text sent would become part of the message. Returns a function that
 * restores the method.
 */
export function interceptCalls(
  socket: WebSocketLike,
  name: 'send' | 'close',
  before: (argument: unknown) => void,
  after?: (isWhole: boolean) => void,
): () => void {
  const method: (...args: never[]) => void = socket[name];
  return override(socket, name, function (this: unknown, ...args: never[]): void {
    before(args[0]);
    const returned = method.apply(this, args);
    after?.((args[1] as { fin?: boolean } | undefined)?.fin !== false);
    return returned;
  });
}

function isEmitting(socket: WebSocketLike): socket is EmittingSocket {
  return typeof (socket as Partial<EmittingSocket>).emit === 'function';
}

function interceptEmit(socket: EmittingSocket, interceptor: Interceptor): () => void {
  const { emit } = socket;
  return override(
    socket,
    'emit',
    function (this: unknown, name: string, ...args: unknown[]): boolean {
      if (name === 'message' && interceptor.reader !== undefined) {
        args[0] = interceptor.reader.receive(args[0], args[1] !== true);
        if (args[0] === undefined) return true;
      } else if (name === 'message') {
        const beat = args[1] === true ? undefined : readBeat(args[0]);
        interceptor.receive(beat);
        if (beat !== undefined) return true;
      } else if (name === 'ping') interceptor.receiveProtocolPing?.();
      return Reflect.apply(emit, this, [name, ...args]);
    },
  );
}

function interceptDispatch(socket: DispatchingSocket, interceptor: Interceptor): () => void {
  let seen: SocketEvent | undefined; // handled by the override, so the listener ignores it
  const take = (event: SocketEvent): SocketEvent | undefined => {
    if (interceptor.reader !== undefined) return interceptor.reader.receiveEvent(event);
    const beat = typeof event.data === 'string' ? decodeBeat(event.data) : undefined;
    interceptor.receive(beat, event.timeStamp);
    return beat === undefined ? event : undefined;
  };
  const listener = (event: SocketEvent) => {
    if (event === seen) return;
    const left = take(event);
    if (left === event) return;
    event.stopImmediatePropagation?.();
    seen = left;
    if (left !== undefined) dispatchEvent.call(socket, left);
  };
  const options = { capture: true };
  try {
    socket.addEventListener('message', listener, options);
  } catch {
    options.capture = false; // workerd supports nothing else
    socket.addEventListener('message', listener, options);
  }
  const openGates = gateListeners(socket, (event) => {
    if (interceptor.reader !== undefined) return interceptor.reader.receiveEvent(event, true);
    return typeof event.data === 'string' && decodeBeat(event.data) ? undefined : event;
  }); // before the override, as it looks for `dispatchEvent`
  const { dispatchEvent } = socket;
  const restore = override(
    socket,
    'dispatchEvent',
    // mock-socket passes more than the event.
    function (this: unknown, ...args: [event: SocketEvent]): boolean {
      if (args[0].type === 'message') {
        const left = take(args[0]);
        if (left === undefined) return true;
        args[0] = seen = left;
      }
      return dispatchEvent.apply(this as never, args);
    },
  );
  return () => {
    openGates();
    restore();
    socket.removeEventListener('message', listener, options);
  };
}

/** Reads a ping or pong from text or, as in `ws`, from the bytes of text; otherwise undefined. */
export function readBeat(data: unknown): Beat | undefined {
  if (typeof data === 'string') return decodeBeat(data);
  if (!ArrayBuffer.isView(data)) return undefined; // `isView` accepts a Buffer of another realm
  const bytes = data as Uint8Array;
  return mayBeBeat(bytes) ? decodeBeat(String.fromCharCode(...bytes)) : undefined;
}
