// A machine among random events: what the property tests run.
import fc from 'fast-check';
import type { Answer, HeartbeatAction } from '../src/machine/actions.ts';
import { Heartbeat } from '../src/machine/heartbeat.ts';
import type { PeerMemory } from '../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, type PeerState, TIMER_SLACK } from '../src/machine/timing.ts';
import type { HeartbeatOptions } from '../src/options.ts';

/** How often each property is tried; `.ci/run` asks for more. */
export const RUNS = Number(process.env['HEARTBEAT_TEST_RUNS'] ?? 500);

/** For `fc.assert`. */
export const settings: { readonly numRuns: number } = { numRuns: RUNS };

/** What may happen to a machine. What its `value` means stands beside it. */
export type Input =
  | 'receive'
  | 'sent'
  | 'pong' // how many pings it passes over
  | 'ping'
  | 'ask'
  | 'probe' // the short timeout
  | 'buffered' // how many bytes, but none if it is even
  | 'adopt' // the interval, and half of it the timeout
  | 'state' // which of three
  | 'slack' // that of a hidden page if it is odd
  | 'suspend'
  | 'resume';

/** Something that happens `after` the one before it. */
export interface Happening {
  readonly after: number;
  readonly type: Input;
  readonly value: number;
}

export type Entry = { readonly at: number; readonly cause: Input | 'tick' } & (
  | { readonly type: 'received'; readonly answer: Answer | undefined }
  | { readonly type: 'sent' }
  | HeartbeatAction
);

/** How the world treats a machine. */
export interface Conditions {
  /** How late each tick comes; they go round. On time by default. */
  readonly lateness?: readonly number[];
  /** When the connection opens. */
  readonly start?: number;
  readonly memory?: PeerMemory | undefined;
  readonly hidden?: boolean;
  /** Makes the machine. A `Heartbeat` by default. */
  readonly machine?: (options: HeartbeatOptions, memory: PeerMemory | undefined) => Heartbeat;
}

export interface Settings {
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly probeAfter: number | false;
}

export const timing: fc.Arbitrary<Settings> = fc.record({
  pingInterval: fc.integer({ min: 1_000, max: 60_000 }),
  pingTimeout: fc.integer({ min: 500, max: 60_000 }),
  probeAfter: fc.oneof(fc.constant<false>(false), fc.integer({ min: 1, max: 60_000 })),
});

/** Parts of one that binary fractions tell exactly: of sums of them nothing is rounded away. */
const sixtyFourths = (most: number) => fc.integer({ min: 0, max: most }).map((part) => part / 64);

/** The same, with intervals that chance shortens: always alike, so that schedules shrink. */
export const jittered: fc.Arbitrary<Settings & HeartbeatOptions> = fc
  .record({
    options: timing,
    jitter: sixtyFourths(32),
    chance: sixtyFourths(63),
  })
  .map(({ options, jitter, chance }) => ({ ...options, jitter, random: () => chance }));

/** Lateness of ticks that is no stall. */
export const punctual: fc.Arbitrary<number[]> = latenesses(
  fc.integer({ min: 0, max: TIMER_SLACK }),
);

/** The same in a hidden page. */
export const throttled: fc.Arbitrary<number[]> = latenesses(
  fc.integer({ min: 0, max: HIDDEN_TIMER_SLACK }),
);

/** Lateness of ticks, stalls among them. */
export const anyLateness: fc.Arbitrary<number[]> = latenesses(
  fc.oneof(fc.integer({ min: 0, max: TIMER_SLACK }), fc.integer({ min: 0, max: 120_000 })),
);

function latenesses(lateness: fc.Arbitrary<number>): fc.Arbitrary<number[]> {
  return fc.array(lateness, { minLength: 1, maxLength: 20 });
}

export function happenings(...types: readonly Input[]): fc.Arbitrary<readonly Happening[]> {
  const after = fc.oneof(fc.integer({ min: 0, max: 2_000 }), {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 90_000 }),
  });
  const type = fc.constantFrom(...types);
  return fc.array(fc.record({ after, type, value: fc.nat(10_000) }), { maxLength: 40 });
}

/** What comes of a peer, an application and hints. */
export const life: fc.Arbitrary<readonly Happening[]> = happenings(
  'receive',
  'sent',
  'pong',
  'ping',
  'ask',
  'probe',
);

/** Something comes from the peer; what comes of a pong is told with it. */
const HEARD: readonly Input[] = ['receive', 'ping', 'adopt', 'state'];
const STATES: readonly PeerState[] = ['visible', 'hidden', 'frozen'];

/** One connection of one machine, its shell, and a log of what came of it. */
export class Simulation {
  readonly heartbeat: Heartbeat;
  readonly log: Entry[] = [];
  now: number;
  /** The largest bound that was published since the last byte. */
  bound = 0;
  /** How late ticks were meanwhile that something else came before, so that none was told. */
  unseen = 0;
  readonly #lateness: readonly number[];
  #ticks = 0;
  #unanswered: (string | undefined)[] = [];

