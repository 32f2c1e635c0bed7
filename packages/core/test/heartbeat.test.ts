import { describe, expect, it } from 'vitest';
import { Heartbeat, VERDICT_WAIT } from '../src/heartbeat.ts';
import { PeerMemory } from '../src/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, TIMER_SLACK } from '../src/timing.ts';

function opened(options: ConstructorParameters<typeof Heartbeat>[0] = {}): Heartbeat {
  const heartbeat = new Heartbeat({ pingInterval: 25_000, pingTimeout: 10_000, ...options });
  heartbeat.open(0);
  return heartbeat;
}

describe('Heartbeat', () => {
  it('pings after pingInterval less its jitter, never later', () => {
    const chances = [0, 0.5, 0.999];
    const heartbeat = opened({ jitter: 0.1, random: () => chances.shift() ?? 0 });
    expect(heartbeat.deadline).toBe(25_000);
    heartbeat.tick(25_000);
    heartbeat.receivePong(25_000, '1');
    expect(heartbeat.deadline).toBe(25_000 + 23_750);
    heartbeat.tick(48_750);
    heartbeat.receivePong(48_750);
    expect(heartbeat.deadline).toBeCloseTo(48_750 + 22_502.5);
  });

  it('has no latency until the first pong, and then that of the last', () => {
    const heartbeat = opened();
    expect(heartbeat.latency).toBeUndefined();
    heartbeat.ping(0);
    expect(heartbeat.latency).toBeUndefined();
    heartbeat.receivePong(42, '1');
    expect(heartbeat.latency).toBe(42);
    heartbeat.ping(100);
    heartbeat.receivePong(107);
    expect(heartbeat.latency).toBe(7);
  });

  it('suspects at the adaptive deadline, no earlier than a second and no later than pingTimeout', () => {
    const quick = opened();
    quick.ping(0);
    quick.receivePong(10, '1');
    quick.ping(100);
    expect(quick.deadline).toBe(1_100); // SRTT 10 + 4 × RTTVAR 5, floored

    const slow = opened();
    slow.ping(0);
    slow.receivePong(2_000, '1');
    slow.ping(2_000);
    expect(slow.deadline).toBe(2_000 + 2_000 + 4 * 1_000);

    const slower = opened();
    slower.ping(0);
    slower.receivePong(8_000, '1');
    slower.ping(8_000);
    expect(slower.deadline).toBe(18_000);
  });

  it('forgets all of a connection when the next one opens', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    heartbeat.receivePong(10, '1');
    heartbeat.receivePing(20);
    heartbeat.close(30);
    heartbeat.open(1_000);
    expect(heartbeat.ping(1_000)).toEqual([{ type: 'ping', seq: 1, id: '1', first: true }]);
    expect(heartbeat.receivePong(1_010, '9')).toBeUndefined();
    expect(heartbeat.deadline).toBe(1_000 + 25_000);
  });

  it('tells when it last sent and received', () => {
    const heartbeat = opened();
    heartbeat.sent(10);
    heartbeat.receive(20);
    expect([heartbeat.lastSent, heartbeat.lastReceived]).toEqual([10, 20]);
    heartbeat.receivePing(30);
    expect([heartbeat.lastSent, heartbeat.lastReceived]).toEqual([30, 30]);
    heartbeat.ping(40);
    expect([heartbeat.lastSent, heartbeat.lastReceived]).toEqual([40, 30]);
  });

  it('takes the slack of a hidden page for its bound and for what a stall is', () => {
    const heartbeat = opened();
    expect(heartbeat.timerSlack).toBe(TIMER_SLACK);
    expect(heartbeat.detectionBound).toBe(35_000 + VERDICT_WAIT + 3 * TIMER_SLACK);
    heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
    expect(heartbeat.detectionBound).toBe(35_000 + VERDICT_WAIT + 3 * HIDDEN_TIMER_SLACK);
    expect(heartbeat.tick(27_250).map(({ type }) => type)).toEqual(['ping']);
    expect(heartbeat.tick(heartbeat.deadline + 2_251).map(({ type }) => type)).toEqual([
      'stall',
      'ping',
    ]);
  });

  it('is punctual up to the slack, and stalled a millisecond later', () => {
    expect(
      opened()
        .tick(25_250)
        .map(({ type }) => type),
    ).toEqual(['ping']);
    expect(opened().tick(25_251)).toMatchObject([{ type: 'stall', lateBy: 251 }, { type: 'ping' }]);
  });

  it('counts stalls only in a row: input between them begins the count anew', () => {
    const heartbeat = opened({ pingInterval: 2_000, pingTimeout: 2_000 });
    heartbeat.tick(2_000);
    for (let now = 10_000; now <= 100_000; now += 10_000) {
      expect(heartbeat.tick(now)).toMatchObject([{ type: 'stall' }, { type: 'ping' }]);
      heartbeat.receive(now + 1);
    }
  });

  it('says of a death the pingTimeout that was in force, which the death itself makes longer', () => {
    const memory = new PeerMemory();
    memory.answered(true);
    const heartbeat = new Heartbeat({ pingInterval: 25_000, pingTimeout: 10_000 }, memory);
    heartbeat.open(0);
    for (const now of [25_000, 28_000, 35_000]) heartbeat.tick(now);
    expect(heartbeat.tick(35_250)).toMatchObject([{ type: 'timeout', pingTimeout: 10_000 }]);
    expect(heartbeat.pingTimeout).toBe(20_000);
  });

  it('judges a peer also by a ping that sits in a buffer that does not drain', () => {
    const heartbeat = opened();
    heartbeat.buffered(225);
    heartbeat.tick(25_000);
    heartbeat.receive(25_001); // this ping no longer kills
    expect(heartbeat.tick(50_000)).toEqual([]); // and no other is put behind it
    expect(heartbeat.deadline).toBe(53_000);
    for (let due = heartbeat.deadline; due < 200_000; due = heartbeat.deadline) heartbeat.tick(due);
    expect(heartbeat.status).toBe('dead');
  });

  it('calls nothing late that became due by a change of timing', () => {
    const heartbeat = opened({ pingTimeout: 60_000 });
    for (const now of [25_000, 28_000]) heartbeat.tick(now);
    heartbeat.receivePong(45_000);
    heartbeat.adopt({ pingInterval: 2_000 });
    expect(heartbeat.deadline).toBe(45_000);
    expect(heartbeat.tick(45_010).map(({ type }) => type)).toEqual(['ping']);
  });

  it('refuses bad options', () => {
    expect(() => new Heartbeat({ pingInterval: -1 })).toThrow('`pingInterval`');
  });
});

describe('Heartbeat, suspended', () => {
  it('has no deadline, and counts no silence against the peer', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.suspend(26_000);
    expect(heartbeat.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(heartbeat.tick(900_000)).toEqual([]);
    expect(heartbeat.resume(900_000)).toMatchObject([{ type: 'ping' }]);
    expect(heartbeat.status).toBe('alive');
  });

  it('asks nothing when it resumes after the connection has closed', () => {
    const heartbeat = opened();
    heartbeat.suspend(1_000);
    heartbeat.close(2_000);
    expect(heartbeat.resume(3_000)).toEqual([]);
  });

  it('resumes only once', () => {
    const heartbeat = opened();
    heartbeat.suspend(1_000);
    expect(heartbeat.resume(2_000)).toHaveLength(1);
    expect(heartbeat.resume(2_000)).toEqual([]);
  });
});
