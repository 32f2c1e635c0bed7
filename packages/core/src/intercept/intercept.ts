import { type Beat, decodeBeat, mayBeBeat } from '../protocol/beat.ts';
import type { SocketEvent, WebSocketLike } from '../socket.ts';
import { gateListeners } from './listener-gate.ts';
import { override } from './override.ts';

/** What is to be done with what a socket receives. */
export interface Interceptor {
  /** A message came: undefined or the beat that it is. A beat goes no further. */
  receive(beat: Beat | undefined): void;
  /** A protocol Ping came, where the runtime tells. */
  receiveProtocolPing?(): void;
  /** The server refused the handshake, where the runtime tells. */
  receiveRefusal?(response: RefusedHandshake): void;
  /** A protocol Pong came, where the runtime tells. Whether it is ours: then it goes no further. */
  receiveProtocolPong?(payload: Uint8Array): boolean;
}

/** What is used of the answer to a handshake, an `IncomingMessage` of Node. */
export interface RefusedHandshake {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A socket that is Node's event emitter too, as that of `ws`. */
interface EmittingSocket extends WebSocketLike {
  emit(name: string, ...args: unknown[]): boolean;
}

/** A socket whose runtime dispatches by its public `dispatchEvent`, as undici and imitations do. */
interface DispatchingSocket extends WebSocketLike {
  dispatchEvent(event: SocketEvent): boolean;
}

/**
 * Shows `interceptor` all that `socket` receives before the application sees it, and keeps beats
 * from the application. Returns what ends it and leaves no trace.
 *
 * `ws` and undici deliver by a method that can be overridden on the one object: no listener sees a
 * beat, whenever it was added. A browser can only be told by a listener: that hides beats from
 * `onmessage` and from listeners added later, and in Firefox and WebKit from those added earlier
 * too. A handler that was set before, and a class that calls its listeners by itself, is given gates:
 * see {@link gateListeners}.
 */
export function intercept(socket: WebSocketLike, interceptor: Interceptor): () => void {
  if (isEmitting(socket)) return interceptEmit(socket, interceptor);
  return interceptDispatch(socket as DispatchingSocket, interceptor);
}

/**
 * Calls `before` with the first argument before each call of that method, and `after` behind it. After `send`, with `false`
 * if more fragments of that message follow, as `ws` can send them (`fin: false`): until the last one
 * a text of ours would become a part of the message. Returns what ends it and leaves no trace.
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
      if (name === 'message') {
        const beat = args[1] === true ? undefined : readBeat(args[0]);
        interceptor.receive(beat);
        if (beat !== undefined) return true;
      } else if (name === 'ping') interceptor.receiveProtocolPing?.();
      // Seen here and not by a listener: `ws` leaves the request to whoever listens.
      else if (name === 'unexpected-response') {
        interceptor.receiveRefusal?.(args[1] as RefusedHandshake);
      } else if (name === 'pong' && interceptor.receiveProtocolPong?.(args[0] as Uint8Array))
        return true;
      return Reflect.apply(emit, this, [name, ...args]);
    },
  );
}

function interceptDispatch(socket: DispatchingSocket, interceptor: Interceptor): () => void {
  let seen: SocketEvent | undefined; // by the override, so that the listener passes it over
  const take = (event: SocketEvent): boolean => {
    const beat = typeof event.data === 'string' ? decodeBeat(event.data) : undefined;
    interceptor.receive(beat);
    return beat !== undefined;
  };
  const listener = (event: SocketEvent) => {
    if (event !== seen && take(event)) event.stopImmediatePropagation?.();
  };
  const options = { capture: true };
  try {
    socket.addEventListener('message', listener, options);
  } catch {
    options.capture = false; // workerd knows no other
    socket.addEventListener('message', listener, options);
  }
  const openGates = gateListeners(socket); // before the override: it asks whether there is a method
  const { dispatchEvent } = socket;
  const restore = override(
    socket,
    'dispatchEvent',
    // mock-socket passes more than the event.
    function (this: unknown, ...args: [event: SocketEvent]): boolean {
      const [event] = args;
      if (event.type !== 'message') return dispatchEvent.apply(this as never, args);
      seen = event;
      return take(event) || dispatchEvent.apply(this as never, args);
    },
  );
  return () => {
    openGates();
    restore();
    socket.removeEventListener('message', listener, options);
  };
}

/** Reads text as `ws` gives it: the bytes of a Buffer. Undefined if it is no beat. */
export function readBeat(data: unknown): Beat | undefined {
  if (typeof data === 'string') return decodeBeat(data);
  if (!ArrayBuffer.isView(data)) return undefined; // also a Buffer of another realm, as in jsdom
  const bytes = data as Uint8Array;
  return mayBeBeat(bytes) ? decodeBeat(String.fromCharCode(...bytes)) : undefined;
}
