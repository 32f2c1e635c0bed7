import { once } from 'node:events';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { MS, RawClient } from '../server-side.ts';
import { frameOf, MASK } from './frames.ts';
import { emitted, onlyConnection, openPage, rawUpstream, stage } from './gateway-stage.ts';

const endOf = async (socket: WebSocket) => {
  const [code, reason] = await once(socket, 'close');
  return [code, String(reason)];
};

describe.each([
  ['the page', false],
  ['the upstream', true],
] as const)('a close by %s', (_, isBack) => {
  it.each<[string, [number, string] | [number] | [], number, string]>([
    ['a code and a reason', [4001, 'enough'], 4001, 'enough'],
    ['a code', [1000], 1000, ''],
    ['nothing: 1005', [], 1005, ''],
    [
      'another code of the standard',
      [1011, 'keepalive ping timeout'],
      1011,
      'keepalive ping timeout',
    ],
  ])('passes on %s to the other end, and its answer back', async (__, says, code, text) => {
    const play = await stage();
    const { page, far } = await openPage(play);
    const [from, to] = isBack ? [far, page] : [page, far];
    const ends = [endOf(from), endOf(to)];
    from.close(...(says as [number?, string?]));
    expect(await Promise.all(ends)).toEqual([
      [code, code === 1005 ? '' : text],
      [code, text],
    ]);
    const by = isBack ? 'upstream' : 'page';
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'closed', code, text, by });
    expect(play.gateway.connections.size).toBe(0);
    expect(play.gateway.status().counters.ended.closed).toBe(1);
  });

  it('arrives after everything that was sent before it', async () => {
    const play = await stage();
    const { page, far, received, arrived } = await openPage(play);
    const [from, to, log] = isBack ? [far, page, received] : [page, far, arrived];
    const end = endOf(to);
    for (let count = 0; count < 50; count += 1) from.send('x'.repeat(10_000));
    from.close(1000);
    expect(await end).toEqual([1000, '']);
    expect(log.entries).toHaveLength(50);
  });
});

describe('an end without a Close frame', () => {
  it.each([
    ['the page', false],
    ['the upstream', true],
  ] as const)(
    'of %s is one at the other side: 1006, after what was sent before',
    async (_, isBack) => {
      const play = await stage({ scheduler: new VirtualScheduler() }); // so that no limit helps
      const { page, far, received, arrived } = await openPage(play);
      const [from, to, log] = isBack ? [far, page, received] : [page, far, arrived];
      const end = endOf(to);
      await new Promise((resolve) => from.send('last words', resolve));
      from.terminate();
      expect(await end).toEqual([1006, '']);
      expect(log.entries).toEqual([['text', 'last words']]);
      const by = isBack ? 'upstream' : 'page';
      expect(await emitted(play.events, 'end')).toMatchObject({
        reason: 'abnormal',
        code: 1006,
        by,
      });
    },
  );

  it('in the middle of a message drops that message', async () => {
    const play = await stage();
    const client = new RawClient(play);
    const far = await play.accepted.find();
    client.tcp.write(frameOf({ opcode: 1, payload: 'half', claimed: 100, mask: MASK }));
    client.tcp.end();
    expect(await endOf(far)).toEqual([1006, '']);
  });
});

describe('after both Close frames', () => {
  it('the page is closed at once, even if the upstream keeps its connection', async () => {
    const { url, sockets } = await rawUpstream();
    const play = await stage({ upstream: url, scheduler: new VirtualScheduler() });
    const client = new RawClient(play);
    const ended = once(client.tcp, 'end');
    const upstream = (await sockets.find()).resume();
    const close = { opcode: 8, payload: Buffer.from([3, 232]) };
    client.tcp.write(frameOf({ ...close, mask: MASK }));
    upstream.write(frameOf(close));
    expect((await client.frames.find(({ opcode }) => opcode === 8)).payload.readUInt16BE()).toBe(
      1000,
    );
    await ended;
    expect(play.events.entries.map(([name]) => name)).not.toContain('end');
  });
});

