// Raw sockets that send what they like. HEARTBEAT_TEST_RUNS says how much of it: by 20 000 of them,
// 10 000 handshakes and 100 000 frames.
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import { MS, RawClient } from '../server-side.ts';
import { type FrameParts, frameOf, MASK } from './frames.ts';
import { type GatewayStage, openPage, stage } from './gateway-stage.ts';

const HANDSHAKES = Math.ceil(RUNS / 2);
const FRAMES = RUNS * 5;
const AT_ONCE = 20;

const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
afterEach(() => {
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
});

/** A gateway with a page that must not notice anything, and what it says at the end. */
async function besieged(): Promise<{
  play: GatewayStage;
  check: (accepted?: number) => Promise<void>;
}> {
  process.on('unhandledRejection', onRejection);
  const play = await stage({ maxMessageBytes: 1_000_000 }, { maxPayload: 2_000_000 });
  const { page, arrived } = await openPage(play);
  const check = async () => {
    page.send('still here');
    expect(await arrived.find(([, data]) => data === 'still here')).toBeDefined();
    page.send('\u0005wb.end');
    while (play.gateway.connections.size > 1 || play.gateway.status().handshaking > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10 * MS));
    }
    while (play.upstream.clients.size > 1) await new Promise(setImmediate);
    const { counters } = play.gateway.status();
    const ended = Object.values(counters.ended).reduce((sum, count) => sum + count, 0);
    expect(counters.accepted).toBe(ended + 1);
  };
  return { play, check };
}

async function inLanes<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const lane = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

// Handshakes.

const GOOD_HEADERS = [
  'Host: x',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'Upgrade: h2c',
    'Sec-WebSocket-Version: 7',
    'Sec-WebSocket-Key: short',
    'Host: y',
    'A: b\r\n C: d',
  ),
  fc.constantFrom(
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    'Sec-WebSocket-Protocol: a,,b',
  ),
  fc.constantFrom(
    'X: '.padEnd(20_000, 'x'),
    'Cookie: \u0000',
    'Sec-WebSocket-Extensions: permessage-deflate; x="',
  ),
);
/** As it must be every other time: so that some are let in. */
const mostly = <Value>(right: Value, wrong: fc.Arbitrary<Value>) =>
  fc.oneof(fc.constant(right), wrong);
const handshake = fc
  .record({
    start: mostly(
      'GET / HTTP/1.1',
      fc.constantFrom(
        'GET / HTTP/1.0',
        'POST / HTTP/1.1',
        'GET //h/ HTTP/1.1',
        'GET http://h/ HTTP/1.1',
        'GET * HTTP/1.1',
        'PRI * HTTP/2.0',
        'GET / HTTP/9.9',
        'nonsense',
        '\u0016\u0003\u0001',
        'OPTIONS * HTTP/1.1',
      ),
    ),
    kept: mostly(GOOD_HEADERS, fc.subarray(GOOD_HEADERS, { minLength: 3 })),
    added: fc.array(junk, { maxLength: 2 }),
    end: mostly(
      '\r\n\r\n',
      fc.constantFrom('\n\n', '\r\n', '\r\n\r\n\r\n\r\n', '\r\n\r\n\u0081\u0085'),
    ),
  })
  .map(({ start, kept, added, end }) =>
    Buffer.from([start, ...kept, ...added].join('\r\n') + end, 'latin1'),
  );

/** Two that nothing is wrong with, with and without a FIN behind them. */
const sound = ['/', '/x'].map((path) =>
  Buffer.from([`GET ${path} HTTP/1.1`, ...GOOD_HEADERS, '\r\n'].join('\r\n'), 'latin1'),
);

/** Of the gateway, and of Node's parser before it. None: the connection ended without an answer. */
const STATUSES = ['100', '101', '400', '405', '417', '426', '431', 'none'];

describe('fuzzed handshakes', () => {
  it('are each answered in HTTP, and leave nothing behind', async () => {
    const { play, check } = await besieged();
    const samples = [...sound, ...fc.sample(handshake, HANDSHAKES)];
    const statuses = new Map<string, number>();
    await inLanes(samples, async (bytes) => {
      const socket = connect(play.port, '127.0.0.1');
      socket.on('error', () => {});
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
        socket.end();
      });
      if (bytes.length % 2 === 0) socket.end(bytes);
      else socket.write(bytes);
      // For what is half a request. A sound one is answered, however slow this machine is.
      const patience = sound.includes(bytes) ? undefined : setTimeout(() => socket.end(), 100 * MS);
      await once(socket, 'close');
      clearTimeout(patience);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 'none';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      expect(STATUSES).toContain(status);
    });
    for (const status of ['101', '400', '426']) expect([...statuses.keys()]).toContain(status);
    await check();
  }, 600_000);
});

