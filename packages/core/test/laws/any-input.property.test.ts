import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import type { PeerState } from '../../src/machine/timing.ts';
import type { HeartbeatOptions } from '../../src/options.ts';
import { settings } from '../simulation.ts';

/** Any number at all. */
const number: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -1_000, max: 400_000 }) },
  fc.double(),
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    Number.MAX_SAFE_INTEGER,
    2 ** 31,
    2 ** 30,
  ),
);
/** 35 years; far beyond, the shortest interval more is no more. */
const EON = 2 ** 40;
const instant = number.map((value) => (Math.abs(value) > EON ? EON : value));
const id = fc.oneof(fc.constant(undefined), fc.constantFrom('1', '2', '3'), fc.string());

type Act = (heartbeat: Heartbeat, now: number, other: number, id: string | undefined) => unknown;

/** Every input of the machine. */
const ACTS: Record<string, Act> = {
  open: (heartbeat, now) => heartbeat.open(now),
  receive: (heartbeat, now) => heartbeat.receive(now),
  sent: (heartbeat, now) => heartbeat.sent(now),
  buffered: (heartbeat, _now, bytes) => heartbeat.buffered(bytes),
  receivePing: (heartbeat, now, _, id) => heartbeat.receivePing(now, id),
  receivePong: (heartbeat, now, _, id) => heartbeat.receivePong(now, id),
  adopt: (heartbeat, pingInterval, pingTimeout) => heartbeat.adopt({ pingInterval, pingTimeout }),
  adoptInterval: (heartbeat, pingInterval) => heartbeat.adopt({ pingInterval }),
  adoptTimeout: (heartbeat, pingTimeout) => heartbeat.adopt({ pingTimeout }),
  see: (heartbeat) => heartbeat.setPeerState('visible'),
  hide: (heartbeat) => heartbeat.setPeerState('hidden'),
  freeze: (heartbeat) => heartbeat.setPeerState('frozen'),
  tick: (heartbeat, now) => heartbeat.tick(now),
  tickOnTime: (heartbeat) => heartbeat.tick(heartbeat.deadline),
  ping: (heartbeat, now, _, id) => heartbeat.ping(now, id),
  probe: (heartbeat, now, short) => heartbeat.probe(now, short),
  suspend: (heartbeat, now) => heartbeat.suspend(now),
  resume: (heartbeat, now) => heartbeat.resume(now),
  close: (heartbeat, now) => heartbeat.close(now),
  leave: (heartbeat, now) => heartbeat.close(now, true),
  slack: (heartbeat, slack) => {
    heartbeat.timerSlack = slack;
  },
};
/** Outputs, which are read at any time. */
const OUTPUTS = ['status', 'latency', 'lastSent', 'lastReceived'] as const;

const duration = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const orOff = fc.oneof(fc.constant<false>(false), duration, fc.integer({ min: 1, max: 60_000 }));
const options: fc.Arbitrary<HeartbeatOptions> = fc.record(
  {
    pingInterval: orOff,
    pingTimeout: orOff,
    maxSilence: orOff,
    probeAfter: orOff,
    jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
    random: fc
      .double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
      .map((chance) => () => chance),
  },
  { requiredKeys: [] },
);
const acts = (time: fc.Arbitrary<number>) =>
  fc.array(fc.tuple(fc.constantFrom(...Object.keys(ACTS)), time, number, id), { maxLength: 60 });

/** What the shell must know to say whether a machine owes it a deadline. */
class Watch {
  readonly heartbeat: Heartbeat;
  readonly #pings: boolean;
  #isSuspended = false;
  #peerState: PeerState = 'visible';

  constructor(given: HeartbeatOptions, memory: PeerMemory | undefined) {
    this.heartbeat = new Heartbeat(given, memory);
    this.#pings = given.pingInterval !== false;
  }

  get isOpen(): boolean {
    return this.heartbeat.status === 'alive' || this.heartbeat.status === 'suspect';
  }

  act([name, now, other, id]: readonly [string, number, number, string | undefined]): void {
    ACTS[name]?.(this.heartbeat, now, other, id);
    const isReset = name === 'open' || name === 'close' || name === 'leave' || !this.isOpen;
    if (isReset) this.#peerState = 'visible';
    if (isReset || name === 'resume') this.#isSuspended = false;
    if (name === 'suspend') this.#isSuspended = true;
    if (name === 'see') this.#peerState = 'visible';
    if (name === 'hide') this.#peerState = 'hidden';
    if (name === 'freeze') this.#peerState = 'frozen';
  }

  /** Whether there must be a next ping. */
  get owesDeadline(): boolean {
    const mayPing = this.#pings && !this.heartbeat.isMuted && this.#peerState !== 'frozen';
    return this.isOpen && mayPing && !this.#isSuspended;
  }
}

describe('no input, in any order, with any numbers,', () => {
  it('makes it throw, or lose its deadline', () => {
    fc.assert(
      fc.property(options, acts(number), fc.boolean(), (given, inputs, isRemembered) => {
        const watch = new Watch(given, isRemembered ? new PeerMemory() : undefined);
        for (const input of inputs) {
          watch.act(input);
          const { deadline } = watch.heartbeat;
          expect(deadline).not.toBeNaN();
          expect(deadline).toBeGreaterThan(Number.NEGATIVE_INFINITY);
          if (watch.owesDeadline) expect(deadline).toBeLessThan(Number.POSITIVE_INFINITY);
          if (!watch.isOpen) expect(deadline).toBe(Number.POSITIVE_INFINITY);
          for (const name of OUTPUTS) expect(watch.heartbeat[name]).not.toBeNaN();
          expect(Number.isFinite(watch.heartbeat.lastReceived)).toBe(true);
          expect(Number.isFinite(watch.heartbeat.lastSent)).toBe(true);
        }
      }),
      settings,
    );
  });

  it('makes it hang: driven on, it comes to rest or goes on pinging, and never runs hot', () => {
    fc.assert(
      fc.property(options, acts(instant), fc.boolean(), (given, inputs, isRemembered) => {
        const watch = new Watch(given, isRemembered ? new PeerMemory() : undefined);
        for (const input of inputs) watch.act(input);
        const { heartbeat } = watch;
        let last = Number.NEGATIVE_INFINITY;
        let still = 0;
        for (let ticks = 0; ticks < 50; ticks += 1) {
          const due = heartbeat.deadline;
          if (due === Number.POSITIVE_INFINITY) break;
          heartbeat.tick(due);
          still = due > last ? 0 : still + 1;
          expect(still).toBeLessThan(4); // suspicion, verdict and ping may be due together
          last = Math.max(last, due);
        }
        if (watch.owesDeadline) expect(heartbeat.deadline).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
      settings,
    );
  });

  it('keeps it from finding a silent peer dead, once it is open again', () => {
    fc.assert(
      fc.property(
        acts(instant),
        fc.integer({ min: 1_000, max: 60_000 }),
        (inputs, pingInterval) => {
          const watch = new Watch({ pingInterval, pingTimeout: 5_000 }, undefined);
          for (const input of inputs) if (input[0] !== 'slack') watch.act(input);
          const { heartbeat } = watch;
          heartbeat.close(0);
          heartbeat.open(EON);
          for (let ticks = 0; ticks < 300; ticks += 1) heartbeat.tick(heartbeat.deadline);
          expect(heartbeat.status).toBe('dead');
        },
      ),
      settings,
    );
  });
});
