import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import type { Heartbeat } from '../../src/machine/heartbeat.ts';
import { TIMER_SLACK } from '../../src/machine/timing.ts';
import { hearUntil, muted, NEVER, opened, strange, typesOf } from './opened.ts';

describe('The verdict of a machine', () => {
  it('grows more patient with each suspicion that was false', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    heartbeat.receivePong(10, '1');
    const waits: number[] = [];
    for (let now = 100; waits.length < 3; ) {
      heartbeat.ping(now);
      waits.push(heartbeat.deadline - now);
      now = heartbeat.deadline;
      heartbeat.tick(now);
      expect(heartbeat.status).toBe('suspect');
      heartbeat.receive(now);
    }
    const [first = 0, second = 0, third = 0] = waits;
    expect(first).toBe(1_000);
    expect(second).toBeGreaterThan(1.2 * first);
    expect(third).toBeGreaterThan(1.2 * second);
  });

  it('pings on between the verdict and the second look', () => {
    const heartbeat = opened({ pingInterval: 7_100 });
    heartbeat.ping(0);
    expect(typesOf(heartbeat.tick(3_000))).toEqual(['ping']);
    expect(heartbeat.tick(10_000)).toEqual([]);
    expect(typesOf(heartbeat.tick(10_100))).toEqual(['ping']); // 3 000 + 7 100
    expect(heartbeat.status).toBe('suspect');
    expect(heartbeat.deadline).toBe(10_250);
  });

  it('forgets a second look once all is answered', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.tick(28_000);
    heartbeat.tick(35_000);
    expect(heartbeat.deadline).toBe(35_000 + VERDICT_WAIT);
    heartbeat.receivePong(35_100); // to the bare one, and the first before it
    heartbeat.ping(36_000);
    expect(heartbeat.deadline).toBeGreaterThan(36_000);
    expect(typesOf(heartbeat.tick(heartbeat.deadline))).not.toContain('stall');
  });

  it('gives a verdict at the fourth stall, not counting one that found nothing to judge', () => {
    const heartbeat = opened({ pingInterval: 2_000 });
    for (const now of [20_000, 40_000, 60_000, 80_000]) {
      expect(typesOf(heartbeat.tick(now))).toEqual(['stall', 'ping']);
    }
    // 80 000 + 10 000: the last ping's time is over to the millisecond
    const last = heartbeat.tick(90_000);
    expect(last).toMatchObject([{ type: 'stall' }, { type: 'timeout', reason: 'ping-timeout' }]);
  });

  it('gives a peer up that answered once, and sends on, three periods of pings later', () => {
    const heartbeat = opened({ pingInterval: 10_000, pingTimeout: 5_000 });
    heartbeat.ping(0);
    heartbeat.receivePong(50, '1');
    const [diedAt, death] = hearUntil(heartbeat, 60_000);
    expect(diedAt).toBe(55_250); // 10 000 + 3 × 15 000
    expect(death).toMatchObject({ type: 'timeout', reason: 'one-way', silentFor: 0 });
  });

  it('holds a peer to answers from its first one: three periods later, not before', () => {
    const heartbeat = opened({ pingInterval: 10_000, pingTimeout: 5_000 });
    heartbeat.ping(0);
    expect(hearUntil(heartbeat, 60_500)).toEqual([60_500, undefined]);
    heartbeat.receivePong(60_500, '1'); // the ping at 10 000 is owed
    expect(hearUntil(heartbeat, 200_000)).toMatchObject([105_750, { reason: 'one-way' }]);
  });

  it('counts those periods anew after a stall, because pongs may be behind unread messages', () => {
    const heartbeat = opened({ pingInterval: 10_000, pingTimeout: 5_000 });
    heartbeat.ping(0);
    heartbeat.receivePong(50, '1');
    expect(typesOf(heartbeat.tick(10_000))).toEqual(['ping']);
    expect(typesOf(heartbeat.tick(70_000))).toEqual(['stall', 'ping']);
    expect(hearUntil(heartbeat, 200_000)).toMatchObject([115_250, { reason: 'one-way' }]);
  });

  it('counts those periods from the last pong, also from one to an older ping', () => {
    const heartbeat = opened({ pingInterval: 6_000, pingTimeout: 20_000 });
    heartbeat.ping(0);
    heartbeat.receivePong(10, '1');
    heartbeat.ping(1_000, 'a');
    heartbeat.ping(2_000, 'b');
    expect(hearUntil(heartbeat, 78_500)).toEqual([78_500, undefined]);
    heartbeat.receivePong(78_500, 'a');
    expect(hearUntil(heartbeat, 200_000)).toMatchObject([156_750, { reason: 'one-way' }]);
  });
});

