import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatAction } from '../../src/machine/actions.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { TIMER_SLACK } from '../../src/machine/timing.ts';
import {
  anyLateness,
  jittered,
  life,
  punctual,
  Simulation,
  settings,
  simulate,
  timing,
} from '../simulation.ts';
import { AwaitedPings, type Sent } from './awaited-pings.ts';

/** The least time between a ping and one that a message brings. */
const PROBE_GAP = 900;

describe('law 6: every awaited ping() settles', () => {
  const step = fc.record({
    after: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 30_000 })),
    type: fc.constantFrom('ask', 'pong', 'tick'),
    id: fc.option(fc.constantFrom('a', 'b', '2', '3'), { nil: undefined }),
    which: fc.nat(8), // of the last pings, also of those that were answered
  });
  const steps = fc.array(step, { maxLength: 40 });

  it('takes a pong for the answer to a ping that is out, and to all before it, once', () => {
    fc.assert(
      fc.property(timing, steps, fc.boolean(), (options, all, isAutoResponder) => {
        const heartbeat = new Heartbeat(options);
        const sent: Sent[] = [];
        let out: Sent[] = [];
        let now = 0;
        const note = (actions: readonly HeartbeatAction[]) => {
          for (const action of actions) {
            if (action.type !== 'ping') continue;
            sent.push({ ...action, at: now });
            out.push({ ...action, at: now });
          }
        };
        heartbeat.open(0);
        if (isAutoResponder) {
          note(heartbeat.ping(now)); // with an id, which it passes over
          now = heartbeat.deadline;
          note(heartbeat.tick(now)); // bare
          out = expectAnswer(heartbeat, out, now, undefined);
        }
        for (const { after, type, id, which } of all) {
          now += after;
          if (type === 'tick') note(heartbeat.tick(now));
          else if (type === 'pong') out = expectAnswer(heartbeat, out, now, sent.at(-which)?.id);
          else if (id === undefined || !heartbeat.isOutstanding(id)) note(heartbeat.ping(now, id));
          if (heartbeat.status === 'dead') return;
        }
      }),
      settings,
    );
  });

  it('settles each once: by its pong, its timeout, the close or its abort, and leaves nothing', async () => {
    const move = fc.oneof(
      fc.record({
        type: fc.constant('ask' as const),
        timeout: fc.constantFrom<(number | false | undefined)[]>(undefined, false, 1, 700, 40_000),
      }),
      fc.record({ type: fc.constant('pong' as const), which: fc.nat(20) }),
      fc.record({ type: fc.constant('abort' as const), which: fc.nat(20) }),
      fc.record({
        type: fc.constantFrom('advance' as const, 'stall' as const),
        by: fc.oneof(fc.nat(400), fc.nat(40_000)),
      }),
      fc.record({ type: fc.constantFrom('receive' as const, 'send' as const, 'reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(timing, fc.array(move, { maxLength: 30 }), async (options, moves) => {
        const pings = new AwaitedPings(options);
        for (const each of moves) {
          pings.make(each);
          await pings.check();
        }
        await pings.end();
      }),
      settings,
    );
  });
});

/** What is out after a pong with this id, which must be answered as the pings that are out have it. */
function expectAnswer(
  heartbeat: Heartbeat,
  out: readonly Sent[],
  now: number,
  id: string | undefined,
): Sent[] {
  const { pingTimeout } = heartbeat;
  const answer = heartbeat.receivePong(now, id);
  const ping = out.find(({ seq }) => seq === answer?.seq);
  if (answer === undefined) {
    // Those in the middle are forgotten where there are very many.
    if (id !== undefined && out.length <= 16) expect(out.map((each) => each.id)).not.toContain(id);
    if (id === undefined) expect(out.at(-1)?.id === undefined && out.length > 0).toBe(false);
    return [...out];
  }
  expect(ping).toBeDefined();
  expect(ping?.id).toBe(id);
  expect(answer).toMatchObject({ id, latency: now - (ping?.at ?? 0) });
  const before = out.filter(({ seq }) => seq < answer.seq);
  const passed = before.filter((each) => each.id === id && now - each.at <= pingTimeout);
  if (out.length <= 16) expect(passed).toEqual([]); // first in, first out
  return out.filter(({ seq }) => seq > answer.seq);
}

describe('law 7: hints probe, they never decide', () => {
  it('suspects within the short timeout of a probe, if nothing comes', () => {
    const short = fc.integer({ min: 1, max: 5_000 });
    fc.assert(
      fc.property(jittered, life, punctual, short, (options, events, lateness, wait) => {
        const simulation = new Simulation(options, { lateness }).run(events);
        if (!simulation.isOpen) return;
        simulation.happen('probe', wait - 1);
        simulation.tickUntil(simulation.now + wait + TIMER_SLACK + 1);
        expect(simulation.heartbeat.status).not.toBe('alive');
      }),
      settings,
    );
  });

  it('is dead at pingTimeout after the first ping into the silence, whatever hints there were', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log, death } = simulate(options, events, { lateness }, 500_000);
        if (death?.reason !== 'ping-timeout') return;
        const heard = log.findLastIndex(({ type }) => type === 'received');
        const ping = log.slice(heard + 1).find(({ type }) => type === 'ping');
        expect(death.at - (ping?.at ?? death.at)).toBeGreaterThanOrEqual(options.pingTimeout);
      }),
      settings,
    );
  });

  it('asks at once, unless a ping that serves as well is out', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log } = simulate(options, events, { lateness });
        const probes = events.filter(({ type }) => type === 'probe');
        const asked = log.filter(({ type, cause }) => type === 'ping' && cause === 'probe');
        expect(asked.length).toBeLessThanOrEqual(probes.length);
        const simulation = new Simulation(options, { lateness }).run(events);
        if (!simulation.isOpen) return;
        simulation.happen('receive');
        const before = simulation.pings.length;
        for (let times = 0; times < 5; times += 1) simulation.happen('probe', 1_000);
        expect(simulation.pings.length).toBe(before + 1);
      }),
      settings,
    );
  });

  it('pings with a message exactly where the silence is as long as probeAfter and nobody asked of late', () => {
    fc.assert(
      fc.property(jittered, life, punctual, (options, events, lateness) => {
        const { log } = simulate(options, events, { lateness });
        const probeAfter = options.probeAfter || Number.POSITIVE_INFINITY;
        let heard = 0;
        let pinged = 0;
        let asked = false; // since then
        for (const { at, type, cause } of log) {
          if (type === 'sent') {
            // Asked also by what went before it.
            expect(asked || at - heard < probeAfter || at - pinged < PROBE_GAP).toBe(true);
          }
          if (type === 'ping' && cause === 'sent') {
            expect(asked).toBe(false); // never more than one because of messages
            expect(at - heard).toBeGreaterThanOrEqual(probeAfter);
            expect(at - pinged).toBeGreaterThanOrEqual(PROBE_GAP);
          }
          if (type === 'ping') pinged = at;
          if (type === 'received') {
            heard = at;
            asked = false;
          } else if (type === 'ping') asked = true;
        }
      }),
      settings,
    );
  });
});