  constructor(
    options: HeartbeatOptions,
    { lateness = [0], start = 0, memory, hidden = false, machine }: Conditions = {},
  ) {
    this.heartbeat = machine?.(options, memory) ?? new Heartbeat(options, memory);
    if (hidden) this.heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
    this.#lateness = lateness;
    this.now = start;
    this.heartbeat.open(start);
    this.#readBound();
  }

  get isOpen(): boolean {
    return this.heartbeat.status === 'alive' || this.heartbeat.status === 'suspect';
  }

  /** The verdict, if there is one. */
  get death(): Extract<Entry, { type: 'timeout' }> | undefined {
    const last = this.log.at(-1);
    return last?.type === 'timeout' ? last : undefined;
  }

  get pings(): readonly Extract<Entry, { type: 'ping' }>[] {
    return this.log.filter((entry) => entry.type === 'ping');
  }

  /** Lets all happen in order; what comes after the verdict does not. */
  run(events: readonly Happening[]): this {
    for (const event of events) {
      this.tickUntil(this.now + event.after);
      if (!this.isOpen) break;
      this.happen(event.type, event.type === 'pong' ? event.value % 3 : event.value);
    }
    return this;
  }

  /** Ticks at each deadline before `end`, as late as it comes. */
  tickUntil(end: number): void {
    for (let due = this.heartbeat.deadline; due < end; due = this.heartbeat.deadline) {
      const late = this.#lateness[this.#ticks % this.#lateness.length] ?? 0;
      const at = Math.max(this.now, due + late);
      if (at >= end) break;
      this.now = at;
      this.#ticks += 1;
      this.#note('tick', this.heartbeat.tick(at));
      if (this.log.length > 20_000) throw new Error('the machine runs hot');
    }
    this.now = Math.max(this.now, end);
  }

  happen(type: Input, value = 0): void {
    this.unseen += Math.max(0, this.now - this.heartbeat.deadline);
    this.#note(type, this.#input(type, value));
    if (type === 'sent') this.log.push({ at: this.now, cause: type, type });
    if (HEARD.includes(type)) this.#heard(type);
    this.#readBound();
  }

  #input(type: Input, value: number): readonly HeartbeatAction[] {
    const { heartbeat, now } = this;
    switch (type) {
      case 'sent':
        return heartbeat.sent(now);
      case 'ask':
        return heartbeat.ping(now);
      case 'probe':
        return heartbeat.probe(now, value + 1);
      case 'ping':
        return heartbeat.receivePing(now);
      case 'resume':
        return heartbeat.resume(now);
      case 'adopt':
      case 'state':
        return this.#receiveNews(type, value);
      default:
        this.#tell(type, value);
        return [];
    }
  }

  /** Inputs that order nothing. */
  #tell(type: Input, value: number): void {
    const { heartbeat, now } = this;
    if (type === 'receive') heartbeat.receive(now);
    else if (type === 'buffered') heartbeat.buffered(value % 2 === 0 ? 0 : value);
    else if (type === 'suspend') heartbeat.suspend(now);
    else if (type === 'pong') this.#pong(value);
    else heartbeat.timerSlack = value % 2 === 0 ? TIMER_SLACK : HIDDEN_TIMER_SLACK;
  }

  /** A ping of the peer that says something. */
  #receiveNews(type: 'adopt' | 'state', value: number): readonly HeartbeatAction[] {
    const actions = this.heartbeat.receivePing(this.now);
    if (type === 'state') this.heartbeat.setPeerState(STATES[value % 3] ?? 'visible');
    else this.heartbeat.adopt({ pingInterval: value, pingTimeout: value / 2 });
    return actions;
  }

  #pong(passedOver: number): void {
    const [id] = this.#unanswered.splice(0, 1 + passedOver).slice(-1);
    this.#heard('pong', this.heartbeat.receivePong(this.now, id));
  }

  #heard(cause: Input, answer?: Answer): void {
    this.log.push({ at: this.now, cause, type: 'received', answer });
    this.bound = this.unseen = 0;
  }

  #note(cause: Input | 'tick', actions: readonly HeartbeatAction[]): void {
    for (const action of actions) {
      this.log.push({ at: this.now, cause, ...action });
      if (action.type === 'ping') this.#unanswered.push(action.id);
    }
    this.#readBound();
  }

  #readBound(): void {
    if (this.isOpen) this.bound = Math.max(this.bound, this.heartbeat.detectionBound);
  }
}

/** Opens a machine, lets everything happen to it, and then time go on for `rest`. */
export function simulate(
  options: HeartbeatOptions,
  events: readonly Happening[],
  conditions: Conditions = {},
  rest = 0,
): Simulation {
  const simulation = new Simulation(options, conditions).run(events);
  simulation.tickUntil(simulation.now + rest);
  return simulation;
}
