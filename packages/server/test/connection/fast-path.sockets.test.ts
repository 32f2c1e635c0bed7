// Routine pings and pongs are whole frames, written to the socket of a connection beside `ws`.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../../src/attach.ts';
import { CERT, KEY } from '../gateway/certificate.ts';
import { atEnd, connect, Log, MS, onlyConnection, RawClient, serve } from '../server-side.ts';

const FAST = {
  pingInterval: 50 * MS,
  pingTimeout: 2_000 * MS,
  jitter: 0,
  advertise: false,
} as const;

/** A frame that was prepared: `ws` writes the head of a frame and its payload one after the other. */
interface Prepared {
  readonly bytes: Uint8Array;
  /** What waited to be sent before it. */
  readonly bufferedAmount: number;
  readonly isTls: boolean;
}

/** Notes the prepared frames of all connections that open from now on. */
function watchFrames(server: WebSocketServer): Log<Prepared> {
  const prepared: Log<Prepared> = new Log();
  server.on('connection', (socket, request) => {
    const tcp: Socket = request.socket;
    const { write } = tcp;
    tcp.write = ((bytes: Uint8Array, ...rest: never[]) => {
      const isWhole = bytes.length > 2 && bytes.length === 2 + (bytes[1] ?? 0);
      const { bufferedAmount } = socket;
      if (isWhole) prepared.push({ bytes, bufferedAmount, isTls: tcp instanceof TLSSocket });
      return Reflect.apply(write, tcp, [bytes, ...rest]);
    }) as typeof write;
  });
  return prepared;
}

/** Long beside a round trip, also on a busy machine: a connection is a row only while no ping is unanswered. */
const CALM = { ...FAST, pingInterval: 1_000 * MS, pingTimeout: 20_000 * MS } as const;

describe('the routine pings of a real connection', () => {
  it('are whole frames over TLS too', async () => {
    const secure = createServer({ cert: CERT, key: KEY });
    const server = new WebSocketServer({ server: secure });
    const heartbeat = attachHeartbeat(server, CALM);
    const prepared = watchFrames(server);
    atEnd(() => {
      heartbeat.detach();
      for (const socket of server.clients) socket.terminate();
      secure.close();
    });
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const { port } = secure.address() as AddressInfo;
    const client = new WebSocket(`wss://127.0.0.1:${port}`, { ca: CERT });
    atEnd(() => client.terminate());
    await once(client, 'open');
    await prepared.find(({ bytes }) => bytes[0] === 0x89); // a protocol Ping
    const texts: Log<string> = new Log();
    client.on('message', (data) => {
      const text = String(data);
      texts.push(text);
      if (text.startsWith('\u0005')) client.send(`\u0006${text.slice(1)}`);
    });
    const isText = (text: string) => (frame: Prepared) =>
      Buffer.from(frame.bytes).toString().endsWith(text);
    client.send('\u0005wb.1;v=1'); // so that its page is asked
    await prepared.find(isText('\u0005wb'));
    for (let count = 1; !prepared.entries.some(isText('\u0006wb')); count += 1) {
      client.send('\u0005wb');
      await texts.find((text) => text === '\u0006wb', count);
    }
    expect(prepared.entries.every(({ isTls }) => isTls)).toBe(true);
    expect(client.readyState).toBe(client.OPEN);
  });

  it('are not written while a message is being compressed, but sent by `ws` after it', async () => {
    const options = { ...FAST, pingTimeout: 20_000 * MS };
    const stage = await serve(options, { perMessageDeflate: { threshold: 0 } });
    const prepared = watchFrames(stage.server);
    const client = new WebSocket(`ws://127.0.0.1:${stage.port}`, { perMessageDeflate: true });
    atEnd(() => client.terminate());
    const messages: Log<number> = new Log();
    client.on('message', (data: Buffer) => messages.push(data.length));
    const { socket } = await onlyConnection(stage);
    const { ping } = socket;
    let queued = 0; // Pings behind a message that is being compressed
    socket.ping = (...args: never[]) => {
      if (socket.bufferedAmount > 0) queued += 1;
      Reflect.apply(ping, socket, args);
    };
    const bytes = randomBytes(4 * 1_048_576); // is being compressed for longer than an interval
    let count = 0;
    for (; queued < 3; count += 1) {
      socket.send(bytes);
      await messages.find(() => true, count + 1);
    }
    expect(messages.entries).toEqual(Array.from({ length: count }, () => bytes.length));
    expect(prepared.entries.filter(({ bufferedAmount }) => bufferedAmount > 0)).toEqual([]);
    expect(client.readyState).toBe(client.OPEN);
  });

  it('stand between fragments by `ws`, and are prepared again after the message', async () => {
    const stage = await serve(CALM);
    const prepared = watchFrames(stage.server);
    const { client, received } = await connect(stage);
    const { socket } = await onlyConnection(stage);
    await prepared.find();
    const pings: Log<true> = new Log();
    socket.send('begin ', { fin: false });
    const { length } = prepared.entries;
    client.on('ping', () => pings.push(true));
    await pings.find(() => true, 2);
    expect(prepared.entries).toHaveLength(length);
    socket.send('end');
    await received.find((text) => text === 'begin end');
    await prepared.find(() => true, length + 2);
    expect(client.readyState).toBe(client.OPEN);
  });

  it('are answered by a client of `ws`, and measured', async () => {
    const stage = await serve(FAST);
    const { client } = await connect(stage);
    await stage.pongs.find(() => true, 4);
    const { connection } = await onlyConnection(stage);
    expect(connection.status).toBe('alive');
    expect(connection.transportLatency).toBeGreaterThan(0);
    client.send('over');
    await stage.log.find(([name, data]) => name === 'message' && data === 'over');
  });

  it('leave compressed messages whole, in order and without reserved bits', async () => {
    const stage = await serve(FAST, { perMessageDeflate: { threshold: 0 } });
    const { client, received } = await connect(stage, { perMessageDeflate: true });
    const { socket } = await onlyConnection(stage);
    const texts = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(20_000)}`);
    for (const [index, text] of texts.entries()) {
      socket.send(text);
      if (index % 8 === 0) await stage.pongs.find(() => true, index / 8 + 1);
    }
    await received.find((text) => text.startsWith('39 '));
    expect(received.entries).toEqual(texts);
    expect(client.readyState).toBe(client.OPEN);
  });

  it('may stand between the fragments of a message, where no text may', async () => {
    const stage = await serve(FAST);
    const client = new RawClient(stage);
    await once(stage.server, 'connection');
    client.sendText('\u0005wb.1;v=1'); // so that its page is asked too
    const { socket } = await onlyConnection(stage);
    await client.frames.find(({ opcode }) => opcode === 1);
    socket.send('begin ', { fin: false });
    const { length } = client.frames.entries;
    await client.frames.find(({ opcode }) => opcode === 9, 3);
    const between = client.frames.entries.slice(length).filter(({ opcode }) => opcode === 1);
    expect(
      between.map(({ payload }) => String(payload)).filter((text) => text !== 'begin '),
    ).toEqual([]);
    socket.send('end', { fin: true });
    await client.frames.find(({ opcode }) => opcode === 0);
  });
});
