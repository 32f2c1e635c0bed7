import { IS_PAGE } from '../development.ts';
import { type Beat, decodeBeat, mayBeBeat } from '../protocol/beat.ts';
import type { SocketEvent, WebSocketLike } from '../socket.ts';
import { gateListeners, type ListenerGate } from './imitation-gate.ts';
import { override } from './override.ts';

/** Receives what a socket receives. */
export interface Interceptor {
  /**
   * Called for each message, with the ping or pong in it, if any. Those are hidden afterwards.
   * `timeStamp` is that of the event, if there is one.
   */
  receive(beat: Beat | undefined, timeStamp?: number): void;
  /** If set, reads each message in place of `receive`, because they are in another protocol. */
  dialect?: MessageReader | undefined;
  /** Called for each protocol Ping, if the runtime reports it. */
  receiveProtocolPing?(): void;
}

/** Reads messages. */
export interface MessageReader {
  /**
   * Called with the data of each message, and with its event if there is one. Returns what the application
   * receives in place of the event, or of the data; `undefined` for nothing.
   */
  receive(data: unknown, event?: unknown, isText?: boolean): unknown;
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
  onmessage?: unknown;
  dispatchEvent(event: SocketEvent): boolean;
}

/**
 * Passes everything that `socket` receives to `interceptor` before the application sees it, and
 * hides pings and pongs from the application. Returns a function that restores the socket.
 *
 * `ws` and undici dispatch with a method that can be overridden on one object, so no listener sees
 * a ping or pong. In browsers, only a listener can intercept messages. It hides pings and pongs
 * from `onmessage` and from listeners added later; in Firefox and WebKit, from earlier listeners
 * too. An `onmessage` that was set earlier is put behind that listener. On classes that call their
 * listeners themselves, only `gate` hides them.
 */
export function intercept(
  socket: WebSocketLike,
  interceptor: Interceptor,
  gate?: ListenerGate,
): () => void {
  if (isEmitting(socket)) return interceptEmit(socket, interceptor);
  // Deno never moves a handler, and workerd calls it before all listeners.
  const gates: ListenerGate | undefined = IS_PAGE ? gate : (gate ?? gateListeners);
  return interceptEvents(socket as DispatchingSocket, interceptor, gates);
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
    after?.(IS_PAGE || (args[1] as { fin?: boolean } | undefined)?.fin !== false);
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
      if (name === 'message') {
        const isText = args[1] !== true;
        if (interceptor.dialect) {
          args[0] = interceptor.dialect.receive(args[0], args[0], isText);
          if (args[0] === undefined) return true;
        } else {
          const beat = isText ? readBeat(args[0]) : undefined;
          interceptor.receive(beat);
          if (beat) return true;
        }
      } else if (name === 'ping') interceptor.receiveProtocolPing?.();
      return emit.call(this, name, ...args);
    },
  );
}

/** Puts the handler behind all listeners. Browsers call them in the order in which they were added. */
function putHandlerLast(socket: { onmessage?: unknown }): void {
  const { onmessage } = socket;
  if (!onmessage) return;
  socket.onmessage = null;
  socket.onmessage = onmessage;
}

function interceptEvents(
  socket: DispatchingSocket,
  interceptor: Interceptor,
  gate?: ListenerGate,
): () => void {
  let seen: SocketEvent | undefined; // read already, and on its way to the application
  const take = takeFor(interceptor, gate);
  const listener = (event: SocketEvent) => {
    if (event === seen) return;
    const left = take(event);
    if (left === event) return;
    event.stopImmediatePropagation?.();
    seen = left;
    if (left) socket.dispatchEvent(left);
  };
  const options = { capture: true };
  const listen = () => socket.addEventListener('message', listener, options);
  if (IS_PAGE) listen();
  else {
    try {
      listen();
    } catch {
      options.capture = false; // workerd supports nothing else
      listen();
    }
  }
  // Before the override, as it looks for `dispatchEvent`.
  const openGates = gate?.(socket, (event) => take(event, true));
  if (IS_PAGE && !gate) putHandlerLast(socket);
  const restore = overrideDispatch(socket, (event) => {
    seen = take(event);
    return seen;
  });
  return () => {
    openGates?.();
    restore();
    socket.removeEventListener('message', listener, options);
  };
}

/** Dispatches what `pass` leaves of each message. */
function overrideDispatch(
  socket: DispatchingSocket,
  pass: (event: SocketEvent) => SocketEvent | undefined,
): () => void {
  const { dispatchEvent } = socket;
  // mock-socket passes more than the event.
  const dispatch = function (this: unknown, ...args: [event: SocketEvent]): boolean {
    if (args[0].type === 'message') {
      const left = pass(args[0]);
      if (left === undefined) return true;
      args[0] = left;
    }
    return dispatchEvent.apply(this as never, args);
  };
  return override(socket, 'dispatchEvent', dispatch);
}

/** Returns what the application receives of an event. `byHandler`: before its listeners are called. */
type Take = (event: SocketEvent, byHandler?: boolean) => SocketEvent | undefined;

function takeFor(interceptor: Interceptor, gate?: ListenerGate): Take {
  const read = (event: SocketEvent) =>
    interceptor.dialect?.receive(event.data, event) as SocketEvent | undefined;
  const readOnce: Take = gate?.once?.(read) ?? read;
  return (event, byHandler = false) => {
    if (interceptor.dialect) return readOnce(event, byHandler);
    const beat = typeof event.data === 'string' ? decodeBeat(event.data) : undefined;
    if (!byHandler) interceptor.receive(beat, event.timeStamp); // once for each event
    return beat ? undefined : event;
  };
}

/** Reads a ping or pong from text or, as in `ws`, from the bytes of text; otherwise undefined. */
export function readBeat(data: unknown): Beat | undefined {
  if (typeof data === 'string') return decodeBeat(data);
  if (!ArrayBuffer.isView(data)) return undefined; // `isView` accepts a Buffer of another realm
  const bytes = data as Uint8Array;
  return mayBeBeat(bytes) ? decodeBeat(String.fromCharCode(...bytes)) : undefined;
}
