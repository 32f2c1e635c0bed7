// A. Augustin, `websockets` for Python: what its tests of ping() and of keepalive hold it to, in
// tests/asyncio/test_connection.py (and tests/sync, where a ping fails to be sent).
//
// Its pings carry four random bytes; ours are bare but where an id is needed. Its keepalive gives up
// at the timeout; ours looks once more, VERDICT_WAIT later.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { HeartbeatDriver } from '../../src/driver/heartbeat-driver.ts';
import type { HeartbeatEvents } from '../../src/driver/heartbeat-events.ts';
import { ConnectionClosedError, InvalidOptionError, PingTimeoutError } from '../../src/errors.ts';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { HEARTBEAT_SCHEMA, type HeartbeatOptions } from '../../src/options.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import type { Instant, Millis } from '../../src/time.ts';
import { outcomeOf } from '../outcome.ts';

const PENDING = { status: 'pending' };
const REFUSED = { status: 'rejected', reason: expect.any(InvalidOptionError) };
const HOUR = 3_600_000;
/** The defaults of `websockets`. */
const KEEPALIVE = { pingInterval: 20_000, pingTimeout: 20_000 };
/** No keepalive: the only pings are those that are asked for. */
const DISABLED: HeartbeatOptions = { pingInterval: false, pingTimeout: false };
const CLOSED = new ConnectionClosedError(1000, 'bye');

/** An open connection. Its peer answers each ping after `latency`; undefined: it answers none. */
function setUp(options: HeartbeatOptions, latency?: Millis) {
  const scheduler = new VirtualScheduler();
  const peer = { latency };
  const pings: (string | undefined)[] = [];
  const pingedAt: Instant[] = [];
  const news: (keyof HeartbeatEvents)[] = [];
  const driver: HeartbeatDriver = new HeartbeatDriver(options, scheduler, {
    sendPing: ({ id }) => {
      pings.push(id);
      pingedAt.push(scheduler.now());
      if (peer.latency !== undefined) scheduler.at(scheduler.now() + peer.latency, () => pong(id));
    },
    sendPong: () => {},
    emit: (...[name]) => void news.push(name),
  });
  const pong = (id?: string) => driver.receiveBeat({ type: 'pong', id });
  driver.open();
  return {
    scheduler,
    peer,
    pings,
    pingedAt,
    news,
    driver,
    pong,
    heartbeat: driver.heartbeat,
  };
}

/** The same without keepalive, past its first ping, which always carries an id. */
async function setUpAcquainted() {
  const all = setUp(DISABLED, 0);
  const first = all.driver.ping();
  all.scheduler.advance(0);
  expect(await outcomeOf(first)).toEqual({ status: 'fulfilled', value: 0 });
  all.peer.latency = undefined;
  all.pings.length = 0;
  return all;
}