describe('The verdict on a peer that may not answer pings', () => {
  it('falls mute where it answers no ping within pingTimeout, though it sends', () => {
    const [heartbeat, memory] = strange({ pingTimeout: 20_000 }, 100_000);
    for (const now of [110_000, 120_000, 130_000]) {
      heartbeat.receive(now);
      expect(typesOf(heartbeat.tick(now))).toEqual(['ping']); // owed for 20 000 ms, no longer
      heartbeat.receive(now + 1);
    }
    heartbeat.receive(140_000);
    expect(heartbeat.tick(140_000)).toEqual([
      { type: 'unanswered', silentFor: 0, reason: 'silent' },
    ]);
    expect(heartbeat.isMuted).toBe(true);
    expect(memory.speaks).toBe(true); // once is no proof
  });

  it('falls mute in place of a verdict, and says for how long nothing came', () => {
    const [heartbeat] = strange();
    heartbeat.ping(0);
    heartbeat.tick(3_000);
    heartbeat.tick(5_000);
    expect(heartbeat.tick(5_250)).toEqual([
      { type: 'unanswered', silentFor: 5_250, reason: 'silent' },
    ]);
    expect([heartbeat.status, heartbeat.deadline]).toEqual(['alive', NEVER]);
  });

  it('gives up at once where maxSilence is over when it falls mute', () => {
    for (const [maxSilence, orders] of [
      [5_250, ['unanswered', 'timeout']],
      [5_251, ['unanswered']],
    ] as const) {
      const [heartbeat, memory] = strange({ maxSilence });
      heartbeat.ping(0);
      heartbeat.tick(3_000);
      heartbeat.tick(5_000);
      expect(typesOf(heartbeat.tick(5_250))).toEqual(orders);
      expect(heartbeat.status).toBe(orders.length === 2 ? 'dead' : 'alive');
      expect(memory.speaks).toBe(true); // it counts once, and once is no proof
    }
  });

  it('is alive at any byte, with no more patience than before', () => {
    const [heartbeat] = strange();
    heartbeat.ping(0);
    heartbeat.tick(3_000);
    expect(heartbeat.status).toBe('suspect');
    heartbeat.receive(3_100);
    expect(heartbeat.status).toBe('alive');
    heartbeat.ping(3_200);
    expect(heartbeat.deadline).toBe(6_200);
  });

  it('takes a Close frame within 5 s of its first ping for a refusal, twice', () => {
    for (const [after, byPeer, speaks] of [
      [5_000, true, false],
      [5_001, true, true],
      [10, false, true],
      [10, undefined, true],
    ] as const) {
      const [heartbeat, memory] = strange({ pingTimeout: 20_000 });
      for (const start of [0, 10_000]) {
        heartbeat.open(start);
        heartbeat.ping(start);
        expect(heartbeat.close(start + after, byPeer)).toBe(!speaks);
      }
      expect([memory.speaks, memory.refuses]).toEqual([speaks, !speaks]);
    }
  });

  it('takes it so whatever else the peer sent, and whatever else we asked', () => {
    const ways: ((heartbeat: Heartbeat) => void)[] = [
      (heartbeat) => heartbeat.ping(1),
      (heartbeat) => heartbeat.receive(1),
      (heartbeat) => heartbeat.tick(3_000), // suspect, with a bare ping
    ];
    for (const goOn of ways) {
      const [heartbeat, memory] = strange({ pingTimeout: 20_000 });
      for (let connections = 0; connections < 2; connections += 1) {
        heartbeat.open(0);
        heartbeat.ping(0);
        goOn(heartbeat);
        expect(heartbeat.close(4_000, true)).toBe(true);
      }
      expect(memory.speaks).toBe(false);
    }
  });

  it('takes it for no refusal before the first ping, or after a ping or pong of the peer', () => {
    const ways: ((heartbeat: Heartbeat) => void)[] = [
      () => {},
      (heartbeat) => {
        heartbeat.ping(0);
        heartbeat.receivePing(1);
      },
      (heartbeat) => {
        heartbeat.ping(0);
        heartbeat.receivePong(1, '1');
        heartbeat.ping(1);
      },
    ];
    for (const begin of ways) {
      const [heartbeat, memory] = strange();
      for (let connections = 0; connections < 2; connections += 1) {
        heartbeat.open(0);
        begin(heartbeat);
        expect(heartbeat.close(2, true)).toBe(false);
      }
      expect(memory.speaks).toBe(true);
    }
  });

  it('takes it for no refusal of a peer that answered on an earlier connection', () => {
    const [heartbeat, memory] = strange();
    heartbeat.ping(0);
    heartbeat.receivePong(1, '1');
    for (let connections = 0; connections < 3; connections += 1) {
      heartbeat.open(10);
      heartbeat.ping(10);
      expect(heartbeat.close(20, true)).toBe(false);
    }
    expect(memory.speaks).toBe(true);
  });

  it('is mute from the start where the protocol has no place for pings, and learns nothing by it', () => {
    const [heartbeat, memory] = strange({ maxSilence: 60_000 });
    for (let connections = 0; connections < 3; connections += 1) {
      const reason = 'foreign-protocol';
      expect(heartbeat.open(0, false)).toEqual([{ type: 'unanswered', silentFor: 0, reason }]);
      expect(heartbeat.isMuted).toBe(true);
      expect(heartbeat.probe(0, 1_000)).toEqual([]);
      expect(heartbeat.deadline).toBe(60_000);
      expect(heartbeat.close(0, true)).toBe(false);
    }
    expect(memory).toMatchObject({ speaks: true, refuses: false, hasAnswered: false });
    heartbeat.open(0, false);
    heartbeat.tick(60_000);
    expect(typesOf(heartbeat.tick(60_250))).toEqual(['timeout']);
  });

  it('is not blamed itself where nothing is remembered', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    heartbeat.close(10, true);
    expect(heartbeat.status).toBe('idle');
  });
});

