import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { initialTiming, type Timing } from '../../src/machine/timing.ts';
import { resolveHeartbeatOptions } from '../../src/options.ts';
import { seededRandom } from '../../src/testing/random.ts';
import {
  anyLateness,
  happenings,
  jittered,
  RUNS,
  settings,
  simulate,
  timing,
} from '../simulation.ts';
import { RowHeartbeat } from './row-heartbeat.ts';

/** Everything that a machine says of itself. */
const OUTPUTS = [
  'status',
  'deadline',
  'lastSent',
  'lastReceived',
  'latency',
  'pingTimeout',
  'detectionBound',
] as const;

const ESTIMATES = ['smoothed', 'variation'] as const;

type Output = Readonly<Record<(typeof OUTPUTS)[number], unknown>> & Pick<Heartbeat, 'rtt'>;

const read = (machine: Output) => [
  ...OUTPUTS.map((name) => [name, machine[name]]),
  ...ESTIMATES.map((name) => [name, machine.rtt[name]]),
];
const asMachine = (row: RowHeartbeat) => row as unknown as Heartbeat;

/** What happens to a connection that is well: a beat, and something else now and then. */
type Step =
  | { readonly do: 'beat'; readonly late: number; readonly after: number }
  | { readonly do: 'due'; readonly late: number }
  | {
      readonly do: 'receive' | 'sent' | 'ask' | 'tick' | 'beat of the peer';
      readonly after: number;
    }
  | {
      readonly do: 'stray pong' | 'probe' | 'nap' | 'resume' | 'full';
      readonly after: number;
    };

// Eighths of a millisecond: binary fractions tell them exactly, and so do microseconds.
const late = fc.oneof(
  { weight: 100, arbitrary: fc.constantFrom(0, 0.125, 5, 100.5, 249) },
  { weight: 1, arbitrary: fc.constantFrom(251, 4_000) },
);
const latency = fc.oneof(
  { weight: 200, arbitrary: fc.constantFrom(0.25, 1.5, 3, 40.375, 400) },
  { weight: 1, arbitrary: fc.constantFrom(1_500, 9_000) },
);
const calm: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('beat' as const), late, after: latency }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('receive' as const, 'sent', 'tick', 'beat of the peer'),
      after: fc.nat(9_000),
    }),
  },
);
const odd: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('due' as const), late }),
  fc.record({
    do: fc.constantFrom('stray pong' as const, 'ask', 'probe', 'nap', 'resume', 'full'),
    after: fc.nat(3_000),
  }),
);
/** Mostly calm, so that most of what is compared is a row. */
const step = fc.oneof({ weight: 60, arbitrary: calm }, { weight: 1, arbitrary: odd });

const options = fc.record({
  pingInterval: fc.integer({ min: 1_000, max: 60_000 }),
  pingTimeout: fc.integer({ min: 500, max: 30_000 }),
  jitter: fc.constantFrom(0, 0.125, 0.5),
});

/** A machine and a row, to which the same happens. */
class Pair {
  readonly machine: Heartbeat;
  readonly row: RowHeartbeat;
  #now: number;
  #id: string | undefined; // of the last ping

  constructor(timingOf: () => Timing, start: number) {
    this.machine = new Heartbeat(timingOf());
    this.row = new RowHeartbeat(timingOf());
    this.#now = start;
    this.#both((either) => either.open(start));
    this.#both((either) => this.#note(either.probe(start, 5_000)));
  }

  take(step: Step): void {
    if (this.machine.status === 'dead') this.#both((either) => either.open(this.#now + 1));
    if (step.do === 'beat' || step.do === 'due') {
      const due = this.machine.deadline;
      if (due === Number.POSITIVE_INFINITY) return;
      this.#now = Math.max(this.#now, due + step.late);
      this.#both((either) => this.#note(either.tick(this.#now)));
      if (step.do === 'due') return;
    }
    if (step.do === 'nap') this.#both((either) => either.suspend(this.#now));
    if (step.do === 'full') this.#both((either) => either.buffered(9));
    this.#now += step.after;
    this.#both((either) => this.#act(either, step.do));
  }

  #act(either: Heartbeat, what: Step['do']): unknown {
    const now = this.#now;
    switch (what) {
      case 'beat':
        return either.receivePong(now, this.#id);
      case 'stray pong':
        return either.receivePong(now, 'zz');
      case 'beat of the peer':
        return either.receivePing(now, 'q');
      case 'full':
        return [this.#note(either.tick(now)), either.buffered(0)];
      case 'probe':
        return this.#note(either.probe(now, 2_000));
      case 'ask':
        return this.#note(either.ping(now));
      case 'sent':
      case 'tick':
        return this.#note(either[what](now));
      case 'nap':
      case 'resume':
        return this.#note(either.resume(now));
      case 'receive':
        return either.receive(now);
      case 'due':
        return undefined;
    }
  }

  #note<Actions extends ReturnType<Heartbeat['tick']>>(actions: Actions): Actions {
    for (const action of actions) if (action.type === 'ping') this.#id = action.id;
    return actions;
  }

  /** Both must return the same and say the same of themselves. */
  #both(act: (either: Heartbeat) => unknown): void {
    const ofMachine = act(this.machine);
    const ofRow = act(asMachine(this.row));
    const { row, machine } = this;
    const isSame = OUTPUTS.every((name) => Object.is(row[name], machine[name]));
    const [rtt, other] = [row.rtt, machine.rtt];
    const isSameRtt = ESTIMATES.every((name) => rtt[name] === other[name]);
    if (isSame && isSameRtt && JSON.stringify(ofRow) === JSON.stringify(ofMachine)) return;
    expect([ofRow, read(this.row)]).toEqual([ofMachine, read(this.machine)]);
  }
}

describe('a row of a ConnectionTable and a Heartbeat', () => {
  it('do and say the same, on connections that are mostly well', () => {
    let [asRow, asObject] = [0, 0];
    fc.assert(
      fc.property(
        options,
        fc.nat(),
        fc.constantFrom(0, 1_000.5, 2 ** 31 + 0.125),
        fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
        (given, seed, start, steps) => {
          const timingOf = () =>
            initialTiming(resolveHeartbeatOptions({ ...given, random: seededRandom(seed) }));
          const pair = new Pair(timingOf, start);
          for (const each of steps) pair.take(each);
          asRow += pair.row.asRow;
          asObject += pair.row.asObject;
        },
      ),
      { numRuns: Math.max(RUNS, 500) }, // few are mostly odd ones
    );
    expect(asRow).toBeGreaterThan(asObject); // else it would compare machines
  });

  it('do and say the same, whatever happens', () => {
    const all = happenings(
      'receive',
      'sent',
      'pong',
      'ping',
      'ask',
      'probe',
      'buffered',
      'adopt',
      'state',
      'slack',
      'suspend',
      'resume',
    );
    fc.assert(
      fc.property(fc.oneof(timing, jittered), all, anyLateness, (given, events, lateness) => {
        const machine = simulate(given, events, { lateness }, 200_000);
        const row = simulate(
          given,
          events,
          {
            lateness,
            machine: (each) => asMachine(new RowHeartbeat(each)),
          },
          200_000,
        );
        expect(row.log).toEqual(machine.log);
        expect(row.bound).toBe(machine.bound);
        expect(read(row.heartbeat)).toEqual(read(machine.heartbeat));
      }),
      settings,
    );
  });
});