describe('ping', () => {
  it('is bare, and carries a fresh id where a ping is already out', async () => {
    const { pings, driver, pong } = await setUpAcquainted();
    const asked = [driver.ping(), driver.ping(), driver.ping()];
    const [bare, ...ids] = pings;
    expect(bare).toBeUndefined();
    expect(ids).toEqual([expect.any(String), expect.any(String)]);
    expect(new Set(ids).size).toBe(2);
    pong(ids[1]);
    for (const outcome of await Promise.all(asked.map(outcomeOf))) {
      expect(outcome).toMatchObject({ status: 'fulfilled' });
    }
    void driver.ping();
    expect(pings.at(-1)).toBeUndefined();
  });

  it('carries no fresh id that an explicit one has already', async () => {
    const { pings, driver } = await setUpAcquainted();
    void driver.ping({ id: '3' }); // the connection's second
    void driver.ping();
    expect(pings[0]).toBe('3');
    expect(pings[1]).toEqual(expect.any(String));
    expect(pings[1]).not.toBe('3');
  });

  it('carries an explicit payload verbatim', async () => {
    const { pings, driver, pong } = await setUpAcquainted();
    for (const id of ['a', '0', '-_-', 'Zz09_-', '0123456789abcdef']) {
      const ping = driver.ping({ id });
      expect(pings.at(-1)).toBe(id);
      pong(id);
      expect(await outcomeOf(ping)).toMatchObject({ status: 'fulfilled' });
    }
  });

  it('carries it also where the connection has seen no ping yet', () => {
    const { pings, driver } = setUp(DISABLED);
    void driver.ping({ id: 'hello' });
    expect(pings).toEqual(['hello']);
  });

  it('refuses a payload of another kind', async () => {
    const { pings, driver } = await setUpAcquainted();
    for (const id of [1, true, {}, [], new Uint8Array(4), 'two words', '']) {
      expect(await outcomeOf(driver.ping({ id: id as string }))).toEqual(REFUSED);
    }
    expect(pings).toEqual([]);
  });

  it('is resolved by its pong, to the latency', async () => {
    const { scheduler, driver, pong } = await setUpAcquainted();
    const ping = driver.ping({ id: 'this' });
    scheduler.advance(30);
    expect(await outcomeOf(ping)).toEqual(PENDING);
    pong('this');
    expect(await outcomeOf(ping)).toEqual({ status: 'fulfilled', value: 30 });
  });

  it('is not resolved by a foreign pong', async () => {
    const { driver, pong } = await setUpAcquainted();
    const ping = driver.ping({ id: 'this' });
    for (const foreign of ['that', 'thi', 'This', 'this-', undefined]) pong(foreign);
    expect(await outcomeOf(ping)).toEqual(PENDING);
  });

  it('bare, is not resolved by a pong with an id', async () => {
    const { driver, pong } = await setUpAcquainted();
    const ping = driver.ping();
    pong('that');
    expect(await outcomeOf(ping)).toEqual(PENDING);
    pong();
    expect(await outcomeOf(ping)).toMatchObject({ status: 'fulfilled' });
  });

  it('is acknowledged by a later pong, and not by an earlier one', async () => {
    const { scheduler, driver, pong } = await setUpAcquainted();
    const pings: Promise<Millis>[] = [];
    for (const id of ['a', 'b', 'c', 'd']) {
      pings.push(driver.ping({ id }));
      scheduler.advance(10);
    }
    pong('c');
    expect(await Promise.all(pings.map(outcomeOf))).toEqual([
      { status: 'fulfilled', value: 40 },
      { status: 'fulfilled', value: 30 },
      { status: 'fulfilled', value: 20 },
      PENDING,
    ]);
    pong('a'); // too late: it is acknowledged
    expect(await outcomeOf(pings[3] ?? Promise.resolve())).toEqual(PENDING);
  });

  it('rejects when the connection closes', async () => {
    const { scheduler, driver, pong } = await setUpAcquainted();
    const pings = [driver.ping(), driver.ping({ id: 'b' }), driver.ping({ timeout: HOUR })];
    driver.close(CLOSED);
    for (const outcome of await Promise.all(pings.map(outcomeOf))) {
      expect(outcome).toEqual({ status: 'rejected', reason: CLOSED });
    }
    expect(scheduler.pending).toBe(0);
    pong('b');
  });

  it('is refused a payload that is out, until that is answered', async () => {
    const { scheduler, pings, driver, pong } = await setUpAcquainted();
    const first = driver.ping({ id: 'idem' });
    expect(await outcomeOf(driver.ping({ id: 'idem' }))).toEqual(REFUSED);
    scheduler.advance(HOUR);
    expect(await outcomeOf(driver.ping({ id: 'idem' }))).toEqual(REFUSED);
    expect(pings).toEqual(['idem']);

    pong('idem');
    expect(await outcomeOf(first)).toEqual({ status: 'fulfilled', value: HOUR });
    const second = driver.ping({ id: 'idem' });
    pong('idem');
    expect(await outcomeOf(second)).toEqual({ status: 'fulfilled', value: 0 });
    expect(pings).toEqual(['idem', 'idem']);
  });

  it('is not refused a payload that was out when an earlier connection closed', async () => {
    const { pings, driver } = await setUpAcquainted();
    const lost = outcomeOf(driver.ping({ id: 'idem' }));
    driver.close(CLOSED);
    expect(await lost).toMatchObject({ status: 'rejected' });
    driver.open();
    void driver.ping({ id: 'idem' });
    expect(pings).toEqual(['idem', 'idem']);
  });
});