describe('A muted machine', () => {
  it('asks only where it is told to, and judges no silence', () => {
    const heartbeat = muted({ probeAfter: 1 });
    expect(heartbeat.deadline).toBe(NEVER);
    expect([heartbeat.probe(10, 1_000), heartbeat.sent(20)]).toEqual([[], []]);
    expect(typesOf(heartbeat.ping(30))).toEqual(['ping']);
    expect(heartbeat.deadline).toBe(NEVER);
    expect(heartbeat.detectionBound).toBe(NEVER);
  });

  it('is so no more once the peer answers, or asks', () => {
    const [answered, asked] = [muted(), muted()];
    answered.ping(0);
    answered.receivePong(10, '1');
    asked.receivePing(10);
    for (const heartbeat of [answered, asked]) {
      expect(heartbeat.isMuted).toBe(false);
      expect(heartbeat.deadline).toBeLessThanOrEqual(10_010);
    }
  });

  it('stays so through a suspension, and asks nothing after it', () => {
    const heartbeat = muted();
    heartbeat.suspend(10);
    expect(heartbeat.resume(20)).toEqual([]);
    expect(heartbeat.isMuted).toBe(true);
  });

  it('gives up at maxSilence, at the second look', () => {
    const heartbeat = muted({ maxSilence: 60_000 });
    expect(heartbeat.detectionBound).toBe(60_000 + VERDICT_WAIT + 2 * TIMER_SLACK);
    expect(heartbeat.deadline).toBe(60_000);
    expect(heartbeat.tick(60_000)).toEqual([]);
    expect(heartbeat.deadline).toBe(60_250);
    expect(heartbeat.tick(60_250)).toMatchObject([{ reason: 'max-silence', silentFor: 60_250 }]);
  });

  it('blames itself for three stalls, and waits a whole timeout for unread input after each', () => {
    const heartbeat = muted({ maxSilence: 60_000 });
    for (const now of [70_000, 80_000, 90_000]) {
      expect(typesOf(heartbeat.tick(now))).toEqual(['stall']);
      expect(heartbeat.deadline).toBe(now + heartbeat.pingTimeout);
    }
    expect(heartbeat.tick(100_000)).toMatchObject([{ type: 'stall' }, { reason: 'max-silence' }]);
  });
});

