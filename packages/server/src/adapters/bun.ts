import { RuntimeHeartbeat } from '../runtime/runtime-heartbeat.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { RuntimePort } from '../runtime/runtime-port.ts';
import { checkMembers } from './check-members.ts';
import { SendWatch } from './send-watch.ts';

/** The part of a `ServerWebSocket` of Bun that is used. */
export interface BunSocket {
  readonly readyState: number;
  send(data: string): number;
  close(code?: number, reason?: string): void;
  terminate(): void;
  ping(data?: string): number;
  getBufferedAmount(): number;
  /** Bun 1.4 and newer; older versions cannot stop reading. */
  pause?(): void;
  /** A method in Bun 1.4. */
  readonly isPaused?: unknown;
}

type Result = void | Promise<void>;

/** Your handlers, as you would pass them to `Bun.serve` as `websocket`. Other members are passed on. */
export interface BunHandlers<Socket> {
  message(socket: Socket, message: never): Result;
  open?(socket: Socket): Result;
  close?(socket: Socket, code: number, reason: string): Result;
  ping?(socket: Socket, data: never): Result;
  pong?(socket: Socket, data: never): Result;
}

/**
 * Bun's own idle detection stays off: beside this heartbeat it finds nothing more, and it never finds a
 * client that answers nothing while the server keeps sending.
 */
const OWN_DETECTION = { sendPings: false, idleTimeout: 0 } as const;

/** The methods with which the application sends. */
const SENDS = ['send', 'sendText', 'sendBinary'];

const portOver = (watch: () => SendWatch<BunSocket>): RuntimePort<BunSocket> => ({
  send: (socket, text) =>
    watch()
      .original(socket, 'send')
      .call(socket, text as never),
  close: (socket, code, reason) => socket.close(code, reason),
  terminate: (socket) => socket.terminate(),
  // Always with a payload: without one, Bun 1.4 returns 0 for a Ping that it has sent.
  ping: (socket, payload) => socket.ping(payload),
  pause: (socket) => socket.pause?.(),
  isPaused: (socket) => isPaused(socket),
  bufferedBytes: (socket) => socket.getBufferedAmount(),
  isOpen: (socket) => socket.readyState === 1,
});

/**
 * The heartbeat of a server of `Bun.serve`. `Socket` is your `ServerWebSocket<Data>`.
 *
 * @example
 * const heartbeat = new BunHeartbeat();
 * Bun.serve({ fetch, websocket: heartbeat.websocket({ message(socket, text) {} }) });
 */
export class BunHeartbeat<Socket extends BunSocket = BunSocket> extends RuntimeHeartbeat<
  Socket,
  never
> {
  readonly #sends: SendWatch<BunSocket>;

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(options?: RuntimeOptions<Socket, never>) {
    const watch = () => this.#sends;
    super(portOver(watch) as RuntimePort<Socket>, options);
    this.#sends = new SendWatch(SENDS, (socket) => this.sending(socket as Socket));
  }

  /**
   * Returns the handlers to pass to `Bun.serve` as `websocket`. Yours are called with everything that is
   * not a heartbeat. `sendPings` and `idleTimeout` of Bun are off.
   *
   * @throws {InvalidOptionError} if `handlers` has no `message`.
   */
  websocket<Handlers extends BunHandlers<Socket>>(
    handlers: Handlers,
  ): Handlers & typeof OWN_DETECTION {
    checkMembers('handlers', handlers, ['message'], 'an object with a method `message`');
    return {
      ...handlers,
      ...OWN_DETECTION,
      open: (socket: Socket) => {
        this.#sends.put(socket);
        this.opened(socket);
        return handlers.open?.(socket);
      },
      message: (socket: Socket, data: never) => {
        if (!this.message(socket, data)) return handlers.message(socket, data);
      },
      ping: (socket: Socket, data: never) => {
        if (!this.pinged(socket)) return handlers.ping?.(socket, data);
      },
      pong: (socket: Socket, data: never) => {
        if (!this.ponged(socket, data)) return handlers.pong?.(socket, data);
      },
      close: (socket: Socket, code: number, reason: string) => {
        this.closed(socket, code, reason);
        return handlers.close?.(socket, code, reason);
      },
    };
  }

  override detach(): void {
    const sockets = [...this.connections.keys()];
    super.detach();
    for (const socket of sockets) this.#sends.takeOff(socket);
  }
}

function isPaused(socket: BunSocket): boolean {
  const { isPaused: paused } = socket;
  return (typeof paused === 'function' ? paused.call(socket) : paused) === true;
}