// In Python the waiter is a future that somebody cancels. Here it is a promise whose signal is
// aborted or whose time is over.
describe.each(['aborted', 'timed out'] as const)('a ping that is abandoned: %s', (how) => {
  /** Pings, and waits for the pong no longer. */
  async function abandon(
    { scheduler, driver, heartbeat }: ReturnType<typeof setUp>,
    id: string,
  ): Promise<void> {
    const controller = new AbortController();
    const ping = driver.ping({ id, signal: controller.signal, timeout: 1_000 });
    if (how === 'aborted') controller.abort();
    else scheduler.advance(1_000 + VERDICT_WAIT);
    expect(await outcomeOf(ping)).toMatchObject({ status: 'rejected' });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    const hasDeadline = heartbeat.deadline < Number.POSITIVE_INFINITY;
    expect(scheduler.pending).toBe(hasDeadline ? 1 : 0); // the heartbeat's own
  }

  it('takes its pong without harm: the latency is measured all the same', async () => {
    const all = await setUpAcquainted();
    const { scheduler, news, pong, heartbeat } = all;
    await abandon(all, 'a');
    const sentAt = all.pingedAt.at(-1) ?? Number.NaN;
    scheduler.advance(70);
    pong('a');
    expect(news.at(-1)).toBe('pong');
    expect(heartbeat.latency).toBe(scheduler.now() - sentAt);
  });

  it('is acknowledged by a later pong too, among others that are waited for', async () => {
    const all = await setUpAcquainted();
    const { driver, pong, heartbeat } = all;
    const before = driver.ping({ id: 'a', timeout: false });
    await abandon(all, 'b');
    const after = driver.ping({ id: 'c' });
    pong('c');
    expect(await outcomeOf(before)).toMatchObject({ status: 'fulfilled' });
    expect(await outcomeOf(after)).toEqual({ status: 'fulfilled', value: 0 });
    for (const id of ['a', 'b', 'c']) expect(heartbeat.isOutstanding(id)).toBe(false);
  });

  it('keeps its payload until it is answered: nobody waits, but the pong may come', async () => {
    const all = await setUpAcquainted();
    const { driver, pong } = all;
    await abandon(all, 'a');
    expect(await outcomeOf(driver.ping({ id: 'a' }))).toEqual(REFUSED);
    pong('a');
    const again = driver.ping({ id: 'a' });
    pong('a');
    expect(await outcomeOf(again)).toEqual({ status: 'fulfilled', value: 0 });
  });
});

