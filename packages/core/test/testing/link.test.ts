import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreezableScheduler } from '../../src/testing/freezable-scheduler.ts';
import { Link, Path, type PathOptions } from '../../src/testing/link.ts';
import { seededRandom } from '../../src/testing/random.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { RUNS } from '../simulation.ts';

type Arrival = [at: number, message: number];

function setUp(options: PathOptions = {}) {
  const time = new VirtualScheduler();
  const link = new Link(time, options);
  const [near, far] = link.ends;
  const arrivals: Arrival[] = [];
  /** Sends from near to far. */
  const send = (message: number) => {
    near.send(() => arrivals.push([time.now(), message]));
  };
  return { time, link, near, far, path: near.path, send, arrivals };
}

/** Sends one message each `every` ms, and lets all arrive. */
function sendMany(options: PathOptions, count: number, every: number): Arrival[] {
  const { time, send, arrivals } = setUp(options);
  for (let message = 0; message < count; message += 1) {
    send(message);
    time.advance(every);
  }
  time.advance(3_600_000);
  return arrivals;
}

/** How long each message took, by its number. */
function delays(arrivals: readonly Arrival[], every: number): number[] {
  return arrivals.map(([at, message]) => at - message * every);
}

/** Chances in this order, and then none. */
function chances(...draws: number[]): () => number {
  return () => draws.shift() ?? 0.999;
}

