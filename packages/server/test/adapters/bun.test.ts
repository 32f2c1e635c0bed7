import { VirtualScheduler } from '@wirebeat/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { BunHeartbeat } from '../../src/adapters/bun.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const TIMING = { pingInterval: 10_000, pingTimeout: 5_000, jitter: 0, advertise: false } as const;

class Socket {
  readyState = 1;
  readonly done: string[] = [];

  send(data: string): number {
    return this.done.push(`sends ${data}`);
  }

  close(code?: number): void {
    this.done.push(`closes ${code}`);
  }

  terminate(): void {
    this.readyState = 3;
    this.done.push('terminates');
  }

  ping(data?: string): number {
    return this.done.push(`Ping ${data}`);
  }

  getBufferedAmount(): number {
    return 0;
  }
}

let scheduler: VirtualScheduler;
beforeEach(() => {
  scheduler = new VirtualScheduler();
});

function serve() {
  const received: unknown[] = [];
  const heartbeat = new BunHeartbeat<Socket>({ ...TIMING, scheduler });
  const handlers = heartbeat.websocket({
    message: (_: Socket, message: never) => void received.push(message),
    pong: (_: Socket, data: never) => void received.push(['pong', data]),
    idleTimeout: 120,
    maxPayloadLength: 1_000,
  } as never) as never as Record<string, (socket: Socket, ...args: unknown[]) => void>;
  const socket = new Socket();
  handlers['open']?.(socket);
  return { heartbeat, handlers, socket, received };
}

describe('BunHeartbeat', () => {
  it('turns the detection of Bun off, and passes on other members', () => {
    const { handlers } = serve();
    expect(handlers).toMatchObject({ sendPings: false, idleTimeout: 0, maxPayloadLength: 1_000 });
  });

  it('answers pings, and leaves everything else to the application', () => {
    const { handlers, socket, received } = serve();
    handlers['message']?.(socket, PING);
    handlers['message']?.(socket, 'hello');
    handlers['pong']?.(socket, new Uint8Array([1]));
    expect(socket.done).toContain(`sends ${PONG}`);
    expect(received).toEqual(['hello', ['pong', new Uint8Array([1])]]);
  });

  it('always pings with a payload', () => {
    const { socket } = serve();
    scheduler.advance(1_000);
    const pings = socket.done.filter((line) => line.startsWith('Ping '));
    expect(pings.length).toBeGreaterThan(0);
    for (const ping of pings) expect(ping).toMatch(/^Ping wb-/);
  });

  it('terminates a client that answers nothing while the server keeps sending', () => {
    const { heartbeat, socket } = serve();
    const bound = heartbeat.get(socket)?.detectionBound ?? 0;
    for (let passed = 0; passed < bound; passed += 200) {
      if (socket.readyState === 1) socket.send('tick');
      scheduler.advance(200);
    }
    expect(socket.done.at(-1)).toBe('terminates');
  });

  it('leaves sockets as they were after detach', () => {
    const { heartbeat, socket } = serve();
    expect(Object.getPrototypeOf(socket)).not.toBe(Socket.prototype);
    heartbeat.detach();
    expect(Object.getPrototypeOf(socket)).toBe(Socket.prototype);
    const { length } = socket.done;
    scheduler.advance(1_000_000);
    expect(socket.done).toHaveLength(length);
  });
});
