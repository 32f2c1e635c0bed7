import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { FakeServer } from '../fake-server.ts';
import { show } from '../page.ts';
import { eventOf, Log, listen, type TestServer } from '../sockets.ts';

describe('ReconnectingWebSocket over the WebSocket of a page', () => {
  let server: TestServer;
  let socket: ReconnectingWebSocket;

  beforeEach(async () => {
    server = await listen();
    socket = new ReconnectingWebSocket(server.url, 'chat', {
      WebSocket,
      backoff: { minDelay: 10, maxDelay: 20 },
    });
  });
  afterEach(async () => {
    socket.close();
    await server.close();
  });

  it('passes for one: its events, its types of data, its properties', async () => {
    const messages: Log<unknown> = new Log();
    socket.onmessage = ({ data }) => messages.push(data);
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
    expect(socket).toBeInstanceOf(EventTarget);
    const opened = eventOf(socket, 'open');
    expect(await opened).toBeInstanceOf(Event);
    expect(socket.url).toBe(server.url);
    expect(socket.protocol).toBe('chat');
    expect(socket.binaryType).toBe('blob');
    const accepted = await server.connection();
    accepted.send('text');
    accepted.send('\u0005wb');
    accepted.send(Buffer.from('blob'));
    const blob = await messages.find((data) => data instanceof Blob);
    expect(messages.entries).toEqual(['text', blob]);
    expect(await (blob as Blob).text()).toBe('blob');
    const closed = eventOf(socket, 'close');
    socket.close(4001, 'done');
    expect(await closed).toBeInstanceOf(CloseEvent);
    expect(await closed).toMatchObject({ code: 4001, reason: 'done', wasClean: true });
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  it('comes back, and sends what was queued meanwhile', async () => {
    await eventOf(socket, 'open');
    const lost = eventOf(socket, 'close');
    (await server.connection()).close(1001, 'restart');
    expect(await lost).toMatchObject({ code: 1001, reason: 'restart' });
    socket.send('queued');
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
    await eventOf(socket, 'open');
    expect(await server.received.find()).toBe('queued');
    expect(server.accepted.entries).toHaveLength(2);
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
  });
});

describe('ReconnectingWebSocket in a page', () => {
  it('probes its connection by the hints of the page, and no older one', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler);
    const socket = new ReconnectingWebSocket('ws://test/', [], {
      scheduler,
      WebSocket: server.WebSocket,
    });
    scheduler.advance(30);
    window.dispatchEvent(new Event('online'));
    expect(server.last.beats).toHaveLength(2);
    server.last.reset();
    window.dispatchEvent(new Event('online')); // nobody is there to be asked: it dials at once
    expect(server.links).toHaveLength(2);
    window.dispatchEvent(new Event('online'));
    scheduler.advance(1_000);
    expect(server.links.map(({ beats }) => beats.length)).toEqual([2, 1]);
    show(false);
    expect(socket.detectionBound).toBe(25_000 + 20_000 + 250 + 3 * 2_250);
    show(true); // the server was told of both
    expect(server.links.map(({ beats }) => beats.length)).toEqual([2, 3]);
    socket.close();
    scheduler.advance(2_000);
    window.dispatchEvent(new Event('online'));
    expect(server.links.map(({ beats }) => beats.length)).toEqual([2, 3]);
    expect(scheduler.pending).toBe(0);
  });
});