describe('Link', () => {
  it('carries messages to the other end, in both directions', () => {
    const { time, near, far } = setUp();
    const log: string[] = [];
    near.send(() => log.push('at far'));
    far.send(() => log.push('at near'));
    expect(log).toEqual([]);
    time.advance(0);
    expect(log).toEqual(['at far', 'at near']);
  });

  it('begins with both directions alike, and each can be changed alone', () => {
    const { near, far } = setUp({ latency: 5, jitter: 3, loss: 0.1 });
    expect(near.path).toMatchObject({ latency: 5, jitter: 3, loss: 0.1, cut: false });
    expect(far.path).toMatchObject({ latency: 5, jitter: 3, loss: 0.1, cut: false });
    near.path.latency = 7;
    expect(far.path.latency).toBe(5);
  });

  describe('latency', () => {
    it('is the time that a message takes', () => {
      expect(sendMany({ latency: 40 }, 3, 100)).toEqual([
        [40, 0],
        [140, 1],
        [240, 2],
      ]);
    });

    it('counts from the sending: to change it does not hurry what is on its way', () => {
      const { time, path, send, arrivals } = setUp({ latency: 100 });
      send(1);
      path.latency = 10;
      send(2);
      time.advance(50);
      expect(arrivals).toEqual([]);
      time.advance(50);
      expect(arrivals).toEqual([
        [100, 1],
        [100, 2],
      ]);
    });
  });

  describe('jitter', () => {
    it('takes from [latency, latency + jitter), and all of it', () => {
      const every = 1_000;
      const taken = delays(sendMany({ latency: 20, jitter: 30 }, 1_000, every), every);
      expect(Math.min(...taken)).toBeGreaterThanOrEqual(20);
      expect(Math.min(...taken)).toBeLessThan(21);
      expect(Math.max(...taken)).toBeLessThan(50);
      expect(Math.max(...taken)).toBeGreaterThan(49);
    });
  });

  describe('loss', () => {
    it('shows as a delay by retransmission timeouts that double, RFC 6298 (5.5)', () => {
      const lost = [0, 0.2, 0.49];
      const random = chances(...lost); // then one that arrives, without jitter
      expect(sendMany({ latency: 20, loss: 0.5, random }, 1, 0)).toEqual([
        [200 + 400 + 800 + 20, 0],
      ]);
    });

    it('holds up all that was sent behind the lost message', () => {
      const { time, send, arrivals } = setUp({ latency: 20, loss: 0.5, random: chances(0) });
      for (let message = 0; message < 4; message += 1) {
        send(message);
        time.advance(70);
      }
      time.advance(1_000);
      expect(arrivals).toEqual([
        [220, 0],
        [220, 1],
        [220, 2],
        [230, 3],
      ]);
    });

    it('happens as often as it says', () => {
      const every = 60_000;
      const late = delays(sendMany({ loss: 0.1 }, 10_000, every), every);
      expect(late.filter((delay) => delay > 0).length).toBeGreaterThan(900);
      expect(late.filter((delay) => delay > 0).length).toBeLessThan(1_100);
      expect(late.filter((delay) => delay > 200).length).toBeGreaterThan(70);
      expect(late.filter((delay) => delay > 200).length).toBeLessThan(130);
    });

    it('of 1 is an outage: when it ends, all comes at the next retransmission', () => {
      const { time, path, send, arrivals } = setUp({ latency: 20 });
      path.loss = 1;
      send(0);
      time.advance(1_000); // lost at 0, 200 and 600
      path.loss = 0;
      send(1);
      time.advance(399);
      expect(arrivals).toEqual([]);
      time.advance(21);
      expect(arrivals).toEqual([
        [1_420, 0],
        [1_420, 1],
      ]);
    });

    it('ends the connection after fifteen retransmissions in vain, without a word', () => {
      const { time, path, send, arrivals } = setUp({ loss: 1 });
      send(0);
      time.advance(924_599);
      expect(path.cut).toBe(false);
      time.advance(1);
      expect(path.cut).toBe(true);
      path.loss = 0;
      send(1);
      time.advance(3_600_000);
      expect(arrivals).toEqual([]);
      expect(time.pending).toBe(0);
    });
  });

  it('loses nothing and keeps the order, whatever the latency, jitter and loss', () => {
    const options = fc.record({
      latency: fc.integer({ min: 0, max: 1_000 }),
      jitter: fc.integer({ min: 0, max: 1_000 }),
      loss: fc.double({ min: 0, max: 0.3, noNaN: true }),
      random: fc.integer().map(seededRandom),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 100 }), (chosen, every) => {
        const arrivals = sendMany(chosen, 30, every);
        expect(arrivals.map(([, message]) => message)).toEqual([...Array(30).keys()]);
        expect(Math.min(...delays(arrivals, every))).toBeGreaterThanOrEqual(chosen.latency);
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  it('does the same for the same seed, and something else for another', () => {
    const run = (seed?: number) => {
      const random = seed === undefined ? {} : { random: seededRandom(seed) };
      return sendMany({ jitter: 50, loss: 0.2, ...random }, 20, 10);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
    expect(run()).toEqual(run(1));
  });

  it('lets chance treat the two directions differently', () => {
    const { time, near, far } = setUp({ jitter: 1_000 });
    const at: number[] = [];
    for (const end of [near, far]) end.send(() => at.push(time.now()));
    time.advance(1_000);
    expect(at[0]).not.toBe(at[1]);
  });

  describe('cut', () => {
    it('lets nothing arrive, nor what is on its way, and tells nobody', () => {
      const { time, link, far, send, arrivals } = setUp({ latency: 20 });
      send(0);
      far.send(() => arrivals.push([time.now(), 100]));
      time.advance(10);
      link.cut();
      send(1);
      time.advance(3_600_000);
      expect(arrivals).toEqual([]);
      expect(time.pending).toBe(0);
    });

    it('of one path leaves the connection half-open', () => {
      const { time, near, far, send, arrivals } = setUp();
      near.path.cut = true;
      send(0);
      far.send(() => arrivals.push([time.now(), 100]));
      time.advance(3_600_000);
      expect(arrivals).toEqual([[0, 100]]);
    });

    it('is for good for what it met, and not for what is sent after it was mended', () => {
      const { time, path, send, arrivals } = setUp({ latency: 20 });
      send(0);
      path.cut = true;
      send(1);
      path.cut = false;
      send(2);
      time.advance(100);
      expect(arrivals).toEqual([[20, 2]]);
    });

    it('ends retransmissions', () => {
      const { time, path, send } = setUp({ loss: 1 });
      send(0);
      time.advance(100);
      path.cut = true;
      time.advance(100);
      expect(time.pending).toBe(0);
    });

    it('by a message that arrives stops those that came with it', () => {
      const { time, near, path, send, arrivals } = setUp({ loss: 0.5, random: chances(0) });
      near.send(() => {
        path.cut = true;
      });
      send(1); // waits for the first
      time.advance(1_000);
      expect(arrivals).toEqual([]);
    });
  });

  describe('a frozen end', () => {
    it('takes what has arrived after its overdue timers', () => {
      const { time, far, send, arrivals } = setUp({ latency: 20 });
      const log: string[] = [];
      far.at(5_000, () => log.push(`timer, before ${arrivals.length} arrivals`));
      far.freeze();
      send(0);
      time.advance(10_000);
      far.thaw(50);
      time.advance(49);
      expect(log).toEqual(['timer, before 0 arrivals']);
      expect(arrivals).toEqual([]);
      time.advance(1);
      expect(arrivals).toEqual([[10_050, 0]]);
    });

    it('has received what came before a cut: its kernel was not frozen', () => {
      const { time, link, far, send, arrivals } = setUp({ latency: 20 });
      far.freeze();
      send(0);
      time.advance(19);
      send(1);
      time.advance(1);
      link.cut();
      far.thaw();
      time.advance(1_000);
      expect(arrivals).toEqual([[20, 0]]);
    });

    it('does not hold up what it has sent', () => {
      const { time, near, send, arrivals } = setUp({ latency: 20, loss: 0.5, random: chances(0) });
      send(0);
      near.freeze();
      time.advance(1_000);
      expect(arrivals).toEqual([[220, 0]]);
    });
  });

  it('has a wall clock at each end, and one may jump alone', () => {
    const { time, near, far } = setUp();
    expect(near.wallClock.now()).toBe(far.wallClock.now());
    near.wallClock.jump(-3_600_000);
    expect(far.wallClock.now() - near.wallClock.now()).toBe(3_600_000);
    expect([near.now(), far.now()]).toEqual([time.now(), time.now()]);
  });
});

describe('Path', () => {
  it('goes on while the program that made it is frozen', () => {
    const time = new VirtualScheduler();
    const sender = new FreezableScheduler(time);
    const at: number[] = [];
    new Path(sender, { latency: 20 }).carry(time, () => at.push(time.now()));
    sender.freeze();
    time.advance(100);
    expect(at).toEqual([20]);
  });
});
