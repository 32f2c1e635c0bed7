// Confirmations over the sockets of real classes, and a server of `@wirebeat/server` with its limits.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Delivery } from '../../src/outbox/delivery.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { CLASSES, eventOf, listen, MS, TestProxy, within } from '../sockets.ts';

describe.each(CLASSES)('confirmations over the sockets of %s', (_, WebSocket) => {
  it.each([
    ['flushed() is awaited after each message', { resend: false, maxQueuedMessages: 10_000 }],
    ['the queue is always full', { resend: true, maxQueuedMessages: 1 }],
  ])('do not make the server close the client where %s', async (_, options) => {
    const server = await listen();
    onTestFinished(() => server.close());
    const { maxQueuedMessages, resend } = options;
    const delivery = new Delivery({ resend });
    const all = { WebSocket, maxQueuedMessages, delivery };
    const socket = new ReconnectingWebSocket(server.url, [], all);
    onTestFinished(() => socket.close());
    const closes: number[] = [];
    socket.addEventListener('close', ({ code }) => closes.push(code));
    await eventOf(socket, 'open');
    const end = performance.now() + 1_500;
    let rounds = 0;
    while (performance.now() < end) {
      socket.send(`${rounds}`);
      if (!resend) await within(delivery.flushed(), 'a confirmation');
      else while (delivery.unconfirmed.length > 0) await new Promise(setImmediate);
      rounds += 1;
    }
    expect(closes).toEqual([]);
    expect(rounds).toBeGreaterThan(0);
    expect(server.received.entries).toContain(`${rounds - 1}`);
  });

  it('send again what was not confirmed as it was, whatever became of the buffer', async () => {
    const server = await listen();
    onTestFinished(() => server.close());
    const proxy = await TestProxy.to(server.port);
    onTestFinished(() => proxy.close());
    const delivery = new Delivery({ resend: true });
    const socket = new ReconnectingWebSocket(proxy.url, [], {
      WebSocket,
      delivery,
      backoff: { minDelay: 10 },
    });
    onTestFinished(() => socket.close());
    socket.send('first');
    await within(delivery.flushed(), 'the first');
    proxy.cut();
    const bytes = new TextEncoder().encode('buffer');
    for (const data of [
      'text é€😀',
      bytes,
      bytes.buffer,
      new DataView(bytes.buffer, 1, 3),
      Buffer.from(bytes.buffer, 2),
      new Blob(['a ', 'Blob']),
      'last',
    ]) {
      socket.send(data);
    }
    bytes.fill(0);
    proxy.reset();
    await within(delivery.flushed(), 'the others', 8_000 * MS);
    expect(server.received.entries).toEqual([
      ...['first', 'text é€😀', 'buffer', 'buffer', 'uff', 'ffer', 'a Blob', 'last'],
    ]);
  });
});
