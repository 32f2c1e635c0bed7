// crossws on uWebSockets.js, which is not in the registry of npm: the adapter of crossws is real, and its socket
// is an imitation that throws after the end, as a real one does.
import { VirtualScheduler } from '@wirebeat/core/testing';
import { CrosswsHeartbeat } from '@wirebeat/server/crossws';
import uws from 'crossws/adapters/uws';
import { beforeEach, describe, expect, it } from 'vitest';

const PING = '\u0005wb';
const PONG = '\u0006wb';

class UwsSocket {
  readonly done: string[] = [];
  readonly #data = { webReq: new Request('http://localhost/'), namespace: 'all' };
  #isClosed = false;
  onClose = (): void => {};

  getUserData(): object {
    this.#check();
    return this.#data;
  }

  getBufferedAmount(): number {
    this.#check();
    return 0;
  }

  send(data: unknown, isBinary: boolean): number {
    this.#check();
    return this.done.push(`sends ${isBinary ? 'bytes' : data}`);
  }

  ping(payload: string): number {
    this.#check();
    return this.done.push(`Ping ${payload}`);
  }

  end(code: number): void {
    this.#end(`ends ${code}`);
  }

  close(): void {
    this.#end('closes at once');
  }

  #end(how: string): void {
    this.#check();
    this.done.push(how);
    this.onClose();
    this.#isClosed = true;
  }

  #check(): void {
    if (this.#isClosed) throw new Error('Invalid access of closed uWS.WebSocket/SSLWebSocket.');
  }
}

const bytes = (text: string) => new TextEncoder().encode(text).buffer;

let scheduler: VirtualScheduler;
beforeEach(() => {
  scheduler = new VirtualScheduler();
});

function serve() {
  const received: string[] = [];
  const heartbeat = new CrosswsHeartbeat({ scheduler, jitter: 0, advertise: false });
  const hooks = heartbeat.hooks({
    message: (_: object, message: { text(): string }) => void received.push(message.text()),
  });
  const { websocket } = uws({ hooks: hooks as never, idleTimeout: 0 });
  const socket = new UwsSocket();
  const raw = socket as never;
  socket.onClose = () => websocket.close?.(raw, 1006, bytes(''));
  websocket.open?.(raw);
  const receive = (text: string, isBinary = false) =>
    websocket.message?.(raw, bytes(text), isBinary);
  const pong = (payload: string) => websocket.pong?.(raw, bytes(payload));
  const [connection] = heartbeat.connections.values();
  return { heartbeat, connection, socket, received, receive, pong };
}

describe('crossws on uWebSockets.js', () => {
  it('answers pings, which come as bytes, and leaves other messages to the application', () => {
    const { socket, received, receive } = serve();
    for (const text of [`${PING}.a1;v=1`, 'hello', PING, `${PING} `]) receive(text);
    expect(socket.done.filter((line) => line.includes('\u0006'))).toEqual([
      `sends ${PONG}.a1`,
      `sends ${PONG}`,
    ]);
    expect(received).toEqual(['hello', `${PING} `]);
  });

  it('measures both tiers', () => {
    const { connection, socket, receive, pong } = serve();
    receive(`${PING}.a1;v=1`);
    scheduler.advance(7);
    pong(socket.done.find((line) => line.startsWith('Ping '))?.slice('Ping '.length) ?? '');
    const asked = socket.done.find((line) => line.includes(PING))?.split('\u0005')[1];
    receive(`\u0006${asked}`);
    expect(connection?.transportLatency).toBe(7);
    expect(connection?.applicationLatency).toBe(7);
  });

  it('closes a client that answers nothing, and touches its socket no more', () => {
    const { heartbeat, connection, socket } = serve();
    const ended: string[] = [];
    heartbeat.on('end', ({ reason }) => ended.push(reason));
    scheduler.advance(connection?.detectionBound ?? 0);
    expect(ended).toEqual(['ping-timeout']);
    const { length } = socket.done;
    expect(socket.done.at(-1)).toBe('closes at once');
    scheduler.advance(1_000_000);
    expect(socket.done).toHaveLength(length);
  });
});
