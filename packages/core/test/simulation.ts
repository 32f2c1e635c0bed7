// A machine among random events: what the property tests run.
import fc from 'fast-check';
import { Heartbeat } from '../src/heartbeat.ts';
import type { HeartbeatAction } from '../src/heartbeat-action.ts';
import type { HeartbeatOptions } from '../src/options.ts';
import { TIMER_SLACK } from '../src/timing.ts';

/** How often each property is tried; `.ci/run` asks for more. */
export const RUNS = Number(process.env['HEARTBEAT_TEST_RUNS'] ?? 500);

/** Something that happens `after` the one before it. */
export interface Happening {
  readonly after: number;
  readonly type: 'receive' | 'sent' | 'pong' | 'ping' | 'ask' | 'probe';
}

export type Entry = { readonly at: number } & (
  | { readonly type: 'received' }
  | { readonly type: 'sent' }
  | HeartbeatAction
);

export interface Simulation {
  readonly heartbeat: Heartbeat;
  readonly log: readonly Entry[];
  readonly end: number;
}

export const timing: fc.Arbitrary<{ pingInterval: number; pingTimeout: number }> = fc.record({
  pingInterval: fc.integer({ min: 1_000, max: 60_000 }),
  pingTimeout: fc.integer({ min: 500, max: 60_000 }),
});

/** Lateness of ticks that is no stall. */
export const punctual: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 0, max: TIMER_SLACK }), {
  minLength: 1,
  maxLength: 20,
});

/** Lateness of ticks, stalls among them. */
export const anyLateness: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 0, max: TIMER_SLACK }), fc.integer({ min: 0, max: 120_000 })),
  { minLength: 1, maxLength: 20 },
);

export function happenings(
  ...types: readonly Happening['type'][]
): fc.Arbitrary<readonly Happening[]> {
  const after = fc.integer({ min: 0, max: 90_000 });
  return fc.array(fc.record({ after, type: fc.constantFrom(...types) }), { maxLength: 40 });
}

/**
 * Opens a machine at 0 and lets everything happen in order. Between two happenings it is ticked at
 * each deadline, late by the next of `lateness`, which go round. Then time goes on for `rest`.
 */
export function simulate(
  options: HeartbeatOptions,
  events: readonly Happening[],
  lateness: readonly number[],
  rest = 0,
): Simulation {
  const heartbeat = new Heartbeat(options);
  const log: Entry[] = [];
  const unanswered: (string | undefined)[] = [];
  let ticks = 0;
  let now = 0;

  const note = (actions: readonly HeartbeatAction[]) => {
    for (const action of actions) {
      log.push({ at: now, ...action });
      if (action.type === 'ping') unanswered.push(action.id);
    }
  };
  const nextLateness = () => lateness[ticks++ % lateness.length] ?? 0;
  const tickUntil = (end: number) => {
    for (let due = heartbeat.deadline; due < end; due = heartbeat.deadline) {
      const at = Math.max(now, due + nextLateness());
      if (at >= end) break;
      now = at;
      note(heartbeat.tick(now));
      if (log.length > 20_000) throw new Error('the machine runs hot');
    }
    now = Math.max(now, end);
  };

  heartbeat.open(0);
  for (const event of events) {
    tickUntil(now + event.after);
    if (heartbeat.status === 'dead') break;
    if (event.type === 'receive') heartbeat.receive(now);
    else if (event.type === 'sent') heartbeat.sent(now);
    else if (event.type === 'ask') note(heartbeat.ping(now));
    else if (event.type === 'probe') note(heartbeat.probe(now, 1_000));
    else if (event.type === 'ping') note(heartbeat.receivePing(now));
    else if (event.type === 'pong') heartbeat.receivePong(now, unanswered.shift());
    if (event.type === 'sent') log.push({ at: now, type: 'sent' });
    else if (event.type !== 'ask' && event.type !== 'probe')
      log.push({ at: now, type: 'received' });
  }
  tickUntil(now + rest);
  return { heartbeat, log, end: now };
}
