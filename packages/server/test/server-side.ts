// A real `ws` server on loopback with a heartbeat, and clients of several manners.
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  type ClientOptions,
  WebSocket,
  WebSocketServer,
  type ServerOptions as WsOptions,
} from 'ws';
import { attachHeartbeat, type ServerHeartbeat } from '../src/attach.ts';
import type { ConnectionEnd } from '../src/connection/connection-end.ts';
import type { Tier } from '../src/connection/events.ts';
import type { ConnectionHeartbeat } from '../src/connection-heartbeat.ts';
import type { ServerOptions } from '../src/options.ts';

const { HEARTBEAT_TEST_TIME_FACTOR = '1' } = process.env;
/** The unit of all real waits: slow machines stretch it. */
export const MS = Number(HEARTBEAT_TEST_TIME_FACTOR);

/** Calls `close` after the test, the last first. */
export function atEnd(close: () => unknown): void {
  onTestFinished(async () => void (await close()));
}

/** What came, in order. One may wait until something came. */
export class Log<Entry> {
  readonly entries: Entry[] = [];
  readonly #looks: Set<() => void> = new Set();

  push(entry: Entry): void {
    this.entries.push(entry);
    for (const look of this.#looks) look();
  }

  /** The n-th entry that fits, also one that came before. */
  async find(fits: (entry: Entry) => boolean = () => true, n = 1): Promise<Entry> {
    let look = () => {};
    let timer: NodeJS.Timeout | undefined;
    const found = new Promise<Entry>((resolve, reject) => {
      look = () => {
        const entry = this.entries.filter(fits)[n - 1];
        if (entry !== undefined) resolve(entry);
      };
      timer = setTimeout(() => reject(new Error(`never: ${n} times ${fits}`)), 5_000 * MS);
    });
    this.#looks.add(look);
    look();
    try {
      return await found;
    } finally {
      clearTimeout(timer);
      this.#looks.delete(look);
    }
  }
}

/** What the server's application sees of one connection or all, and what the heartbeat says. */
export type Happening =
  | readonly [name: 'message' | 'ping' | 'pong', data: unknown]
  | readonly [name: 'suspect']
  | readonly [name: 'dead', silentFor: number]
  | readonly [name: 'end', end: ConnectionEnd];

export interface Stage {
  readonly server: WebSocketServer;
  readonly heartbeat: ServerHeartbeat<WebSocket>;
  readonly port: number;
  readonly log: Log<Happening>;
  /** The tier of each of our pings that was answered. */
  readonly pongs: Log<Tier>;
  readonly stalls: number[];
}

export async function listen(options: WsOptions = {}): Promise<WebSocketServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return server;
}

export async function serve(
  options?: ServerOptions<WebSocket>,
  wsOptions?: WsOptions,
): Promise<Stage> {
  const server = await listen(wsOptions);
  const { port } = server.address() as AddressInfo;
  const heartbeat = attachHeartbeat(server, options);
  atEnd(() => heartbeat.detach());
  const stage = { server, heartbeat, port, log: new Log(), pongs: new Log(), stalls: [] } as Stage;
  const { log, pongs, stalls } = stage;
  heartbeat.on('suspect', () => log.push(['suspect']));
  heartbeat.on('dead', ({ silentFor }) => log.push(['dead', silentFor]));
  heartbeat.on('end', ({ reason, code, text }) => log.push(['end', { reason, code, text }]));
  heartbeat.on('pong', ({ tier }) => pongs.push(tier));
  heartbeat.on('stall', ({ lateBy }) => stalls.push(lateBy));
  server.on('connection', (socket) => {
    socket.on('error', () => {}); // resets are part of the play
    socket.on('message', (data, isBinary) => log.push(['message', isBinary ? data : String(data)]));
    socket.on('ping', (data) => log.push(['ping', String(data)]));
    socket.on('pong', (data) => log.push(['pong', String(data)]));
  });
  return stage;
}

/** Opens a client that knows nothing of heartbeats, and notes the messages that it receives. */
export async function connect(
  { port, path = '/' }: { readonly port: number; readonly path?: string },
  options: ClientOptions = {},
): Promise<{ client: WebSocket; received: Log<string> }> {
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
  atEnd(() => client.terminate());
  const received: Log<string> = new Log();
  client.on('message', (data) => received.push(String(data)));
  client.on('error', () => {});
  await once(client, 'open');
  return { client, received };
}

/** The only connection of a server, once it is there. */
export async function onlyConnection(
  stage: Stage,
): Promise<{ socket: WebSocket; connection: ConnectionHeartbeat }> {
  if (stage.server.clients.size === 0) await once(stage.server, 'connection');
  const [entry] = stage.heartbeat.connections;
  if (entry === undefined) throw new Error('there is no connection');
  const [socket, connection] = entry;
  return { socket, connection };
}

/** What law 14 adds to the bound for the stalls of this process. */
export function allowance(stalls: readonly number[], pingTimeout: number): number {
  return stalls.reduce((sum, lateBy) => sum + lateBy + pingTimeout + 250 + 2 * 250, 0);
}

/** A frame as it came over the wire. */
export interface Frame {
  readonly isCompressed: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/**
 * A client that is no WebSocket: a TCP connection that has shaken hands, RFC 6455 §4.1. It answers
 * nothing by itself.
 */
export class RawClient {
  readonly tcp: Socket;
  readonly frames: Log<Frame> = new Log();
  #bytes: Buffer = Buffer.alloc(0);
  #isOpen = false;

  constructor({ port }: { readonly port: number }, headers = '') {
    this.tcp = connectTcp(port, '127.0.0.1');
    atEnd(() => this.tcp.destroy());
    this.tcp.on('error', () => {});
    this.tcp.on('data', (bytes) => this.#read(bytes));
    this.tcp.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
        `${headers}\r\n`,
    );
  }

  /** Sends a short text message, masked with zeros, RFC 6455 §5.3. */
  sendText(text: string): void {
    const payload = Buffer.from(text);
    this.tcp.write(
      Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]),
    );
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (!this.#isOpen) this.#shakeHands();
    // Every frame of these tests is short: its length stands in one byte, RFC 6455 §5.2.
    while (this.#isOpen && this.#bytes.length >= 2) {
      const [head = 0, length = 0] = this.#bytes;
      if (this.#bytes.length < 2 + length) return;
      const payload = this.#bytes.subarray(2, 2 + length);
      this.#bytes = this.#bytes.subarray(2 + length);
      this.frames.push({ isCompressed: (head & 0x40) !== 0, opcode: head & 0x0f, payload });
    }
  }

  #shakeHands(): void {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.#isOpen = true;
    this.#bytes = this.#bytes.subarray(end + 4);
  }
}
