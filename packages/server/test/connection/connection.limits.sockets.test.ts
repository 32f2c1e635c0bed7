import { describe, expect, it } from 'vitest';
import { connect, MS, RawClient, serve } from '../server-side.ts';

const QUICK = { pingInterval: 100 * MS, pingTimeout: 100 * MS, jitter: 0 };

const PING_LIMIT = { burst: 50, interval: 200 }; // the default

/** A masked frame of few bytes, RFC 6455 §5.2: text, or a Ping. */
function frame(opcode: number, text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

describe('a flood of pings', () => {
  it.each([
    ['application pings', 1, '\u0005wb.1'],
    ['protocol Pings', 9, ''],
  ])('is closed with 1008, and hardly answered: %s', async (_, opcode, text) => {
    const stage = await serve();
    const { client: bystander } = await connect(stage);
    const startedAt = performance.now();
    const flooder = new RawClient(stage);
    const chunk = Buffer.concat(new Array(1_000).fill(frame(opcode, text)));
    for (let count = 0; count < 50; count += 1) flooder.tcp.write(chunk);
    const end = await stage.log.find(([name]) => name === 'end');
    const refilled = (performance.now() - startedAt) / PING_LIMIT.interval; // on a busy machine
    const [, flooded] = stage.server.clients;
    const closed = new Promise((resolve) => flooded?.once('close', resolve));
    expect(end).toEqual(['end', { reason: 'flood', code: 1008, text: 'too many pings' }]);
    const close = await flooder.frames.find(({ opcode: code }) => code === 8);
    expect(close.payload.readUInt16BE()).toBe(1008);
    const answers = flooder.frames.entries.filter(({ payload }) => !payload.includes('wb-'));
    // The pongs, a ping to the page, and the Close frame.
    expect(answers.length).toBeLessThanOrEqual(PING_LIMIT.burst + refilled + 2);
    await closed;
    expect(stage.log.entries.filter(([name]) => name === 'message')).toEqual([]);
    expect(bystander.readyState).toBe(bystander.OPEN);
    expect(stage.server.clients.size).toBe(1);
  });

  it('is closed even if the client reads nothing and answers nothing', async () => {
    const stage = await serve({ pingLimit: { burst: 10 } });
    const flooder = new RawClient(stage);
    await new Promise((resolve) => flooder.tcp.once('connect', resolve));
    flooder.tcp.pause();
    flooder.tcp.write(Buffer.concat(new Array(1_000).fill(frame(1, '\u0005wb'))));
    await stage.log.find(([name]) => name === 'end');
    const [socket] = stage.server.clients;
    await new Promise((resolve) => socket?.once('close', resolve));
    expect(stage.server.clients.size).toBe(0);
  });
});

describe('a message that arrives slowly', () => {
  it('proves life while it arrives, and no longer', { timeout: 30_000 * MS }, async () => {
    const stage = await serve(QUICK);
    new RawClient(stage);
    await stage.log.find(([name]) => name === 'dead'); // for it answers nothing
    const other = new RawClient(stage);
    other.tcp.write(Buffer.from([0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0])); // a text of 1 000 bytes begins
    const drip = setInterval(() => other.tcp.write('x'), 20 * MS);
    await new Promise((resolve) => setTimeout(resolve, 1_500 * MS));
    const deaths = () => stage.log.entries.filter(([name]) => name === 'dead').length;
    expect(deaths()).toBe(1);
    expect(stage.server.clients.size).toBe(1);
    clearInterval(drip);
    await stage.log.find(([name]) => name === 'dead', 2);
  });
});
