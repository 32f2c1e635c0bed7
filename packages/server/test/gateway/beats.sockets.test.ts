import { once } from 'node:events';
import { ClientRequest, IncomingMessage } from 'node:http';
import { queryObjects } from 'node:v8';
import { attachHeartbeat } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { atEnd, MS, RawClient } from '../server-side.ts';
import { frameOf, MASK } from './frames.ts';
import { emitted, onlyConnection, openPage, stage } from './gateway-stage.ts';

describe('a ping from end to end', () => {
  it('becomes a protocol Ping to the upstream with its id, and is answered when the Pong arrives', async () => {
    const play = await stage();
    const { page, received, arrived } = await openPage(play);
    page.send('\u0005wb.a1;v=1');
    expect(await received.find(([, data]) => data === '\u0006wb.a1')).toBeDefined();
    expect(arrived.entries).toContainEqual(['ping', 'wb.a1']);
    expect(arrived.entries.filter(([name]) => name === 'text')).toEqual([]);
    page.send('\u0005wb');
    expect(await received.find(([, data]) => data === '\u0006wb')).toBeDefined();
    expect(arrived.entries).toContainEqual(['ping', 'wb']);
  });

  it('is not answered while the upstream does not answer', async () => {
    const play = await stage({}, { autoPong: false });
    const { page, far, received, arrived } = await openPage(play);
    page.send('\u0005wb.a1');
    page.send('after it');
    await arrived.find(([, data]) => data === 'after it');
    far.send('something else');
    await received.find(([, data]) => data === 'something else');
    expect(received.entries.filter(([, data]) => data.startsWith('\u0006'))).toEqual([]);
    far.pong('wb.a1');
    expect(await received.find(([, data]) => data === '\u0006wb.a1')).toBeDefined();
  });

  it('gives a real client a latency that includes both hops', async () => {
    const play = await stage();
    const { page } = await openPage(play);
    const heartbeat = attachHeartbeat(page);
    atEnd(() => heartbeat.detach());
    expect(await heartbeat.ping()).toBeGreaterThan(0);
    await emitted(play.events, 'beat');
    const connection = onlyConnection(play);
    expect(connection.speaks).toBe(true);
    expect(connection.upstreamLatency).toBeGreaterThan(0);
    page.close(1000, 'enough');
    const [code, text] = await once(page, 'close');
    expect([code, String(text)]).toEqual([1000, 'enough']);
    expect(await emitted(play.events, 'end')).toMatchObject({
      reason: 'closed',
      code: 1000,
      by: 'page',
    });
    expect(play.gateway.connections.size).toBe(0);
  });
});

describe('a text that looks like a heartbeat message', () => {
  const COMMANDS = [
    '\u0005wb;retryAfter=600000',
    '\u0006wb.1;by=gateway',
    '\u0006wb.1;session=ok',
    '\u0005wb.x;pingInterval=120000;pingTimeout=60000',
    '\u0006wb',
  ];

  it.each(COMMANDS)('reaches no page when the upstream broadcasts it: %j', async (text) => {
    const play = await stage();
    const { page, far, received } = await openPage(play);
    const heartbeat = attachHeartbeat(page, { pingInterval: 5_000 });
    atEnd(() => heartbeat.detach());
    await heartbeat.ping();
    const { detectionBound } = heartbeat;
    const before = received.entries.length;
    far.send(text);
    far.send(text.slice(0, 3), { fin: false });
    far.send(text.slice(3), { fin: true });
    far.send('after it');
    await received.find(([, data]) => data === 'after it');
    expect(received.entries.slice(before)).toEqual([['text', 'after it']]);
    const { retryAfter, answersBy } = heartbeat;
    expect({ retryAfter, answersBy }).toEqual({
      retryAfter: undefined,
      answersBy: 'server',
    });
    expect(heartbeat.detectionBound).toBe(detectionBound);
    expect(play.gateway.status().counters.beatsFromUpstreams).toBe(2);
  });

  it('reaches no upstream from a page, however the page fragments it', async () => {
    const play = await stage();
    const client = new RawClient(play);
    const far = await play.accepted.find();
    const texts: string[] = [];
    far.on('message', (data) => texts.push(String(data)));
    for (const text of COMMANDS) {
      const frame = (opcode: number, payload: string, isFinal = false) =>
        client.tcp.write(frameOf({ opcode, payload, isFinal, mask: MASK }));
      frame(1, '');
      for (const letter of text) frame(0, letter);
      frame(9, 'between', true);
      frame(0, '', true);
    }
    client.sendText('after it');
    await expect.poll(() => texts.at(-1)).toBe('after it');
    expect(texts).toEqual(['after it']);
    expect(play.gateway.status().counters.pingsFromPages).toBe(2);
  });
});

