import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, initialTiming, TIMER_SLACK } from '../../src/machine/timing.ts';
import { resolveHeartbeatOptions } from '../../src/options.ts';
import { muted, NEVER, opened, typesOf } from './opened.ts';

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

describe('Heartbeat, when the application pings', () => {
  it('knows which ids are unanswered', () => {
    const heartbeat = opened();
    for (const id of ['a', 'b', 'c']) heartbeat.ping(0, id);
    expect([heartbeat.isOutstanding('c'), heartbeat.isOutstanding('d')]).toEqual([true, false]);
    heartbeat.receivePong(10, 'c');
    expect(heartbeat.isOutstanding('c')).toBe(false);
    expect(heartbeat.isOutstanding('a')).toBe(false); // passed over
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

describe('The ids of pings', () => {
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
});

describe('A message that is sent soon after something was received', () => {
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

describe('The outputs of a heartbeat', () => {
  it('tell whether its peer is muted, and whether it refused pings', () => {
    expect(opened().isMuted).toBe(false);
    expect(muted().isMuted).toBe(true);
    expect(muted().open(0)).toMatchObject([{ type: 'unanswered', reason: 'silent' }]);
    const memory = new PeerMemory();
    for (const now of [0, 10_000]) {
      const heartbeat = new Heartbeat({}, memory);
      heartbeat.open(now);
      heartbeat.probe(now, 1_000);
      expect(heartbeat.close(now + 10, true)).toBe(true);
    }
    const heartbeat = new Heartbeat({}, memory);
    expect(heartbeat.open(20_000)).toMatchObject([{ type: 'unanswered', reason: 'refused' }]);
    expect(heartbeat.isMuted).toBe(true);
    heartbeat.receivePing(20_010);
    expect(heartbeat.isMuted).toBe(false);
  });

  it('tell the timing in force', () => {
    const heartbeat = opened();
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([25_000, 10_000]);
    heartbeat.setPeerState('hidden');
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([25_000, 75_000]);
  });

  it('judge nothing while the socket is paused or suspended, and ping again afterwards', () => {
    const heartbeat = opened();
    expect(typesOf(heartbeat.tick(25_000, true))).toEqual(['ping']);
    expect(typesOf(heartbeat.tick(60_000, true))).toEqual(['ping']);
    expect(typesOf(heartbeat.tick(61_000))).toEqual(['ping']);
    heartbeat.suspend(62_000);
    expect(heartbeat.deadline).toBe(NEVER);
    expect(typesOf(heartbeat.resume(90_000))).toEqual(['ping']);
    expect(heartbeat.resume(90_000)).toEqual([]);
    expect(new Heartbeat(initialTiming(resolveHeartbeatOptions({}))).pingInterval).toBe(25_000);
  });

  it('judges a peer without pings by a `maxSilence` that changes', () => {
    const heartbeat = muted({ maxSilence: 60_000 });
    expect(heartbeat.maxSilence).toBe(60_000);
    heartbeat.maxSilence = 8_000;
    expect(heartbeat.deadline).toBe(8_000);
    heartbeat.maxSilence = NEVER;
    expect(heartbeat.deadline).toBe(NEVER);
  });

  it('say why a connection is without pings from its start', () => {
    expect(new Heartbeat().open(0, false)).toMatchObject([{ reason: 'foreign-protocol' }]);
    const memory = new PeerMemory();
    for (const wasAnswered of [false, false]) memory.ended(false, wasAnswered);
    expect(new Heartbeat({}, memory).open(0)).toMatchObject([{ reason: 'silent' }]);
  });

  it('move the next ping only if what was advertised or sent is new', () => {
    const heartbeat = opened();
    heartbeat.adopt({ pingInterval: 10_000 });
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([10_000, 10_000]);
    heartbeat.setPeerState('hidden');
    heartbeat.receive(12_000);
    const { afreshAt } = heartbeat;
    heartbeat.ping(13_000);
    heartbeat.adopt({ pingInterval: 10_000 });
    heartbeat.setPeerState('hidden');
    expect(heartbeat.afreshAt).toBe(afreshAt);
    heartbeat.adopt({ pingTimeout: 20_000 });
    expect([heartbeat.baseTimeout, heartbeat.afreshAt]).toEqual([20_000, 13_000]);
  });

  it('keep what the peer advertised when this side changes its own timing', () => {
    const heartbeat = opened();
    heartbeat.adopt({ pingTimeout: 30_000 });
    const options = resolveHeartbeatOptions({ pingInterval: 5_000, pingTimeout: 8_000 });
    heartbeat.rebase(initialTiming(options));
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([5_000, 30_000]);
  });

  it('takes a latency that was measured elsewhere', () => {
    const heartbeat = opened();
    heartbeat.sample(42);
    expect(heartbeat.latency).toBe(42);
  });
});

describe('A message at a time that is not one', () => {
  it('leaves the deadline as it is, whether or not messages cause pings', () => {
    for (const probeAfter of [false, 1_000] as const) {
      for (const now of [Number.NEGATIVE_INFINITY, NEVER, Number.NaN]) {
        const heartbeat = opened({ probeAfter });
        expect(heartbeat.sent(now)).toEqual([]);
        expect(heartbeat.deadline).toBe(25_000);
      }
    }
  });
});
