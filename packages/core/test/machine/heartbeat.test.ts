import { describe, expect, it } from 'vitest';
import type { HeartbeatAction } from '../../src/machine/actions.ts';
import { Heartbeat, VERDICT_WAIT } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, initialTiming, TIMER_SLACK } from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';

const NEVER = Number.POSITIVE_INFINITY;

function opened(options: ConstructorParameters<typeof Heartbeat>[0] = {}): Heartbeat {
  const heartbeat = new Heartbeat({ pingInterval: 25_000, pingTimeout: 10_000, ...options });
  heartbeat.open(0);
  return heartbeat;
}

/** Opened towards a peer of whom nothing is known. */
function strange(options: HeartbeatOptions = {}, start = 0): [Heartbeat, PeerMemory] {
  const memory = new PeerMemory();
  const heartbeat = new Heartbeat({ pingInterval: 10_000, pingTimeout: 5_000, ...options }, memory);
  heartbeat.open(start);
  return [heartbeat, memory];
}

/** Opened towards a peer that left two connections unanswered. */
function muted(options: HeartbeatOptions = {}): Heartbeat {
  const memory = new PeerMemory();
  for (const wasAnswered of [false, false]) memory.ended(false, wasAnswered);
  const heartbeat = new Heartbeat({ pingInterval: 10_000, pingTimeout: 5_000, ...options }, memory);
  heartbeat.open(0);
  return heartbeat;
}

/** Ticks at each deadline before `end`, with bytes just before. When it died, and of what. */
function hearUntil(heartbeat: Heartbeat, end: number): [number, HeartbeatAction | undefined] {
  for (let now = heartbeat.deadline; now < end; now = heartbeat.deadline) {
    heartbeat.receive(now);
    const death = heartbeat.tick(now).find(({ type }) => type === 'timeout');
    if (death !== undefined) return [now, death];
  }
  return [end, undefined];
}

