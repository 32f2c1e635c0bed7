import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { NEVER, opened, typesOf } from './opened.ts';

describe('The time of a machine', () => {
  it('begins at 0', () => {
    const { lastSent, lastReceived, deadline } = new Heartbeat();
    expect([lastSent, lastReceived, deadline]).toEqual([0, 0, NEVER]);
  });

  it('keeps the latest instant, and takes none that is no time', () => {
    const heartbeat = opened();
    heartbeat.sent(10);
    heartbeat.receive(20);
    heartbeat.receive(NEVER);
    for (const now of [5, -1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      heartbeat.sent(now);
      heartbeat.receive(now);
      expect([heartbeat.lastSent, heartbeat.lastReceived]).toEqual([10, 20]);
    }
    heartbeat.suspend(20);
    heartbeat.sent(NEVER);
    expect(heartbeat.lastSent).toBe(10);
  });

  it('takes what ends a silence for no older than the silence', () => {
    const heartbeat = opened();
    heartbeat.ping(100);
    heartbeat.receive(5);
    expect(heartbeat.lastReceived).toBe(100);
  });

  it('measures latency to the nearest microsecond', () => {
    const heartbeat = opened();
    heartbeat.ping(0.1);
    expect(heartbeat.receivePong(0.3, '1')?.latency).toBe(0.2); // 0.19999999999999998 by the float
  });
});

describe('The timing of a machine', () => {
  it('is its own where the peer asked for nothing, and never longer than what was given', () => {
    const heartbeat = opened({ pingInterval: 5_000 });
    heartbeat.adopt({ pingTimeout: 20_000 });
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([5_000, 20_000]);
    heartbeat.adopt({ pingInterval: 60_000 });
    expect(heartbeat.pingInterval).toBe(5_000);
    heartbeat.adopt({ pingInterval: 2_000 });
    expect(heartbeat.pingInterval).toBe(2_000);
  });
});

describe('The time of a machine, in fractions', () => {
  it('keeps the whole milliseconds of what was sent and received', () => {
    const heartbeat = opened();
    heartbeat.receive(5.9);
    heartbeat.sent(6.9);
    expect([heartbeat.lastReceived, heartbeat.lastSent]).toEqual([5, 6]);
  });

  it('has a deadline at which a tick is not early, whatever was advertised', () => {
    const heartbeat = opened();
    heartbeat.adopt({ pingInterval: 1_000.25 });
    heartbeat.receive(1);
    expect(heartbeat.deadline).toBe(1_001);
    expect(typesOf(heartbeat.tick(heartbeat.deadline))).toEqual(['ping']);
  });

  it('has a verdict at which a tick is not early either', () => {
    const heartbeat = opened({ pingTimeout: 10_000.25 });
    heartbeat.tick(25_000);
    heartbeat.tick(28_000); // suspect
    expect(heartbeat.deadline).toBe(35_001);
    heartbeat.tick(35_001);
    expect(heartbeat.deadline).toBe(35_001 + VERDICT_WAIT);
  });

  it('has a suspicion at which a tick is not early either', () => {
    const heartbeat = opened();
    heartbeat.probe(10, 0.5);
    expect(heartbeat.deadline).toBe(11);
    heartbeat.tick(11);
    expect(heartbeat.status).toBe('suspect');
  });

  it('measures by an instant that was one', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000.5);
    heartbeat.receivePong(25_010.75, '1');
    heartbeat.ping(Number.NaN);
    expect(heartbeat.receivePong(25_020)?.latency).toBe(10);
    heartbeat.ping(25_030);
    expect(heartbeat.receivePong(Number.NaN)?.latency).toBe(0);
    heartbeat.ping(25_030.5);
    expect(heartbeat.receivePong(25_030.25)?.latency).toBe(0);
  });

  it('stays suspended whatever ends the silence', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.suspend(25_001);
    heartbeat.receive(25_002);
    expect(heartbeat.deadline).toBe(NEVER);
  });
});

describe('A closed machine', () => {
  it('orders nothing, and keeps what it knew', () => {
    const heartbeat = opened();
    heartbeat.receive(10);
    heartbeat.close(20);
    expect(heartbeat.receivePing(50, 'x')).toEqual([]);
    expect(heartbeat.receivePong(50, '1')).toBeUndefined();
    expect([heartbeat.lastReceived, heartbeat.lastSent]).toEqual([10, 0]);
    expect([heartbeat.ping(50), heartbeat.probe(50, 1_000), heartbeat.tick(50)]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('asks nothing where it was suspended after the end', () => {
    const heartbeat = opened();
    heartbeat.close(10);
    heartbeat.suspend(20);
    expect(heartbeat.resume(30)).toEqual([]);
  });

  it('forgets that pings were out, also by death', () => {
    const heartbeat = opened();
    heartbeat.ping(0, 'x');
    for (const now of [3_000, 10_000, 10_250]) heartbeat.tick(now);
    expect(heartbeat.status).toBe('dead');
    expect(heartbeat.isOutstanding('x')).toBe(false);
  });

  it('forgets as well where the next connection opens before it was told of the end', () => {
    const heartbeat = opened();
    heartbeat.ping(0, 'x');
    heartbeat.open(100);
    expect(heartbeat.isOutstanding('x')).toBe(false);
  });

  it('forgets what the page of the peer was', () => {
    const heartbeat = opened();
    heartbeat.setPeerState('hidden');
    expect(heartbeat.pingTimeout).toBe(75_000);
    heartbeat.close(10);
    heartbeat.open(20);
    expect(heartbeat.pingTimeout).toBe(10_000);
  });

  it('counts stalls anew on the next connection', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    for (const now of [20_000, 40_000, 60_000]) heartbeat.tick(now);
    heartbeat.close(61_000);
    heartbeat.open(100_000);
    heartbeat.ping(100_000);
    expect(typesOf(heartbeat.tick(120_000))).toEqual(['stall', 'ping']);
  });
});

describe('A change of the timing', () => {
  it('begins a new period from now on, unless the timing is the same', () => {
    const heartbeat = opened({ pingInterval: 25_000 });
    heartbeat.receivePing(10_000);
    heartbeat.adopt({ pingInterval: 5_000 });
    heartbeat.tick(10_500);
    heartbeat.receivePing(20_000);
    const { afreshAt } = heartbeat;
    heartbeat.adopt({ pingInterval: 5_000 });
    expect(heartbeat.afreshAt).toBe(afreshAt);
    heartbeat.setPeerState('hidden');
    expect(heartbeat.afreshAt).toBe(20_000);
  });
});