describe('pings that wait for the upstream', () => {
  it('are 16 at most: a later one replaces those that had to wait', async () => {
    const play = await stage({ pingLimit: false }, { autoPong: false });
    const { page, far, received, arrived } = await openPage(play);
    const asked = () => arrived.entries.filter(([name]) => name === 'ping').map(([, data]) => data);
    page.send('\u0005wb.0;v=1');
    for (let count = 1; count < 1_000; count += 1) page.send(`\u0005wb.${count}`);
    for (let count = 0; count < 1_000; count += 1) page.send('\u0005wb');
    page.send('after them');
    await arrived.find(([, data]) => data === 'after them');
    const first = Array.from({ length: 16 }, (_, index) => `wb.${index}`);
    // The gateway's own pings take places too: one, or two on a busy machine.
    expect(asked()).toEqual(first.slice(0, asked().length));
    expect(asked().length).toBeGreaterThanOrEqual(13);
    far.pong(asked().at(-1));
    await arrived.find(([name, data]) => name === 'ping' && data === 'wb');
    expect(asked().slice(-2)).toEqual(['wb.999', 'wb']);
    far.pong('wb.999');
    far.pong('wb');
    expect(await received.find(([, data]) => data === '\u0006wb.999')).toBeDefined();
    expect(await received.find(([, data]) => data === '\u0006wb')).toBeDefined();
    const pongs = received.entries.filter(([name]) => name === 'text').map(([, data]) => data);
    expect(pongs.slice(-2)).toEqual(['\u0006wb.999', '\u0006wb']);
    const { pingsFromPages, pongsToPages } = play.gateway.status().counters;
    expect([pingsFromPages, pongsToPages]).toEqual([2_000, 3]);
  });

  it.each([
    ['by the upstream', true],
    ['by the gateway', false],
  ])('are answered %s by few pongs if the page does not read', async (_, endToEnd) => {
    const play = await stage({ pingLimit: false, endToEnd });
    const { page, far, received } = await openPage(play);
    page.send('\u0005wb.0;v=1');
    await received.find(([, data]) => data === '\u0006wb.0' || data.startsWith('\u0006wb.0;'));
    page.pause();
    const connection = onlyConnection(play);
    const chunk = Buffer.alloc(1_000_000);
    for (let count = 0; count < 32; count += 1) far.send(chunk);
    let read = -1; // until the gateway reads no more of the upstream
    while (read !== connection.bytesFromUpstream) {
      read = connection.bytesFromUpstream;
      await new Promise((resolve) => setTimeout(resolve, 200 * MS));
    }
    for (let count = 1; count <= 5_000; count += 1) page.send(`\u0005wb.${count}`);
    await expect
      .poll(() => play.gateway.status().counters.pingsFromPages, { timeout: 5_000 * MS })
      .toBe(5_001);
    const texts: string[] = [];
    page.on('message', (data, isBinary) => !isBinary && texts.push(String(data)));
    page.resume();
    await expect
      .poll(() => texts.at(-1), { timeout: 5_000 * MS })
      .toBe(endToEnd ? '\u0006wb.5000' : '\u0006wb.5000;by=gateway');
    expect(texts.length).toBeLessThanOrEqual(17); // those that waited, and the last
  });
});

describe('a connection', () => {
  it('keeps neither the request of the page nor the answer of the upstream', async () => {
    const play = await stage();
    const count = () =>
      [IncomingMessage, ClientRequest].map((each) =>
        Number(queryObjects(each, { format: 'count' })),
      );
    const before = count();
    for (let opened = 0; opened < 20; opened += 1) await openPage(play);
    const grown = () => count().map((each, index) => each - (before[index] ?? 0));
    const options = { interval: 1_000, timeout: 10_000 * MS };
    await expect.poll(() => Math.max(...grown()), options).toBeLessThan(20);
    expect(play.gateway.connections.size).toBe(20);
  });
});
