import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachHeartbeat, type ServerOptions } from '@wirebeat/server';
import { type WebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';

/** What must never reach an application. */
export const BEATS: readonly string[] = [PING, `${PING}.q;a=1`, PONG, `${PONG}.none`, PING];

/** What must: nearly beats, binary ones, empty ones. As a listener hears it with an `ArrayBuffer`. */
const MESSAGES: readonly (readonly [message: string | Buffer, heard: string])[] = [
  ['', ''],
  ['text', 'text'],
  ['\u0005', '\u0005'],
  ['\u0005wbx', '\u0005wbx'],
  [`${PING}.12345678901234567`, `${PING}.12345678901234567`],
  [Buffer.from(PING), 'ArrayBuffer 5,119,98'],
  [Buffer.alloc(0), 'ArrayBuffer '],
  [Buffer.alloc(70_000, 7), 'ArrayBuffer of 70000, sum 490000'],
  ['ünï\u{1f600}', 'ünï\u{1f600}'],
  ['last', 'last'],
];

/** All of {@link MESSAGES} as they are heard, with this `binaryType`. */
export function heard(binaryType: string): string[] {
  const kind = binaryType === 'blob' ? 'Blob' : 'ArrayBuffer';
  return MESSAGES.map(([, text]) => text.replace('ArrayBuffer', kind));
}

/** Of the server: the page is to find out first. */
const PATIENT: ServerOptions<WebSocket> = { pingInterval: 60_000, pingTimeout: 60_000 };

/** A message as it reached the server, with whether it was binary. */
export interface Received {
  readonly text: string;
  readonly isBinary: boolean;
}

/**
 * A WebSocket server of `@wirebeat/server` behind a TCP proxy, for one test.
 *
 * It echoes; on `programme` it sends {@link BEATS} and the messages mixed, on `beat` one bare ping.
 */
export class Stage {
  /** On the way to it. */
  proxy: TcpProxy;
  readonly received: Received[] = [];
  /** The TCP connections of all that it accepted. */
  readonly connections: Socket[] = [];
  readonly #server: WebSocketServer;
  readonly #port: number;

  static async open(options = PATIENT): Promise<Stage> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    return new Stage(server, await TcpProxy.listen({ to: portOf(server) }), options);
  }

  private constructor(server: WebSocketServer, proxy: TcpProxy, options: ServerOptions<WebSocket>) {
    this.#server = server;
    this.proxy = proxy;
    this.#port = proxy.port;
    attachHeartbeat(server, options);
    server.on('connection', (socket, request) => {
      this.connections.push(request.socket);
      socket.on('message', (data: Buffer, isBinary) => this.#answer(socket, data, isBinary));
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/`;
  }

  /** From now on every connection is refused, and those there are end. */
  async leave(): Promise<void> {
    await this.proxy.close();
  }

  /** Takes connections again, where it did. */
  async comeBack(): Promise<void> {
    this.proxy = await TcpProxy.listen({ to: portOf(this.#server), port: this.#port });
  }

  /** Waits until the server has received a message of this text. */
  async hears(text: string, limit = 5_000): Promise<void> {
    const end = performance.now() + limit;
    while (!this.received.some((message) => message.text === text)) {
      if (performance.now() > end) throw new Error(`the server waited in vain for ${text}`);
      await sleep(10);
    }
  }

  async close(): Promise<void> {
    await this.proxy.close();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #answer(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    const text = String(data);
    this.received.push({ text, isBinary });
    if (text === 'programme') perform(socket);
    else if (text === 'beat') socket.send(PING);
    else socket.send(`echo ${text}`);
  }
}

function portOf(server: WebSocketServer): number {
  return (server.address() as AddressInfo).port;
}

/** A beat before each of the first messages, so that all are between beats. */
function perform(socket: WebSocket): void {
  for (const [index, [message]] of MESSAGES.entries()) {
    const beat = BEATS[index];
    if (beat !== undefined) socket.send(beat);
    socket.send(message);
  }
}
