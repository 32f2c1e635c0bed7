import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ReconnectOrder } from '../../../src/reconnect/machine/orders.ts';
import { Reconnector } from '../../../src/reconnect/machine/reconnector.ts';
import { happen, OPTIONS } from './machine.ts';

interface Setting {
  readonly ready: boolean;
  readonly makeBeforeBreak: boolean;
  readonly maxAttempts: number;
  readonly maxAge: number;
}

/** A caller that performs orders as they ask, and checks each. */
class Caller {
  readonly machine: Reconnector;
  now = 0;
  readonly sockets: Set<number> = new Set();
  standby: number | undefined;
  current: number | undefined;
  readonly delays: number[] = [];
  hasClosed = false; // the user
  story = '';

  constructor(setting: Setting) {
    this.machine = new Reconnector({ ...OPTIONS, ...setting });
    this.happen('start');
  }

  perform(orders: readonly ReconnectOrder[]): void {
    for (const order of orders) this.#perform(order);
    this.check();
  }

  happen(fact: string): void {
    this.perform(happen(this.machine, this.now, fact));
  }

  /** Lets time pass until nothing is due any more, or for an hour. */
  run(): void {
    const end = this.now + 3_600_000;
    while (this.machine.deadline <= end) {
      this.now = Math.max(this.now, this.machine.deadline);
      this.happen('tick');
    }
  }

  check(): void {
    const { sockets, machine, standby } = this;
    expect(sockets.size).toBeLessThanOrEqual(standby === undefined ? 1 : 2);
    if (machine.phase === 'closed') expect([sockets.size, machine.deadline]).toEqual([0, Infinity]);
    if (this.hasClosed) expect(machine.readyState).toBeGreaterThanOrEqual(2);
    expect(this.story).toMatch(/^(oc)*(o|x)?$|^(oc)*ox$/);
  }

  #perform(order: ReconnectOrder): void {
    expect(this.story).not.toContain('x'); // nothing after the end
    switch (order[0]) {
      case 'dial': {
        const [, id, isStandby] = order;
        expect(this.hasClosed).toBe(false);
        expect(this.sockets.has(id)).toBe(false);
        this.sockets.add(id);
        if (isStandby) this.standby = id;
        else this.current = id;
        return;
      }
      case 'adopt':
        expect(order[1]).toBe(this.standby);
        this.current = order[1];
        this.standby = undefined;
        return;
      case 'end':
        expect(this.sockets.delete(order[1])).toBe(true);
        if (this.standby === order[1]) this.standby = undefined;
        return this.happen(`ended ${order[1]}`);
      case 'open':
        expect(order[1]).toBe(this.current);
        this.story += 'o';
        return this.happen('emitted');
      case 'lost':
        if (order[2]) this.story += 'c';
        return this.happen('emitted');
      case 'retry':
        this.delays.push(order[1].delay);
        return;
      case 'closed':
        this.story += 'x';
        return;
      default:
        return;
    }
  }

  /** The socket of a connection closes by itself. */
  lose(id: number, code: number): void {
    if (!this.sockets.delete(id)) return;
    if (this.standby === id) this.standby = undefined;
    this.happen(`ended ${id} ${code}`);
  }
}

type Step = { readonly wait: number; readonly verb: string; readonly older: number; code: number };

const VERBS = [
  ...['opened', 'opened', 'answered', 'answered', 'suspect', 'suspect', 'recovered', 'unanswered'],
  ...[
    'unanswered-owed',
    'received',
    'dead',
    'failed',
    'lost',
    'ready',
    'not-ready',
    'hint',
    'reconnect',
    'close',
  ],
];

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    wait: fc.oneof(fc.nat(200), fc.nat(70_000)),
    verb: fc.constantFrom(...VERBS),
    older: fc.nat(2),
    code: fc.constantFrom(1000, 1001, 1006, 1008, 4400),
  }),
  { maxLength: 60 },
);
const settings: fc.Arbitrary<Setting> = fc.record({
  ready: fc.boolean(),
  makeBeforeBreak: fc.boolean(),
  maxAttempts: fc.constantFrom(0, 2, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  maxAge: fc.constantFrom(5_000, Number.POSITIVE_INFINITY),
});

function act(caller: Caller, { wait, verb, older, code }: Step): void {
  const until = caller.now + wait;
  while (caller.machine.deadline <= until) {
    caller.now = Math.max(caller.now, caller.machine.deadline);
    caller.happen('tick');
  }
  caller.now = until;
  const id = ([caller.current, caller.standby, 1][older] ?? 1) as number;
  if (verb === 'lost') return caller.lose(id, code);
  if (verb === 'close') caller.hasClosed ||= caller.machine.readyState < 2;
  if (['hint', 'reconnect', 'close'].includes(verb)) caller.happen(verb);
  else caller.happen(`${verb} ${id}`);
}

it('has one connection, two only during make-before-break, and none after the end', () => {
  fc.assert(
    fc.property(settings, steps, (setting, given) => {
      const caller = new Caller(setting);
      for (const step of given) act(caller, step);
    }),
  );
});

it('closes within two seconds whenever the user closes, and orders nothing after that', () => {
  fc.assert(
    fc.property(settings, steps, (setting, given) => {
      const caller = new Caller(setting);
      for (const step of given) act(caller, step);
      caller.hasClosed = caller.machine.readyState < 2;
      caller.happen('close');
      const { now } = caller;
      caller.run();
      expect(caller.now).toBeLessThanOrEqual(now + 2_000);
      expect([caller.machine.phase, caller.story.at(-1)]).toEqual(['closed', 'x']);
      for (const verb of VERBS) if (verb !== 'lost') caller.happen(`${verb} ${caller.current}`);
    }),
  );
});

it('ends each attempt, with longer waits up to the limit, if nothing ever opens', () => {
  const caller = new Caller({
    ready: false,
    makeBeforeBreak: true,
    maxAttempts: Number.POSITIVE_INFINITY,
    maxAge: Number.POSITIVE_INFINITY,
  });
  caller.run();
  expect(caller.delays.slice(0, 9)).toEqual([
    250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000,
  ]);
  expect(caller.delays.length).toBeGreaterThan(100);
});