describe('a side that does not answer a Close frame', () => {
  it('is dropped after closeTimeout', async () => {
    const play = await stage({ closeTimeout: 200 * MS });
    const client = new RawClient(play);
    const far = await play.accepted.find();
    far.close(1000, 'bye');
    const { payload } = await client.frames.find(({ opcode }) => opcode === 8);
    expect(payload.readUInt16BE()).toBe(1000);
    const { duration } = await emitted(play.events, 'end');
    expect(duration).toBeGreaterThanOrEqual(190 * MS); // the wheel is coarse by 10 ms
  });
});

describe('a connection', () => {
  it('is closed by `close`: the page receives the code, the upstream 1001', async () => {
    const play = await stage();
    const { page, far } = await openPage(play);
    const ends = [endOf(page), endOf(far)];
    const connection = onlyConnection(play);
    expect(() => connection.close(1005)).toThrow(RangeError);
    connection.close(4000, 'moved');
    expect(await Promise.all(ends)).toEqual([
      [4000, 'moved'],
      [1001, ''],
    ]);
    expect(await emitted(play.events, 'end')).toMatchObject({
      reason: 'terminated',
      by: 'gateway',
    });
  });

  it('may be ended by a listener of `open`, and leaves no timer', async () => {
    const scheduler = new VirtualScheduler();
    const play = await stage({ scheduler });
    play.gateway.once('open', ({ connection }) => connection.terminate());
    new RawClient(play);
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'terminated' });
    expect(scheduler.pending).toBe(0);
  });

  it('is dropped by `terminate`, and when the gateway closes, which then refuses handshakes', async () => {
    const play = await stage();
    const [one, other] = [await openPage(play), await openPage(play)];
    const first = [endOf(one.page), endOf(one.far)];
    onlyConnection(play).terminate();
    expect(await Promise.all(first)).toEqual([
      [1006, ''],
      [1006, ''],
    ]);
    const second = [endOf(other.page), endOf(other.far)];
    await play.gateway.close();
    expect(play.gateway.status()).toMatchObject({ state: 'closed', open: 0 });
    expect((await Promise.all(second)).map(([code]) => code)).toEqual([1006, 1006]);
  });
});

describe('an upstream that breaks the protocol', () => {
  it.each([
    ['a mask', frameOf({ opcode: 1, payload: 'x', mask: MASK }), 1014, 'upstream-invalid'],
    ['a reserved bit', frameOf({ opcode: 1, reserved: 0x40 }), 1014, 'upstream-invalid'],
    ['too long a message', frameOf({ opcode: 2, claimed: 2_000 }), 1009, 'too-big'],
  ])(
    'by %s is disconnected, and the page receives a close code',
    async (_, bytes, code, reason) => {
      const { url, sockets } = await rawUpstream();
      const play = await stage({ upstream: url, maxMessageBytes: 1_000 });
      const client = new RawClient(play);
      (await sockets.find()).write(bytes);
      const { payload } = await client.frames.find(({ opcode }) => opcode === 8);
      expect(payload.readUInt16BE()).toBe(code);
      expect(await emitted(play.events, 'end')).toMatchObject({
        reason,
        error: { side: 'upstream' },
      });
    },
  );

  it('cannot close the page properly after half a frame was passed on: 1006', async () => {
    const { url, sockets } = await rawUpstream();
    const play = await stage({ upstream: url });
    const client = new RawClient(play);
    const ended = once(client.tcp, 'end');
    (await sockets.find()).write(frameOf({ opcode: 2, payload: 'half', claimed: 100 }));
    await emitted(play.events, 'open');
    while (onlyConnection(play).bytesFromUpstream === 0) await new Promise(setImmediate);
    (await sockets.find()).destroy();
    await ended;
    expect(client.frames.entries.filter(({ opcode }) => opcode === 8)).toEqual([]);
  });
});
