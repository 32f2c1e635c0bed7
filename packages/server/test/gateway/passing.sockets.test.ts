import { randomBytes } from 'node:crypto';
import { getDefaultHighWaterMark, setDefaultHighWaterMark } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { atEnd, Log, MS, RawClient } from '../server-side.ts';
import { frameOf, MASK } from './frames.ts';
import { onlyConnection, openPage, stage } from './gateway-stage.ts';

const sleep = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

/** The next message, as it is. */
const nextOf = (socket: WebSocket) =>
  new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)));

/** Resolves when a count has stopped growing. */
async function untilStill(count: () => number): Promise<void> {
  let before = -1;
  while (count() !== before) {
    before = count();
    await sleep(200 * MS);
  }
}

const direction = [
  ['from page to upstream', false],
  ['from upstream to page', true],
] as const;

describe.each(direction)('what passes %s', (_, isBack) => {
  it('arrives as it was sent, in order: text, binary, empty, Pings, and what begins like a heartbeat message', async () => {
    const play = await stage();
    const { page, far, received, arrived } = await openPage(play);
    const [from, log] = isBack ? [far, received] : [page, arrived];
    from.send('text');
    from.send(Buffer.from('binary'));
    from.send('');
    from.send(Buffer.alloc(0));
    from.ping('a Ping');
    from.send('\u0005no beat');
    from.send(Buffer.from('\u0005wb'));
    from.send('größer');
    from.pong('nobody asked');
    from.send('last');
    await log.find(([, data]) => data === 'last');
    expect(log.entries).toEqual([
      ['text', 'text'],
      ['binary', 'binary'],
      ['text', ''],
      ['binary', ''],
      ['ping', 'a Ping'],
      ['text', '\u0005no beat'],
      ['binary', '\u0005wb'],
      ['text', 'größer'],
      ['pong', 'nobody asked'],
      ['text', 'last'],
    ]);
    // And the Ping was answered by the other end.
    const back = isBack ? arrived : received;
    expect(await back.find(([name]) => name === 'pong')).toEqual(['pong', 'a Ping']);
  });

  it('arrives complete if it is sent in fragments, with Pings between', async () => {
    const play = await stage();
    const { page, far, received, arrived } = await openPage(play);
    const [from, log] = isBack ? [far, received] : [page, arrived];
    from.send('one ', { fin: false });
    from.ping('between');
    from.send('two ', { fin: false });
    from.send('three', { fin: true });
    expect(await log.find(([name]) => name === 'text')).toEqual(['text', 'one two three']);
    expect(log.entries[0]).toEqual(['ping', 'between']);
  });

  it('arrives byte for byte if it is large, of each length of header', async () => {
    const play = await stage();
    const { page, far } = await openPage(play);
    const [from, to] = isBack ? [far, page] : [page, far];
    for (const length of [125, 126, 65_535, 65_536, 5_000_000]) {
      const bytes = randomBytes(length);
      const came = nextOf(to);
      from.send(bytes);
      expect((await came).equals(bytes)).toBe(true);
    }
  });

  it('waits at the sender while the receiver does not read, and is not kept by the gateway', async () => {
    const play = await stage({}, { maxPayload: 0 });
    const { page, far } = await openPage(play);
    const [from, to] = isBack ? [far, page] : [page, far];
    const connection = onlyConnection(play);
    const taken = () => (isBack ? connection.bytesFromUpstream : connection.bytesFromPage);
    const bytes = randomBytes(96 * 1_048_576);
    to.pause();
    const came = nextOf(to);
    from.send(bytes);
    await untilStill(taken);
    // What kernels keep on the way of the second hop, and nothing else.
    expect(taken()).toBeGreaterThan(65_536);
    expect(taken()).toBeLessThan(24 * 1_048_576);
    to.resume();
    expect((await came).equals(bytes)).toBe(true);
  });

  it('continues once the receiver reads again, also if sockets have a larger `highWaterMark`', async () => {
    const usual = getDefaultHighWaterMark(false);
    setDefaultHighWaterMark(false, 1_048_576);
    atEnd(() => setDefaultHighWaterMark(false, usual));
    const play = await stage({}, { maxPayload: 0 });
    const { page, far } = await openPage(play);
    const [from, to] = isBack ? [far, page] : [page, far];
    const connection = onlyConnection(play);
    const bytes = randomBytes(32 * 1_048_576);
    to.pause();
    const came = nextOf(to);
    from.send(bytes);
    await untilStill(() => connection.bytesFromUpstream + connection.bytesFromPage);
    to.resume();
    expect((await came).equals(bytes)).toBe(true);
  });
});

describe('what is sent at once', () => {
  it('arrives even if the page did not wait for the answer to its handshake', async () => {
    let letIn = () => {};
    const allowed = new Promise<boolean>((resolve) => {
      letIn = () => resolve(true);
    });
    const play = await stage({ allow: () => allowed });
    const came: Log<Buffer> = new Log();
    play.upstream.on('connection', (socket) => {
      socket.on('message', (data) => came.push(data as Buffer));
    });
    const client = new RawClient(play);
    const bytes = randomBytes(200_000);
    client.tcp.write(frameOf({ opcode: 2, payload: bytes, mask: MASK }));
    client.tcp.write(frameOf({ opcode: 2, payload: 'more', mask: MASK }));
    await sleep(50 * MS); // so that it comes before
    letIn();
    await came.find(() => true, 2);
    const [first, second] = came.entries;
    expect([first?.equals(bytes), String(second)]).toEqual([true, 'more']);
  });

  it('arrives behind the answer of the upstream', async () => {
    const play = await stage();
    play.upstream.on('connection', (socket) => socket.send('welcome'));
    const { received } = await openPage(play);
    expect(await received.find()).toEqual(['text', 'welcome']);
  });
});

describe('compression', () => {
  it('is not negotiated, so that bytes can pass unchanged', async () => {
    const play = await stage({}, { perMessageDeflate: { threshold: 0 } });
    const { page, far, received } = await openPage(play, { perMessageDeflate: true });
    expect([page.extensions, far.extensions]).toEqual(['', '']);
    far.send('plain'.repeat(100));
    expect(await received.find()).toEqual(['text', 'plain'.repeat(100)]);
  });
});

describe('many connections', () => {
  it('do not mix: each receives what it has sent', async () => {
    const play = await stage();
    play.upstream.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const pages = [];
    for (let count = 0; count < 20; count += 1) pages.push(await openPage(play));
    for (const [index, { page }] of pages.entries()) {
      for (let round = 0; round < 20; round += 1) page.send(`${index} ${round}`);
    }
    for (const [index, { received }] of pages.entries()) {
      await received.find(() => true, 20);
      const expected = Array.from({ length: 20 }, (_, round) => ['text', `${index} ${round}`]);
      expect(received.entries).toEqual(expected);
    }
    const { open, counters } = play.gateway.status();
    expect(open).toBe(20);
    expect(counters).toMatchObject({ accepted: 20 });
    expect(counters.framesFromPages).toBeGreaterThanOrEqual(400);
  });
});