describe('A machine whose application has paused the socket', () => {
  it('judges nothing, and goes on pinging at the interval', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    expect(typesOf(heartbeat.tick(heartbeat.deadline, true))).toEqual([]);
    expect(heartbeat.status).toBe('alive');
    const pings: number[] = [];
    for (let now = heartbeat.deadline; now < 120_000; now = heartbeat.deadline) {
      if (typesOf(heartbeat.tick(now, true)).includes('ping')) pings.push(now);
    }
    expect(heartbeat.status).toBe('alive');
    expect(pings.length).toBeGreaterThanOrEqual(3);
  });

  it('sends no more pings while bytes wait to leave', () => {
    const heartbeat = opened();
    heartbeat.buffered(1);
    for (let now = heartbeat.deadline; now < 120_000; now = heartbeat.deadline) {
      expect(typesOf(heartbeat.tick(now, true))).toEqual([]);
    }
  });

  it('pings again after the pause, and judges from there', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    for (let now = heartbeat.deadline; now < 60_000; now = heartbeat.deadline) {
      heartbeat.tick(now, true);
    }
    const resumedAt = heartbeat.deadline;
    expect(typesOf(heartbeat.tick(resumedAt))).toEqual(['ping']);
    heartbeat.tick(heartbeat.deadline);
    expect(heartbeat.status).toBe('suspect');
  });
});

describe('A suspended machine', () => {
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

describe('A verdict about a ping behind unsent bytes', () => {
  it('is postponed while the bytes may be waiting', () => {
    const heartbeat = opened();
    heartbeat.buffered(1);
    heartbeat.ping(0);
    expect(heartbeat.tick(3_000)).toEqual([]);
    expect(heartbeat.tick(10_000)).toEqual([]);
    expect(heartbeat.status).toBe('suspect');
    expect(heartbeat.deadline).toBe(20_000);
    expect(heartbeat.detectionBound).toBe(25_000 + 50_000 + 250 + 750);
  });

  it('is postponed once more when the bytes have left, and then falls', () => {
    const heartbeat = opened();
    heartbeat.buffered(1);
    heartbeat.ping(0);
    heartbeat.tick(3_000);
    heartbeat.buffered(0);
    heartbeat.tick(10_000);
    expect(heartbeat.deadline).toBe(20_000);
    heartbeat.tick(20_000);
    expect(heartbeat.deadline).toBe(20_000 + VERDICT_WAIT);
  });

  it('sends no second ping into the buffer, and counts the first as on its way', () => {
    const heartbeat = opened();
    heartbeat.buffered(1);
    heartbeat.ping(0);
    heartbeat.tick(3_000);
    heartbeat.receive(3_001);
    expect(heartbeat.tick(25_000)).toEqual([]);
    expect(heartbeat.lastSent).toBe(25_000);
  });

  it('begins no silence before the ping, if time runs backwards', () => {
    const heartbeat = opened();
    heartbeat.ping(5_000);
    heartbeat.receive(1_000);
    expect(heartbeat.lastReceived).toBe(5_000);
  });
});
