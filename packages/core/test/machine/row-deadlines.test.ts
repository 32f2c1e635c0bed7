import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import {
  ASKED,
  FLAGS,
  PEER_PINGS,
  PERIOD,
  PINGED,
  RAISED,
  RECEIVED,
  SILENT,
} from '../../src/machine/row.ts';
import { RowDeadlines } from '../../src/machine/row-deadlines.ts';
import { RowMemory } from '../../src/machine/row-memory.ts';
import { freeze, thaw } from '../../src/machine/row-state.ts';
import { SuspectWait } from '../../src/machine/suspect-wait.ts';
import { initialTiming } from '../../src/machine/timing.ts';
import { resolveHeartbeatOptions } from '../../src/options.ts';

const OPTIONS = { pingInterval: 30_000, pingTimeout: 20_000, jitter: 0 };
const timing = initialTiming(resolveHeartbeatOptions(OPTIONS));

/** A row whose first ping was answered after 40 ms, with these words in place of its own. */
function rowWith(words: Readonly<Record<number, number>> = {}, flags = 0) {
  const memory = new RowMemory();
  const row = memory.take();
  const heartbeat = new Heartbeat(timing);
  heartbeat.open(0);
  heartbeat.ping(0);
  heartbeat.receivePong(40, '1');
  expect(freeze(heartbeat, memory.words, 0, 0, timing)).toBe(true);
  for (const [word, value] of Object.entries(words)) memory.words[Number(word)] = value;
  memory.words[FLAGS] = (memory.words[FLAGS] ?? 0) | flags;
  return { memory, row, deadlines: new RowDeadlines(memory) };
}

/** The deadline that a machine has with the state of a row. */
function machineDeadline({ memory }: { readonly memory: RowMemory }, now: number): number {
  const heartbeat = new Heartbeat(timing);
  thaw(heartbeat, memory.words, 0, 0, now);
  return heartbeat.deadline;
}

describe('the deadline of a row', () => {
  it.each([
    ['a connection that is quiet', {}, 0],
    ['one whose own pings are quiet for longer', { [RECEIVED]: 25_000 }, 0],
    ['a peer that sends pings', { [RECEIVED]: 25_000 }, PEER_PINGS],
    [
      'a ping that is unanswered while data arrives',
      { [PINGED]: 30_000, [RECEIVED]: 30_010 },
      ASKED,
    ],
    ['a ping after which nothing has arrived', { [PINGED]: 30_000 }, ASKED | SILENT],
  ] as const)('is that of the machine: %s', (_, words, flags) => {
    const held = rowWith(words, flags);
    expect(held.deadlines.of(held.row, timing)).toBe(machineDeadline(held, 30_000));
  });

  it('is later after a false suspicion', () => {
    const calm = rowWith({ [PINGED]: 30_000 }, ASKED | SILENT);
    const raised = rowWith({ [PINGED]: 30_000 }, ASKED | SILENT | RAISED);
    const suspicion = new SuspectWait();
    suspicion.wasFalse(20_000);
    raised.deadlines.suspicions.set(raised.row, suspicion);
    const later = raised.deadlines.of(raised.row, timing);
    expect(later).toBeGreaterThan(calm.deadlines.of(calm.row, timing));
  });

  it('follows the latency that was measured, to the microsecond', () => {
    const { memory, row, deadlines } = rowWith({ [PINGED]: 30_000 }, ASKED);
    memory.words[PERIOD] = (memory.words[PERIOD] ?? 0) | 500; // sent half a millisecond later
    deadlines.measure(row, 30_100.5);
    const heartbeat = new Heartbeat(timing);
    thaw(heartbeat, memory.words, 0, 0, 30_200);
    expect(heartbeat.latency).toBe(100);
  });
});