describe('keepalive', () => {
  it('is on by default', () => {
    const { scheduler, pingedAt } = setUp({}, 10);
    scheduler.advance(2 * HEARTBEAT_SCHEMA.pingInterval.default);
    expect(pingedAt).toEqual([
      HEARTBEAT_SCHEMA.pingInterval.default,
      2 * HEARTBEAT_SCHEMA.pingInterval.default,
    ]);
  });

  it('keeps the period: the next ping is due one interval after the last, not after its pong', () => {
    const { scheduler, peer, pingedAt } = setUp(KEEPALIVE);
    for (const latency of [0, 10, 2_900, 40]) {
      peer.latency = latency;
      scheduler.advance(KEEPALIVE.pingInterval);
    }
    scheduler.advance(KEEPALIVE.pingInterval);
    expect(pingedAt).toEqual([20_000, 40_000, 60_000, 80_000, 100_000]);
  });

  it('does not drift from it', () => {
    const { scheduler, pingedAt, news } = setUp(KEEPALIVE, 37);
    scheduler.advance(HOUR);
    expect(pingedAt).toHaveLength(HOUR / KEEPALIVE.pingInterval);
    expect(pingedAt.every((at, index) => at === (index + 1) * KEEPALIVE.pingInterval)).toBe(true);
    expect(news).not.toContain('suspect');
  });

  it('measures: latency is unset until the first pong', () => {
    const { scheduler, pings, heartbeat } = setUp(KEEPALIVE, 25);
    expect(heartbeat.latency).toBeUndefined();
    scheduler.advance(KEEPALIVE.pingInterval + 24);
    expect(pings).toHaveLength(1);
    expect(heartbeat.latency).toBeUndefined();
    scheduler.advance(1);
    expect(heartbeat.latency).toBe(25);
  });

  it('sends none with the interval off', () => {
    const { scheduler, pings, heartbeat } = setUp({ ...KEEPALIVE, pingInterval: false });
    expect(scheduler.pending).toBe(0);
    scheduler.advance(24 * HOUR);
    expect(pings).toEqual([]);
    expect(heartbeat.status).toBe('alive');
    expect(heartbeat.latency).toBeUndefined();
  });

  it('gives the peer up when a pong does not come within the timeout', async () => {
    const { scheduler, peer, news, heartbeat, driver } = setUp(KEEPALIVE, 10);
    scheduler.advance(KEEPALIVE.pingInterval + 10); // 20 010 ms: one was answered
    peer.latency = undefined;
    const ping = driver.ping({ timeout: false });
    scheduler.advance(KEEPALIVE.pingTimeout + VERDICT_WAIT - 1);
    expect(news).not.toContain('dead');
    expect(await outcomeOf(ping)).toEqual(PENDING);
    scheduler.advance(1);
    expect(news.at(-1)).toBe('dead');
    expect(heartbeat.status).toBe('dead');
    const reason = expect.any(PingTimeoutError);
    expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason });
    expect(scheduler.pending).toBe(0);
  });

  it('stays open for ever with the timeout off, and pings on', () => {
    const { scheduler, peer, pingedAt, news, heartbeat } = setUp(
      { ...KEEPALIVE, pingTimeout: false },
      10,
    );
    scheduler.advance(KEEPALIVE.pingInterval + 10); // the peer answers once, so it is held to it
    peer.latency = undefined;
    scheduler.advance(HOUR);
    expect(news).not.toContain('dead');
    expect(heartbeat.status).not.toBe('dead');
    expect(scheduler.now() - (pingedAt.at(-1) ?? 0)).toBeLessThanOrEqual(KEEPALIVE.pingInterval);
    expect(scheduler.pending).toBe(1);
  });

  it('ends when the connection closes during the wait', () => {
    const { scheduler, pings, news, driver } = setUp(KEEPALIVE, 10);
    scheduler.advance(1.5 * KEEPALIVE.pingInterval);
    expect(pings).toHaveLength(1);
    const { length } = news;
    driver.close(CLOSED);
    expect(scheduler.pending).toBe(0);
    scheduler.advance(HOUR);
    expect(pings).toHaveLength(1);
    expect(news).toHaveLength(length);
  });

  it('ends when the connection closes while a pong is pending', async () => {
    const { scheduler, pings, news, heartbeat, driver, pong } = setUp(KEEPALIVE);
    scheduler.advance(KEEPALIVE.pingInterval + 5);
    const ping = driver.ping();
    const { length } = news;
    driver.close(CLOSED);
    expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: CLOSED });
    expect(scheduler.pending).toBe(0);
    pong(pings[0]); // it comes after all
    scheduler.advance(HOUR);
    expect(pings).toHaveLength(2);
    expect(news).toHaveLength(length);
    expect(heartbeat.latency).toBeUndefined();
  });

  // The shell of a socket catches what its `send` throws: nothing is sent, which nobody can answer.
  it('ends cleanly when its pings cannot be sent', async () => {
    const { scheduler, pings, news, heartbeat, driver } = setUp(KEEPALIVE);
    const brief = driver.ping({ timeout: 1_000 });
    const long = driver.ping({ timeout: false });
    scheduler.advance(1_000 + VERDICT_WAIT);
    expect(await outcomeOf(brief)).toMatchObject({ reason: { code: 'ERR_PING_TIMEOUT' } });
    expect(await outcomeOf(long)).toEqual(PENDING);
    scheduler.advance(HOUR);
    expect(await outcomeOf(long)).toMatchObject({ reason: { code: 'ERR_PING_TIMEOUT' } });
    expect(news.filter((name) => name === 'dead')).toHaveLength(1);
    expect(heartbeat.status).toBe('dead');
    expect(scheduler.pending).toBe(0);
    const { length } = pings;
    scheduler.advance(HOUR);
    expect(pings).toHaveLength(length);
  });
});
