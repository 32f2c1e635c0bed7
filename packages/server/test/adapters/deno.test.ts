import { VirtualScheduler } from '@wirebeat/core/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { DenoHeartbeat } from '../../src/adapters/deno.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const TIMING = { pingInterval: 10_000, pingTimeout: 5_000, jitter: 0, advertise: false } as const;

class Socket extends EventTarget {
  readyState = 1;
  readonly bufferedAmount = 0;
  readonly done: string[] = [];

  send(data: string): void {
    this.done.push(`sends ${data}`);
  }

  close(code?: number): void {
    this.readyState = 2;
    this.done.push(`closes ${code}`);
  }

  receive(data: string): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

let scheduler: VirtualScheduler;
beforeEach(() => {
  scheduler = new VirtualScheduler();
});

function serve() {
  const heartbeat = new DenoHeartbeat({ ...TIMING, scheduler });
  const socket = new Socket();
  heartbeat.attach(socket as never);
  const received: unknown[] = [];
  socket.addEventListener('message', (event) => {
    received.push((event as MessageEvent).data);
  });
  return { heartbeat, socket, received };
}

describe('DenoHeartbeat', () => {
  it('answers pings, and leaves other messages to the application', () => {
    const { socket, received } = serve();
    for (const text of [PING, 'hello', `${PING} `]) socket.receive(text);
    expect(socket.done).toContain(`sends ${PONG}`);
    expect(received).toEqual(['hello', `${PING} `]);
  });

  it('sends nothing to a client that sends no application ping, and does not judge it', () => {
    const { heartbeat, socket } = serve();
    socket.receive('hello');
    scheduler.advance(1_000_000);
    expect(socket.done).toEqual([]);
    expect(heartbeat.connections.size).toBe(1);
  });

  it('closes a client with 3008 that answers no application ping within the bound', () => {
    const { heartbeat, socket } = serve();
    socket.receive(`${PING}.a1;v=1`);
    const dead: string[] = [];
    heartbeat.on('dead', ({ reason }) => dead.push(reason));
    const [connection] = heartbeat.connections.values();
    scheduler.advance(connection?.detectionBound ?? 0);
    expect(dead).toEqual(['ping-timeout']);
    expect(socket.done.at(-1)).toBe('closes 3008');
  });

  it('leaves the socket as it was after detach', () => {
    const { heartbeat, socket, received } = serve();
    heartbeat.detach();
    expect(Object.keys(socket).includes('send')).toBe(false);
    socket.receive(PING);
    expect(received).toEqual([PING]);
    scheduler.advance(1_000_000);
    expect(socket.done).toEqual([]);
  });
});
