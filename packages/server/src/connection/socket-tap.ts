import { type Beat, override, type Row, readBeat } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';

/** Receives what happens on the sockets of one server. */
export interface SocketPort {
  /** Returns the row of a socket, or `undefined` if its heartbeat has ended. */
  rowOf(socket: object): Row | undefined;
  /** Each of these returns whether to hide the event from the application. */
  receiveMessage(row: Row, data: unknown, isBinary: boolean): boolean;
  receiveProtocolPing(row: Row): boolean;
  receiveProtocolPong(row: Row, payload: Uint8Array): boolean;
  closed(row: Row, code: number, text: string): boolean;
  /** The application is about to send something; `isWhole` is false if more fragments follow. */
  sending(row: Row, isWhole: boolean): void;
  /** The last fragment of a message was sent. `held` is the ping that waited for it, if any. */
  messageEnded(row: Row, held: Beat | undefined): void;
}

type Method = (this: unknown, ...args: never[]) => unknown;

const ignore = (): void => {};

/** A prototype that a tap has derived from the one below it. */
interface Layer {
  readonly tap: SocketTap;
  readonly base: object;
}

/** The layers of all taps: a socket that two servers watch has two. */
const LAYERS: WeakMap<object, Layer> = new WeakMap();

/**
 * Reads what the sockets of one server receive and send before the application does, and hides pings
 * and pongs from the application. `ws` delivers data through the `emit` method of the socket, so
 * overriding this method hides them from all listeners, whenever they were added.
 *
 * All sockets of a class get one prototype, derived from that of the class, which has both methods. A
 * socket with a method of its own gets a replacement of its own. Closures for each socket would use more
 * memory than the rest of the connection.
 */
export class SocketTap {
  readonly #port: SocketPort;
  /** The derived prototype of each prototype. */
  readonly #derived: WeakMap<object, object> = new WeakMap();
  /**
   * Sockets on which the application is sending a fragmented message, each with the ping that waits for
   * its end.
   */
  readonly #fragmented: WeakMap<object, { held: Beat | undefined }> = new WeakMap();
  /** How to restore the sockets that had an `emit` or `send` of their own, and the `send` that they had. */
  readonly #overridden: WeakMap<object, { readonly send: Method; restore(): void }> = new WeakMap();

  constructor(port: SocketPort) {
    this.#port = port;
  }

  open(socket: ServerSocket): void {
    if (Object.hasOwn(socket, 'emit') || Object.hasOwn(socket, 'send')) this.#override(socket);
    else Object.setPrototypeOf(socket, this.#derive(Object.getPrototypeOf(socket)));
  }

  /** Restores the socket. Another tap that lies above goes on, and restores it later. */
  close(socket: ServerSocket): void {
    let prototype = Object.getPrototypeOf(socket);
    for (;;) {
      const layer = LAYERS.get(prototype);
      if (layer === undefined || layer.tap.#port.rowOf(socket) !== undefined) break;
      prototype = layer.base;
      Object.setPrototypeOf(socket, prototype);
    }
    this.#overridden.get(socket)?.restore();
    this.#overridden.delete(socket);
    this.#fragmented.delete(socket);
  }

  /**
   * Whether the application has sent a part of a message but not the last one (`fin: false` of `ws`). A
   * text sent in between would become part of that message: RFC 6455 §5.4 allows only control frames
   * there.
   */
  isMidMessage(socket: ServerSocket): boolean {
    return this.#fragmented.has(socket);
  }

  /**
   * Holds a ping until the message has ended. Only one is held: it also has the values of earlier ones.
   */
  hold(socket: ServerSocket, ping: Beat): void {
    const message = this.#fragmented.get(socket);
    if (message === undefined) return;
    const { held } = message;
    const values = held?.values || ping.values ? { ...held?.values, ...ping.values } : undefined;
    message.held = { type: 'ping', id: ping.id ?? held?.id, values };
  }

  /** Sends a heartbeat with the `send` method that the socket had before. */
  send(socket: ServerSocket, text: string, sent: () => void = ignore): void {
    this.#originalSend(socket).call(
      socket,
      text as never,
      { compress: false } as never,
      sent as never,
    );
  }

  #originalSend(socket: ServerSocket): Method {
    const own = this.#overridden.get(socket)?.send;
    let prototype = Object.getPrototypeOf(socket);
    for (;;) {
      const layer = LAYERS.get(prototype);
      if (layer === undefined) return own ?? (Reflect.get(prototype, 'send') as Method);
      if (layer.tap === this) return Reflect.get(layer.base, 'send') as Method;
      prototype = layer.base;
    }
  }

  #override(socket: ServerSocket): void {
    const { emit, send } = socket as unknown as { readonly emit: Method; readonly send: Method };
    const restoreSend = override(
      socket,
      'send',
      this.#sendOver(() => send),
    );
    const restoreEmit = override(
      socket,
      'emit',
      this.#emitOver(() => emit),
    );
    const restore = () => {
      restoreEmit();
      restoreSend();
    };
    this.#overridden.set(socket, { send, restore });
  }

  #derive(base: object): object {
    const known = this.#derived.get(base);
    if (known !== undefined) return known;
    const below = base as { readonly emit: Method; readonly send: Method };
    const derived = Object.create(base, {
      emit: method(this.#emitOver(() => below.emit)),
      send: method(this.#sendOver(() => below.send)),
    }) as object;
    this.#derived.set(base, derived);
    LAYERS.set(derived, { tap: this, base });
    return derived;
  }

  #emitOver(emit: () => Method): Method {
    const port = this.#port;
    return function (this: unknown, name: unknown, first: unknown, second: unknown): unknown {
      if (name === 'message' || name === 'ping' || name === 'pong' || name === 'close') {
        const row = port.rowOf(this as object);
        if (row !== undefined && pass(port, row, name, first, second)) return true;
      }
      // biome-ignore lint/complexity/noArguments: a rest parameter makes an array for each event
      return emit().apply(this, arguments as unknown as never[]);
    };
  }

  #sendOver(send: () => Method): Method {
    const port = this.#port;
    const fragmented = this.#fragmented;
    return function (this: unknown, ...args: never[]): unknown {
      const socket = this as object;
      const row = port.rowOf(socket);
      if (row === undefined) return send().apply(this, args);
      const given = (args[1] as { readonly fin?: boolean } | undefined)?.fin;
      const fin = given === undefined || given;
      port.sending(row, fin);
      const sent = send().apply(this, args);
      const message = fragmented.get(socket);
      if (!fin) {
        if (message === undefined) fragmented.set(socket, { held: undefined });
      } else if (message !== undefined) {
        fragmented.delete(socket);
        if (port.rowOf(socket) === row) port.messageEnded(row, message.held);
      }
      return sent;
    };
  }
}

function method(value: Method): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}

/** Passes an event of the socket to the port. Returns whether to hide it from the application. */
function pass(port: SocketPort, row: Row, name: string, first: unknown, second: unknown): boolean {
  switch (name) {
    case 'message':
      return port.receiveMessage(row, first, second === true);
    case 'ping':
      return port.receiveProtocolPing(row);
    case 'pong':
      return port.receiveProtocolPong(row, first as Uint8Array);
    default: // 'close'
      return port.closed(row, first as number, String(second));
  }
}

/** Reads the ping or pong in a message, if any. */
export function beatOf(data: unknown, isBinary: boolean): Beat | undefined {
  return isBinary ? undefined : readBeat(data);
}