// Frames.

const text = fc.string({ maxLength: 200 }).map((payload): FrameParts => ({ opcode: 1, payload }));
const binary = fc
  .uint8Array({ maxLength: 300 })
  .map((payload): FrameParts => ({ opcode: 2, payload }));
const ping = fc
  .uint8Array({ maxLength: 125 })
  .map((payload): FrameParts => ({ opcode: 9, payload }));
const pong = fc
  .uint8Array({ maxLength: 125 })
  .map((payload): FrameParts => ({ opcode: 10, payload }));
const beat = fc
  .constantFrom('\u0005wb', '\u0005wb.7;v=1', '\u0006wb.1', '\u0005wbx', '\u0006')
  .map((payload): FrameParts => ({ opcode: 1, payload }));
const fragments = fc
  .tuple(text, ping, text)
  .map(([first, between, last]): FrameParts[] => [
    { ...first, isFinal: false },
    between,
    { opcode: 0, payload: last.payload ?? '', isFinal: false },
    { opcode: 0, payload: '' },
  ]);
const good = fc.oneof(
  fragments,
  ...[text, binary, ping, pong, beat].map((one) => one.map((frame) => [frame])),
);

/** What ends a connection, and by which code: RFC 6455 §7.4.1. The upstream judges text. */
const bad = fc.constantFrom<readonly [code: number, frame: FrameParts]>(
  [1002, { opcode: 1, mask: undefined }],
  [1002, { opcode: 1, reserved: 0x40 }],
  [1002, { opcode: 2, reserved: 0x10 }],
  [1002, { opcode: 3 }],
  [1002, { opcode: 15 }],
  [1002, { opcode: 0 }],
  [1002, { opcode: 9, isFinal: false }],
  [1002, { opcode: 9, payload: Buffer.alloc(126) }],
  [1002, { opcode: 8, payload: 'x' }],
  [1002, { opcode: 8, payload: Buffer.from([3, 236]) }], // 1004
  [1002, { opcode: 8, payload: Buffer.from([0xff, 0xff]) }],
  [1007, { opcode: 8, payload: Buffer.from([3, 232, 0xc3, 0x28]) }],
  [1007, { opcode: 1, payload: Buffer.from([0xc3, 0x28]) }],
  [1002, { opcode: 2, claimed: 2n ** 63n }],
  [1002, { opcode: 2, claimed: 3, extended: 8 }],
  [1009, { opcode: 2, claimed: 1_000_001 }],
  [1009, { opcode: 1, claimed: 2n ** 62n }],
  [1000, { opcode: 8, payload: Buffer.from([3, 232]) }],
  [4999, { opcode: 8, payload: Buffer.from([0x13, 0x87, 0x78]) }],
);

interface Assault {
  readonly before: readonly FrameParts[][];
  readonly bad: readonly [code: number, frame: FrameParts];
  readonly cut: number;
}

const assault: fc.Arbitrary<Assault> = fc.record({
  before: fc.array(good, { minLength: 8, maxLength: 16 }),
  bad,
  cut: fc.integer({ min: 1, max: 400 }),
});

describe('fuzzed frames', () => {
  it('end their own connection with the code of the RFC, and no other', async () => {
    const { play, check } = await besieged();
    const samples: Assault[] = [];
    let frames = 0;
    for (const sample of fc.sample(assault, Math.ceil(FRAMES / 8))) {
      if (frames >= FRAMES) break;
      frames += sample.before.flat().length + 1;
      samples.push(sample);
    }
    await inLanes(samples, async ({ before, bad: [code, last], cut }) => {
      const client = new RawClient(play);
      const ended = once(client.tcp, 'close');
      const bytes = Buffer.concat(
        [...before.flat(), last].map((frame) => frameOf({ mask: MASK, ...frame })),
      );
      for (let at = 0; at < bytes.length; at += cut) client.tcp.write(bytes.subarray(at, at + cut));
      const close = await client.frames.find(({ opcode }) => opcode === 8);
      client.tcp.end();
      expect([close.payload.readUInt16BE(), last]).toEqual([code, last]);
      await ended;
    });
    await check();
  }, 600_000);
});
