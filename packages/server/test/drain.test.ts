import { seededRandom } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { Stage, type VirtualSocket } from './virtual-server.ts';

const FIRST = '\u0005wb.1;v=1';
const HOUR = 3_600_000;

/** A server with so many connections, whose peers answer a Close frame after 40 ms or never. */
function openMany(count: number, { answersClose = true, options = {} } = {}) {
  const stage = new Stage(options);
  const closes: number[] = [];
  const sockets: VirtualSocket[] = [];
  const connect = () => {
    const { socket } = stage.connect({ answersBeats: true, latency: 40 });
    const { close } = socket;
    socket.close = (code, text) => {
      close.call(socket, code, text);
      closes.push(stage.scheduler.now());
      if (!answersClose) return;
      stage.scheduler.at(stage.scheduler.now() + 40, () => socket.end(code ?? 1005));
    };
    sockets.push(socket);
    return socket;
  };
  for (let index = 0; index < count; index += 1) connect();
  stage.advanceTo(1_000);
  return { stage, sockets, closes, connect };
}

/** When a promise has settled, by the clock of the stage. */
async function settledAt(stage: Stage, promise: Promise<void>, until: number): Promise<number> {
  let at = Number.NaN;
  void promise.then(() => {
    at = stage.scheduler.now();
  });
  for (let now = stage.scheduler.now(); now <= until && Number.isNaN(at); now += 10) {
    stage.advanceTo(now);
    await Promise.resolve();
  }
  return at;
}

describe('drain', () => {
  it('closes the i-th of n after (i + random)/n of the time, and resolves when there is none', async () => {
    const { stage, closes } = openMany(4);
    const done = stage.heartbeat.drain({ within: 8_000 });
    expect(closes).toEqual([]); // not within the call
    expect(await settledAt(stage, done, HOUR)).toBe(7_040); // random is 0
    expect(closes).toEqual([1_000, 3_000, 5_000, 7_000]);
    expect(new Set(stage.lines(/end:/).map((line) => line.split(' ').slice(1).join(' ')))).toEqual(
      new Set(['end: closed 1012']),
    );
    expect(stage.scheduler.pending).toBe(0);
  });

  it('closes no more than its share in any part of the time', () => {
    const { stage, closes } = openMany(500, { options: { random: seededRandom(4) } });
    void stage.heartbeat.drain({ within: 5_000 });
    stage.advanceTo(7_000);
    expect(closes).toHaveLength(500);
    const parts = new Array<number>(50).fill(0); // of 100 ms: ten each
    for (const at of closes) {
      const part = Math.floor((at - 1_000) / 100);
      parts[part] = (parts[part] ?? 0) + 1;
    }
    expect(Math.max(...parts)).toBeLessThanOrEqual(11);
    expect(parts.reduce((sum, part) => sum + part)).toBe(500);
  });

  it('gives a hint just before: in a ping to clients that send pings, and in the close reason to all', () => {
    const { stage, sockets } = openMany(2);
    sockets[0]?.receive(FIRST);
    stage.advanceTo(2_000);
    const { length } = stage.log;
    void stage.heartbeat.drain({ within: 1_000, retryAfter: 2_500.4 });
    stage.advanceTo(2_600);
    expect(stage.log.slice(length)).toEqual([
      '2000 sends ?wb;retryAfter=2500',
      '2000 closes 1012 service restart; retryAfter=2500',
      '2040 end: closed 1012',
      '2500 closes 1012 service restart; retryAfter=2500',
      '2540 end: closed 1012',
    ]);
  });

  it('gives none if there is nothing to wait for', () => {
    const { stage, sockets } = openMany(1);
    sockets[0]?.receive(FIRST);
    stage.advanceTo(2_000);
    const { length } = stage.log;
    void stage.heartbeat.drain();
    stage.advanceTo(2_010);
    expect(stage.log.slice(length)).toEqual(['2000 closes 1012 service restart']);
  });

  it('stops pinging and judging clients', async () => {
    const { stage, sockets } = openMany(2);
    for (const { peer } of sockets) peer.answersPings = false;
    stage.advanceTo(31_000); // both are asked
    const { length } = stage.log;
    const done = stage.heartbeat.drain({ within: 600_000 });
    await settledAt(stage, done, HOUR);
    const seen = stage.log.slice(length).join();
    expect(seen).not.toMatch(/Ping|suspect|dead|terminates/);
  });

  it('terminates clients that have not closed a second after the time, and resolves then', async () => {
    const { stage, sockets } = openMany(2, { answersClose: false });
    const done = stage.heartbeat.drain({ within: 2_000 });
    expect(await settledAt(stage, done, HOUR)).toBe(4_000);
    expect(stage.lines(/terminates/)).toEqual(['4000 terminates', '4000 terminates']);
    stage.advanceTo(HOUR);
    expect(sockets.map(({ readyState }) => readyState)).toEqual([3, 3]);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('closes clients at once that connect meanwhile, and does not judge them either', () => {
    const { stage, connect } = openMany(1, { answersClose: false });
    void stage.heartbeat.drain({ within: 600_000, retryAfter: 5_000 });
    stage.advanceTo(60_000);
    connect().peer.answersPings = false;
    expect(stage.log.at(-1)).toBe('60000 closes 1012 service restart; retryAfter=5000');
    stage.advanceTo(500_000);
    expect(stage.lines(/suspect|dead/)).toEqual([]);
  });

  it('returns the same when it is called again, and resolves at once without clients', async () => {
    const { stage } = openMany(3);
    const done = stage.heartbeat.drain({ within: 2_000 });
    expect(stage.heartbeat.drain({ within: 9_000 })).toBe(done);
    stage.advanceTo(4_000);
    await done;
    const empty = new Stage();
    await empty.heartbeat.drain();
    expect(empty.scheduler.pending).toBe(0);
  });

  it('is cancelled by detach', async () => {
    const { stage, closes } = openMany(3);
    const done = stage.heartbeat.drain({ within: 9_000 });
    stage.advanceTo(2_000);
    stage.heartbeat.detach();
    await done;
    stage.advanceTo(HOUR);
    expect(closes).toHaveLength(1);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('leaves connections alone that have ended before', () => {
    const { stage, sockets, closes } = openMany(3);
    void stage.heartbeat.drain({ within: 9_000 });
    sockets[1]?.end(1000);
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes/)).toHaveLength(2);
    expect(closes).toHaveLength(2);
  });

  it.each([
    [{ within: 0 }, '`within` to be a number > 0'],
    [{ retryAfter: -1 }, '`retryAfter` to be a number in [0, 600000]'],
    [{ retryAfter: 600_001 }, '`retryAfter` to be a number in [0, 600000]'],
    [{ until: 5 }, 'Unknown option `until`'],
    [5, '`options` to be an object'],
  ])('refuses %o, and closes no connection', (options, message) => {
    const { stage } = openMany(1);
    expect(() => stage.heartbeat.drain(options as never)).toThrow(message);
    stage.advanceTo(HOUR);
    expect(stage.lines(/closes/)).toEqual([]);
  });
});
