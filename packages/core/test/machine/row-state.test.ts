import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { ASKED, FLAGS, PINGED, ROW_WORDS, SILENT } from '../../src/machine/row.ts';
import { freeze, loadRtt, saveRtt, thaw } from '../../src/machine/row-state.ts';
import { RttEstimator } from '../../src/machine/rtt-estimator.ts';
import { initialTiming, type Timing } from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';

function timingOf(options: HeartbeatOptions = {}): Timing {
  return initialTiming(resolveHeartbeatOptions({ pingInterval: 30_000, jitter: 0, ...options }));
}

const timing = timingOf();

/** Open, with its first ping answered after 40 ms. */
function answered(given: Timing = timing, memory?: PeerMemory): Heartbeat {
  const heartbeat = new Heartbeat(given, memory);
  heartbeat.open(0);
  heartbeat.ping(0);
  heartbeat.receivePong(40, '1');
  return heartbeat;
}

const row = () => new Int32Array(ROW_WORDS);
const fits = (heartbeat: Heartbeat, by: Timing = timing) => freeze(heartbeat, row(), 0, 0, by);

function thawed(words: Int32Array, now: number): Heartbeat {
  const heartbeat = new Heartbeat(timing);
  thaw(heartbeat, words, 0, 0, now);
  return heartbeat;
}

describe('a machine in a row', () => {
  it('is the same after it was frozen and thawed', () => {
    const words = row();
    const heartbeat = answered();
    expect(freeze(heartbeat, words, 0, 0, timing)).toBe(true);
    const again = thawed(words, 40);
    const { rtt, interval, lastSent, lastReceived, lastPing } = heartbeat;
    const same = { rtt, interval, lastSent, lastReceived, lastPing };
    expect(again).toMatchObject(same);
    expect(again.status).toBe('alive');
    expect(again.deadline).toBe(30_000);
    expect(again.latency).toBe(40);
  });

  it('owes an answer if its row says so, and is suspect in time', () => {
    const words = row();
    freeze(answered(), words, 0, 0, timing);
    words[PINGED] = 30_000;
    words[FLAGS] = (words[FLAGS] as number) | ASKED;
    const heard = thawed(words, 30_000);
    expect(heard.deadline).toBe(60_000);
    words[FLAGS] |= SILENT;
    const silent = thawed(words, 30_000);
    expect(silent.deadline).toBe(31_000);
  });

  it('has no place there while anything is out of the ordinary', () => {
    expect(fits(answered())).toBe(true);
    const spoiled: Record<string, (heartbeat: Heartbeat) => unknown> = {
      'a ping is unanswered': (heartbeat) => heartbeat.ping(50),
      'the connection is closed': (heartbeat) => heartbeat.close(50),
      'bytes are unsent': (heartbeat) => heartbeat.buffered(1),
      'it is suspended': (heartbeat) => heartbeat.suspend(50),
      'timers run late': (heartbeat) => {
        heartbeat.timerSlack = 500;
      },
      'the page is hidden': (heartbeat) => heartbeat.setPeerState('hidden'),
      'the peer advertised a timing': (heartbeat) => heartbeat.adopt({ pingInterval: 5_000 }),
    };
    for (const [name, spoil] of Object.entries(spoiled)) {
      const heartbeat = answered();
      spoil(heartbeat);
      expect([name, fits(heartbeat)]).toEqual([name, false]);
    }
  });

  it('has no place there while a message has scheduled a ping', () => {
    const probing = timingOf({ probeAfter: 10_000 });
    const heartbeat = answered(probing);
    heartbeat.sent(50);
    expect(fits(heartbeat, probing)).toBe(false);
  });

  it('has no place there while a change of timing has moved its next ping', () => {
    const short = timingOf({ pingInterval: 1_000 });
    const heartbeat = answered(short);
    heartbeat.receivePing(5_000); // it was overdue, so nothing before counts
    heartbeat.rebase(timing);
    expect(fits(heartbeat)).toBe(true);
    const adopted = answered(short);
    adopted.receivePing(900);
    adopted.adopt({ pingTimeout: 60_000 });
    adopted.rebase(short);
    expect(fits(adopted, short)).toBe(false);
  });

  it('has no place there if its peer is remembered, or a number is no whole number of 32 bits', () => {
    expect(fits(answered(timing, new PeerMemory()))).toBe(false);
    const fractional = timingOf({ pingInterval: 1_000.5 });
    expect(fits(answered(fractional), fractional)).toBe(false);
    const heartbeat = answered();
    heartbeat.receive(2 ** 40);
    expect(fits(heartbeat)).toBe(false);
  });

  it('knows whether the peer pings, and whether it answers ids', () => {
    const facts = (spoil: (heartbeat: Heartbeat) => void) => {
      const words = row();
      const heartbeat = new Heartbeat(timing);
      heartbeat.open(0);
      spoil(heartbeat);
      expect(freeze(heartbeat, words, 0, 0, timing)).toBe(true);
      const { is, pings } = thawed(words, 100);
      return [is.peerPings, is.peerAnswers, pings.answersIds, pings.sent];
    };
    expect(facts(() => {})).toEqual([false, false, undefined, 0]);
    expect(facts((heartbeat) => heartbeat.receivePing(0))).toEqual([true, false, undefined, 0]);
    const byId = (heartbeat: Heartbeat) => {
      heartbeat.ping(0);
      heartbeat.receivePong(10, '1');
    };
    expect(facts(byId)).toEqual([false, true, true, 1]);
    const byConstant = (heartbeat: Heartbeat) => {
      heartbeat.ping(0);
      heartbeat.receive(100);
      heartbeat.tick(30_000); // a bare ping
      heartbeat.receivePong(30_010);
    };
    expect(facts(byConstant)).toEqual([false, true, false, 2]);
  });

  it('holds the round-trip times of a row', () => {
    const words = row();
    const estimator = new RttEstimator();
    for (const rtt of [40, 20.5, 100]) estimator.sample(rtt);
    saveRtt(estimator, words, 0);
    const loaded = new RttEstimator();
    loadRtt(loaded, words, 0);
    expect(loaded).toEqual(estimator);
  });
});