const typesOf = (actions: readonly HeartbeatAction[]) => actions.map(({ type }) => type);

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
    expect(heartbeat.deadline).toBe(48_750 + 22_503); // whole ms take less memory than 22 502.5
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
    slower.tick(3_000); // else what follows is a stall, and no sample
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

  it('does nothing with a message that is sent at no time at all', () => {
    const heartbeat = opened({ probeAfter: 1_000 });
    for (const now of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(heartbeat.sent(now)).toEqual([]);
    expect(heartbeat.lastSent).toBe(0);
  });

  it('takes no sample from a pong that may have waited for us, whatever is read first', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    expect(heartbeat.stallAt(3_250)).toBe(0); // suspect is due at 3 000
    expect(heartbeat.stallAt(3_251)).toBe(251);
    expect(heartbeat.receivePong(3_251, '1')).toMatchObject({ latency: 3_251, sampled: false });
    expect(heartbeat.latency).toBeUndefined();
  });

  it('calls a tick late no more once a beat was read before it', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.receivePong(90_000, '1');
    expect(heartbeat.tick(90_000).map(({ type }) => type)).toEqual(['ping']);

    const pinged = opened();
    pinged.tick(25_000); // owed, so the next is due at 50 000
    pinged.receivePing(90_000);
    expect(pinged.tick(90_000).map(({ type }) => type)).toEqual(['ping']);
  });

  it('leaves a stall for the tick to tell, also where a message is sent before it', () => {
    const heartbeat = opened({ probeAfter: 1_000 });
    expect(heartbeat.sent(60_000)).toEqual([]);
    expect(heartbeat.tick(60_000).map(({ type }) => type)).toEqual(['stall', 'ping']);
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

describe('Heartbeat, told of the time', () => {
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

describe('Heartbeat, told of fractions', () => {
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

describe('Heartbeat, closed', () => {
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

describe('Heartbeat, timed', () => {
  it('shares a timing that it is given in place of options', () => {
    const timing = initialTiming(resolveHeartbeatOptions({ pingInterval: 5_000 }));
    expect(new Heartbeat(timing).pingInterval).toBe(5_000);
  });

  it('takes a peer that advertises for one that knows what a skipped ping is', () => {
    for (const adopts of [false, true]) {
      const heartbeat = opened();
      if (adopts) heartbeat.adopt({});
      heartbeat.sent(99_000);
      heartbeat.receive(99_000);
      expect(heartbeat.deadline).toBe(adopts ? 124_000 : 100_000); // 99 + 25 s, or 4 × 25 s
    }
  });

  it('stays suspended whatever is advertised', () => {
    const heartbeat = opened();
    heartbeat.suspend(10);
    heartbeat.adopt({ pingInterval: 5_000 });
    expect(heartbeat.deadline).toBe(NEVER);
  });

  it('has no deadline while the page of the peer is frozen', () => {
    const heartbeat = opened();
    heartbeat.setPeerState('frozen');
    expect(heartbeat.deadline).toBe(NEVER);
    heartbeat.receivePing(900_000);
    heartbeat.setPeerState('visible');
    expect(heartbeat.deadline).toBe(925_000);
  });

  it('draws no other interval where the timing and the page of the peer are what they were', () => {
    const chances = [0, 0.5];
    const heartbeat = opened({ jitter: 0.5, random: () => chances.shift() ?? 0 });
    heartbeat.setPeerState('visible');
    heartbeat.adopt({ pingInterval: 25_000 });
    expect(heartbeat.deadline).toBe(25_000);
    heartbeat.setPeerState('hidden');
    expect(heartbeat.deadline).toBe(18_750);
  });

  it('publishes a bound of five timeouts while bytes are queued ahead of the ping', () => {
    const heartbeat = opened();
    const bound = 25_000 + VERDICT_WAIT + 3 * TIMER_SLACK;
    heartbeat.ping(0);
    expect(heartbeat.detectionBound).toBe(bound + 10_000);
    heartbeat.receive(10);
    heartbeat.buffered(100);
    heartbeat.ping(20);
    expect(heartbeat.detectionBound).toBe(bound + 50_000);
  });

  it('is patient again after an answer at pingTimeout, but not after a later one', () => {
    for (const [latency, timeout] of [
      [10_000, 10_000],
      [10_001, 20_000],
    ] as const) {
      const memory = new PeerMemory();
      memory.ended(true, true);
      const heartbeat = new Heartbeat({ pingTimeout: 10_000 }, memory);
      heartbeat.open(0);
      heartbeat.ping(0);
      expect(heartbeat.pingTimeout).toBe(20_000);
      heartbeat.receivePong(latency, '1');
      expect(heartbeat.pingTimeout).toBe(timeout);
    }
  });
});

describe('Heartbeat, asked', () => {
  it('knows which ids are out, and what share of its pings was lost', () => {
    const heartbeat = opened();
    expect(heartbeat.loss).toBe(0);
    for (const id of ['a', 'b', 'c']) heartbeat.ping(0, id);
    expect([heartbeat.isOutstanding('c'), heartbeat.isOutstanding('d')]).toEqual([true, false]);
    heartbeat.receivePong(10, 'c');
    expect(heartbeat.isOutstanding('c')).toBe(false);
    expect(heartbeat.loss).toBe(2 / 3);
  });

  it('takes no sample of a ping that waited in our own queue', () => {
    const heartbeat = opened();
    heartbeat.buffered(1);
    heartbeat.ping(0);
    expect(heartbeat.receivePong(900, '1')).toMatchObject({ latency: 900, sampled: false });
    heartbeat.buffered(0);
    heartbeat.ping(1_000);
    expect(heartbeat.receivePong(1_010)).toMatchObject({ latency: 10, sampled: true });
    expect(heartbeat.latency).toBe(10);
  });

  it('takes no sample across a suspension', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    heartbeat.suspend(10);
    expect(heartbeat.receivePong(20, '1')).toMatchObject({ sampled: false });
  });

  it('takes a ping younger than the short timeout for the probe', () => {
    for (const [now, orders] of [
      [999, []],
      [1_000, ['ping']],
    ] as const) {
      const heartbeat = opened();
      heartbeat.ping(0);
      expect(typesOf(heartbeat.probe(now, 1_000))).toEqual(orders);
      expect(heartbeat.deadline).toBe(Math.min(now + 1_000, 3_000));
    }
  });

  it('probes beside an older ping with an id, so that the pongs can be told apart', () => {
    const heartbeat = opened();
    heartbeat.ping(0);
    expect(heartbeat.probe(2_000, 1_000)).toMatchObject([{ type: 'ping', id: '2' }]);
  });

  it('hurries by a short timeout above 0 alone', () => {
    for (const [shortTimeout, deadline] of [
      [0, 3_000],
      [1, 1],
      [-5, 3_000],
    ] as const) {
      const heartbeat = opened();
      heartbeat.probe(0, shortTimeout);
      expect(heartbeat.deadline).toBe(deadline);
    }
  });

  it('asks before what is sent into a silence of probeAfter', () => {
    const heartbeat = opened({ probeAfter: 5_000 });
    expect(heartbeat.sent(4_999)).toEqual([]);
    expect(typesOf(heartbeat.sent(5_000))).toEqual(['ping']);
    expect(heartbeat.sent(5_001)).toEqual([]); // it is asked
    heartbeat.receive(5_002);
    heartbeat.suspend(5_003);
    expect(heartbeat.sent(11_000)).toEqual([]);
  });

  it('asks half of probeAfter after what is sent sooner, unless something is received before', () => {
    const heartbeat = opened({ probeAfter: 5_000 });
    heartbeat.sent(1_000);
    heartbeat.sent(2_000);
    expect(heartbeat.deadline).toBe(3_500);
    heartbeat.receive(3_499);
    expect(heartbeat.deadline).toBe(27_000);
    heartbeat.sent(4_000);
    expect(typesOf(heartbeat.tick(6_500))).toEqual(['ping']);
  });

  it('brings no ping by messages within 900 ms of the last, however small probeAfter is', () => {
    const heartbeat = opened({ probeAfter: 10 });
    const pings: number[] = [];
    for (let now = 1; now <= 10_000; now += 1) {
      const actions = [...heartbeat.sent(now), ...heartbeat.tick(now)];
      if (!actions.some(({ type }) => type === 'ping')) continue;
      pings.push(now);
      heartbeat.receive(now);
    }
    expect(pings).toHaveLength(11);
    for (const [index, at] of pings.entries()) {
      expect(at - (pings[index - 1] ?? 0)).toBeGreaterThanOrEqual(900);
    }
  });

  it('waits at least suspectAfter for an answer', () => {
    for (const suspectAfter of [100, 400, 2_000]) {
      const heartbeat = opened({ suspectAfter });
      heartbeat.ping(0);
      heartbeat.receivePong(10, '1'); // so 30 ms by the latency
      heartbeat.ping(5_000);
      expect(heartbeat.deadline).toBe(5_000 + suspectAfter);
    }
  });

  it('leaves a stall to the tick when something is sent', () => {
    expect(typesOf(opened({ probeAfter: 5_000 }).sent(25_250))).toEqual(['ping']);
    expect(opened({ probeAfter: 5_000 }).sent(25_251)).toEqual([]);
  });
});

describe('Heartbeat, naming its pings', () => {
  /** What it asks with at this instant; an `id` that is given stands in the ping as it is. */
  function idAt(heartbeat: Heartbeat, now: number, given?: string): string | undefined {
    const [ping] = heartbeat.ping(now, given);
    if (ping?.type !== 'ping') throw new Error('it asked nothing');
    return ping.id;
  }

  it('gives the first ping an id, leaves the routine ping bare, and one beside another never', () => {
    const heartbeat = opened();
    expect(idAt(heartbeat, 1)).toBe('1');
    heartbeat.receivePong(2, '1');
    expect(idAt(heartbeat, 3)).toBeUndefined();
    heartbeat.receivePong(4);
    expect([idAt(heartbeat, 5), idAt(heartbeat, 6)]).toEqual([undefined, '4']);
    for (let count = 5; count < 36; count += 1) idAt(heartbeat, count);
    expect(idAt(heartbeat, 40)).toBe('10'); // base 36
  });

  it('gives no id that is out already', () => {
    const heartbeat = opened();
    expect([idAt(heartbeat, 1, '2'), idAt(heartbeat, 1, '3')]).toEqual(['2', '3']);
    expect(idAt(heartbeat, 2)).toBe('4');
    const other = opened();
    idAt(other, 1, '2');
    expect(idAt(other, 2)).toBe('3');
  });

  it('asks unasked with a bare ping beside the first, and with an id beside both', () => {
    const heartbeat = opened();
    const ids = [25_000, 50_000, 75_000].map((now) => {
      heartbeat.receive(now - 1);
      const ping = heartbeat.tick(now).find(({ type }) => type === 'ping');
      return ping?.type === 'ping' ? ping.id : 'none';
    });
    expect(ids).toEqual(['1', undefined, '3']);
  });

  it('takes a peer that answers only the bare ping for an auto-responder, until it answers an id', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.tick(28_000); // suspect: the bare one follows
    heartbeat.receivePong(28_001);
    expect([idAt(heartbeat, 28_002), idAt(heartbeat, 28_003)]).toEqual([undefined, undefined]);
    expect(idAt(heartbeat, 28_004, 'x')).toBe('x');
    heartbeat.receivePong(28_005, 'x');
    idAt(heartbeat, 28_006);
    expect(idAt(heartbeat, 28_007)).toBe('7');
  });

  it('takes none for it that has answered an id, or all it was asked', () => {
    const heartbeat = opened();
    idAt(heartbeat, 1);
    heartbeat.receivePong(2, '1');
    idAt(heartbeat, 3);
    idAt(heartbeat, 4);
    heartbeat.receivePong(5, '3');
    idAt(heartbeat, 6);
    expect(idAt(heartbeat, 7)).toBe('5');
    const other = opened();
    idAt(other, 1, 'x');
    other.receivePong(2, 'x');
    idAt(other, 3);
    idAt(other, 4, 'y');
    other.receivePong(5);
    expect(idAt(other, 6)).toBe('4');
  });

  it('counts as lost what an answer passed over, and what it gave up, and no pong that nobody asked for', () => {
    const heartbeat = opened();
    for (let now = 1; now <= 4; now += 1) idAt(heartbeat, now);
    heartbeat.receivePong(5, 'x');
    expect(heartbeat.loss).toBe(0);
    heartbeat.receivePong(6, '2');
    expect(heartbeat.loss).toBe(1 / 2);
    heartbeat.receivePong(7, '4');
    expect(heartbeat.loss).toBe(2 / 4);
    const other = opened();
    idAt(other, 1);
    other.receivePong(2, '1');
    for (const now of [10_000, 25_000, 40_000]) other.ping(now, 'a'.repeat(now / 5_000));
    other.receivePong(50_000, 'a'.repeat(8));
    expect(other.loss).toBe(2 / 4);
  });

  it('counts each bare ping that was out for longer than pingTimeout', () => {
    const heartbeat = opened({ pingInterval: 10_000, pingTimeout: 5_000 });
    idAt(heartbeat, 1);
    heartbeat.receivePong(2, '1');
    for (const [now, id] of [
      [20_001, '3'],
      [40_001, '5'],
    ] as const) {
      heartbeat.receive(now - 10_000);
      expect(idAt(heartbeat, now - 10_000)).toBeUndefined();
      expect(idAt(heartbeat, now)).toBe(id);
      heartbeat.receivePong(now + 1, id);
    }
    expect(heartbeat.loss).toBe(2 / 5);
  });
});

describe('Heartbeat, judging', () => {
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

describe('Heartbeat, towards a peer that may not speak', () => {
  it('falls mute where it answers no ping within pingTimeout, though it sends', () => {
    const [heartbeat, memory] = strange({ pingTimeout: 20_000 }, 100_000);
    for (const now of [110_000, 120_000, 130_000]) {
      heartbeat.receive(now);
      expect(typesOf(heartbeat.tick(now))).toEqual(['ping']); // owed for 20 000 ms, no longer
      heartbeat.receive(now + 1);
    }
    heartbeat.receive(140_000);
    expect(heartbeat.tick(140_000)).toEqual([{ type: 'unanswered', silentFor: 0 }]);
    expect(heartbeat.isMuted).toBe(true);
    expect(memory.speaks).toBe(true); // once is no proof
  });

  it('falls mute in place of a verdict, and says for how long nothing came', () => {
    const [heartbeat] = strange();
    heartbeat.ping(0);
    heartbeat.tick(3_000);
    heartbeat.tick(5_000);
    expect(heartbeat.tick(5_250)).toEqual([{ type: 'unanswered', silentFor: 5_250 }]);
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
      heartbeat.open(0, false);
      expect([heartbeat.isMuted, heartbeat.isRefused]).toEqual([true, false]);
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

describe('Heartbeat, mute', () => {
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

  it('blames itself for three stalls, and looks once more after each', () => {
    const heartbeat = muted({ maxSilence: 60_000 });
    for (const now of [70_000, 80_000, 90_000]) {
      expect(typesOf(heartbeat.tick(now))).toEqual(['stall']);
      expect(heartbeat.deadline).toBe(now + VERDICT_WAIT);
    }
    expect(heartbeat.tick(100_000)).toMatchObject([{ type: 'stall' }, { reason: 'max-silence' }]);
  });
});

describe('a heartbeat whose application has paused the socket', () => {
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

describe('a message that is sent soon after something was received', () => {
  it('schedules a ping for soon after, and says that its deadline may be earlier', () => {
    const heartbeat = opened({ probeAfter: 1_000 });
    heartbeat.receive(5_000);
    expect(heartbeat.isToProbe).toBe(false);
    expect(heartbeat.sent(5_100)).toEqual([]);
    expect(heartbeat.isToProbe).toBe(true);
    expect(heartbeat.deadline).toBe(5_600);
    expect(typesOf(heartbeat.tick(5_600))).toEqual(['ping']);
    expect(heartbeat.isToProbe).toBe(false);
  });

  it('schedules none if something is received in the meantime', () => {
    const heartbeat = opened({ probeAfter: 1_000 });
    heartbeat.receive(5_000);
    heartbeat.sent(5_100);
    heartbeat.receive(5_200);
    expect(heartbeat.isToProbe).toBe(false);
    expect(heartbeat.deadline).toBeGreaterThan(25_000);
  });
});
