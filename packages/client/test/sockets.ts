import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { attachHeartbeat, type ServerHeartbeat } from '@wirebeat/server';
import { WebSocket as UndiciWebSocket } from 'undici';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import type { WebSocketConstructor } from '../src/websocket-api/default-websocket.ts';
import type { Reply } from './fake-server.ts';

const { HEARTBEAT_TEST_TIME_FACTOR = 1 } = process.env;
/** The unit of all real waits: slow machines stretch it. */
export const MS = Number(HEARTBEAT_TEST_TIME_FACTOR);

/** The classes that Node programs use. The global one is there from Node 22 on. */
export const CLASSES: [name: string, WebSocket: WebSocketConstructor][] = [
  ['ws', NodeWebSocket],
  ['undici', UndiciWebSocket],
];
const { WebSocket: GlobalWebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
if (GlobalWebSocket !== undefined) CLASSES.push(['Node itself', GlobalWebSocket]);

/** The promise, or an error that says what was waited for in vain. */
export async function within<T>(promise: Promise<T>, what: string, limit = 4_000 * MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Target {
  // biome-ignore lint/suspicious/noExplicitAny: each class has its own type of listener
  addEventListener(type: any, listener: any, options?: any): void;
}

/** The next event of that type. */
export function eventOf<E = { readonly type: string }>(target: Target, type: string): Promise<E> {
  const event = new Promise<E>((resolve) => {
    target.addEventListener(type, resolve, { once: true });
  });
  return within(event, `an event ${type}`);
}

/** What came, in order. One may wait until something came. */
export class Log<Entry> {
  readonly entries: Entry[] = [];
  readonly #waiting: Set<() => void> = new Set();

  push(entry: Entry): void {
    this.entries.push(entry);
    for (const look of this.#waiting) look();
  }

  /** The n-th entry that fits, also one that came before. */
  find(fits: (entry: Entry) => boolean = () => true, n = 1): Promise<Entry> {
    const found = new Promise<Entry>((resolve) => {
      const look = () => {
        const entry = this.entries.filter(fits)[n - 1];
        if (entry === undefined) return;
        this.#waiting.delete(look);
        resolve(entry);
      };
      this.#waiting.add(look);
      look();
    });
    return within(found, `${fits}, ${n} times`);
  }
}

/** A `ws` server on loopback. */
export class TestServer {
  readonly port: number;
  readonly url: string;
  /** Every connection that was accepted. */
  readonly accepted: Log<NodeWebSocket> = new Log();
  /** The application messages of all connections, as text. */
  readonly received: Log<string> = new Log();
  readonly #server: WebSocketServer;
  readonly #heartbeat: ServerHeartbeat<NodeWebSocket> | undefined;

  constructor(server: WebSocketServer, answer: Reply | undefined) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `ws://127.0.0.1:${this.port}/`;
    if (answer === undefined) this.#heartbeat = attachHeartbeat(server);
    server.on('connection', (socket) => {
      socket.on('error', () => {}); // resets are part of the play
      socket.on('message', (data, isBinary) => {
        const reply = isBinary ? undefined : answer?.(String(data));
        if (reply === undefined) this.received.push(String(data));
        else socket.send(reply);
      });
      this.accepted.push(socket);
    });
  }

  get heartbeat(): ServerHeartbeat<NodeWebSocket> {
    if (this.#heartbeat === undefined) throw new Error('this server has none');
    return this.#heartbeat;
  }

  /** The n-th connection. */
  connection(n = 1): Promise<NodeWebSocket> {
    return this.accepted.find(() => true, n);
  }

  async close(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await within(closed, 'the end of the server');
  }
}

/** Listens: with the heartbeat of `@wirebeat/server`, or a plain server that answers as told. */
export async function listen(
  options: { readonly answer?: Reply; readonly port?: number } = {},
): Promise<TestServer> {
  const { answer, port = 0 } = options;
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  await within(once(server, 'listening'), 'the server');
  return new TestServer(server, answer);
}

/** A TCP server that accepts and says nothing. */
export class MuteServer {
  readonly url: string;
  readonly accepted: Log<Socket> = new Log();
  /** The connections that have ended. */
  readonly ended: Log<Socket> = new Log();
  readonly #server: Server;

  static async listen(): Promise<MuteServer> {
    return new MuteServer(await listenTcp(false));
  }

  constructor(server: Server) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('connection', (socket) => {
      socket.on('error', () => {}).resume();
      socket.on('close', () => this.ended.push(socket));
      this.accepted.push(socket);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.accepted.entries) socket.destroy();
    await closeTcp(this.#server);
  }
}

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isCut: boolean;
  /** What was held back, in order. */
  readonly held: (() => void)[];
}

/**
 * A TCP proxy that can stop forwarding: it goes on reading, as a network does whose packets are
 * acknowledged by somebody on the way. What it held back goes on its way when it is mended.
 */
export class TestProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #pairs: Pair[] = [];

  static async to(port: number): Promise<TestProxy> {
    return new TestProxy(await listenTcp(true), port);
  }

  constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('connection', (client) => {
      const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const pair: Pair = { client, upstream, isCut: false, held: [] };
      this.#pairs.push(pair);
      forward(pair, client, upstream);
      forward(pair, upstream, client);
    });
  }

  /** Cuts the connections that there are; new ones pass. */
  cut(): void {
    for (const pair of this.#pairs) pair.isCut = true;
  }

  mend(): void {
    for (const pair of this.#pairs) {
      pair.isCut = false;
      for (const pass of pair.held.splice(0)) pass();
    }
  }

  /** Resets the clients' TCP connections. */
  reset(): void {
    for (const { client } of this.#pairs) client.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    await closeTcp(this.#server);
  }
}

function forward(pair: Pair, from: Socket, to: Socket): void {
  const pass = (act: () => void) => {
    if (pair.isCut) pair.held.push(act);
    else act();
  };
  from.on('data', (chunk) => pass(() => to.write(chunk)));
  from.on('end', () => pass(() => to.end()));
  from.on('close', () => pass(() => to.destroy()));
  from.on('error', () => {}); // its `close` follows
}

async function listenTcp(allowHalfOpen: boolean): Promise<Server> {
  const server = createServer({ allowHalfOpen });
  server.listen(0, '127.0.0.1');
  await within(once(server, 'listening'), 'the TCP server');
  return server;
}

async function closeTcp(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await within(closed, 'the end of the TCP server');
}
