// mock-socket imitates a WebSocket and its server within one program; it takes some milliseconds of
// real time for everything, and has an EventTarget of its own.
import { WebSocket as MockSocket, Server } from 'mock-socket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { minimalPeer } from './fake-server.ts';
import { eventOf, within } from './sockets.ts';

const ADDRESS = 'ws://mock.test/';

describe('over mock-socket', () => {
  let server: Server;
  /** What the server received, beats left out. */
  let received: unknown[];
  let end: (() => void) | undefined;

  beforeEach(() => {
    received = [];
    server = new Server(ADDRESS);
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const pong = minimalPeer(String(data));
        if (pong === undefined) received.push(data);
        else socket.send(pong);
      });
    });
  });
  afterEach(() => {
    end?.();
    server.stop();
  });

  it('attachHeartbeat measures the latency, and the application sees its messages alone', async () => {
    const socket = new MockSocket(ADDRESS);
    const heard: unknown[] = [];
    const heartbeat = attachHeartbeat(socket);
    end = () => heartbeat.detach();
    socket.onmessage = ({ data }) => heard.push(data);
    socket.addEventListener('message', (event) => heard.push((event as MessageEvent).data));
    await eventOf(socket, 'open');
    expect(await within(heartbeat.ping(), 'a pong')).toBeGreaterThanOrEqual(0);
    const message = eventOf(socket, 'message');
    server.emit('message', 'to all');
    await message;
    socket.send('to the server');
    await within(heartbeat.ping(), 'another pong');
    expect(heard).toEqual(['to all', 'to all']);
    expect(received).toEqual(['to the server']);
  });

  it('the override of dispatchEvent passes on all that it is given', async () => {
    const socket = new MockSocket(ADDRESS);
    const heartbeat = attachHeartbeat(socket);
    end = () => heartbeat.detach();
    await eventOf(socket, 'open');
    const heard: unknown[][] = [];
    for (const type of ['message', 'news']) {
      socket.addEventListener(type as 'message', (...args: unknown[]) => heard.push(args));
      // mock-socket calls listeners with what follows the event, where there is any.
      Reflect.apply(socket.dispatchEvent, socket, [new Event(type), 'one', 'two']);
    }
    expect(heard).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  it('ReconnectingWebSocket opens, receives, and comes back', async () => {
    const socket = new ReconnectingWebSocket(ADDRESS, [], {
      backoff: { minDelay: 10, maxDelay: 20 }, // its server has put its class in place of the global one
    });
    end = () => socket.close();
    const heard: unknown[] = [];
    socket.addEventListener('message', ({ data }) => heard.push(data));
    socket.send('queued');
    await eventOf(socket, 'open');
    await within(socket.ping(), 'a pong');
    server.emit('message', 'to all');
    await within(socket.ping(), 'a pong');
    server.clients()[0]?.close({ code: 4001, reason: 'again', wasClean: true });
    await eventOf(socket, 'close');
    await eventOf(socket, 'open');
    await within(socket.ping(), 'a pong of the second connection');
    expect(heard).toEqual(['to all']);
    expect(received).toEqual(['queued']);
  });
});
