import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { initialTiming, TIMER_SLACK } from '../../src/machine/timing.ts';
import { resolveHeartbeatOptions } from '../../src/options.ts';
import { muted, NEVER, opened, strange } from './opened.ts';

describe('The deadlines of a machine', () => {
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

describe('The next deadline', () => {
  it('is a check once a second while the socket is paused', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000, true);
    expect(heartbeat.deadline).toBe(26_000);
  });

  it('is the end of the wait for unread input, once a verdict is due', () => {
    const heartbeat = opened();
    heartbeat.tick(25_000);
    heartbeat.tick(28_000);
    heartbeat.tick(35_000);
    expect(heartbeat.deadline).toBe(35_250);
  });

  it('is maxSilence after the last data for a muted machine', () => {
    expect(muted({ maxSilence: 60_000 }).deadline).toBe(60_000);
    expect(muted().deadline).toBe(NEVER);
    expect(muted({ maxSilence: 60_000 }).detectionBound).toBe(60_750);
  });

  it('is that of a one-way peer if it sends data and leaves pings unanswered', () => {
    const heartbeat = opened({ pingInterval: false });
    heartbeat.ping(0);
    heartbeat.receivePong(10, '1');
    heartbeat.ping(1_000);
    heartbeat.receive(1_001);
    expect(heartbeat.deadline).toBe(NEVER); // three intervals that never end
    const other = opened({ pingInterval: 30_000, pingTimeout: 1_000 });
    other.ping(0);
    other.receivePong(10, '1');
    other.ping(10_000);
    other.receive(10_001);
    expect(other.deadline).toBe(40_000); // the next ping
    const [stranger] = strange();
    stranger.ping(0);
    stranger.receive(1);
    expect(stranger.deadline).toBe(10_000);
  });
});
