// The table at the head of heartbeat.ts, status × input, one test a cell.
import { describe, expect, it } from 'vitest';
import type { HeartbeatAction, HeartbeatStatus } from '../../src/machine/actions.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';

const options = { pingInterval: 25_000, pingTimeout: 10_000 };

/** A machine in each status, and the time at which it is in it. */
const statuses: Record<HeartbeatStatus, () => [Heartbeat, number]> = {
  idle: () => [new Heartbeat(options), 0],
  alive: () => at(0),
  suspect: () => at(25_000, 28_000),
  dead: () => at(25_000, 28_000, 35_000, 35_250),
};

function at(...ticks: number[]): [Heartbeat, number] {
  const heartbeat = new Heartbeat(options);
  heartbeat.open(0);
  for (const now of ticks) heartbeat.tick(now);
  return [heartbeat, ticks.at(-1) ?? 0];
}

type Input = (heartbeat: Heartbeat, now: number) => readonly HeartbeatAction[] | unknown;

const inputs: Record<string, Input> = {
  open: (heartbeat, now) => heartbeat.open(now),
  receive: (heartbeat, now) => heartbeat.receive(now),
  sent: (heartbeat, now) => heartbeat.sent(now),
  receivePing: (heartbeat, now) => heartbeat.receivePing(now, 'x'),
  receivePong: (heartbeat, now) => heartbeat.receivePong(now, '1'),
  'a tick at once': (heartbeat, now) => heartbeat.tick(now),
  'a tick at the deadline': (heartbeat) => heartbeat.tick(heartbeat.deadline),
  ping: (heartbeat, now) => heartbeat.ping(now),
  probe: (heartbeat, now) => heartbeat.probe(now, 1_000),
  resume: (heartbeat, now) => heartbeat.resume(now),
  close: (heartbeat, now) => heartbeat.close(now),
};

/** Status after each input, and the types of the orders it gives. */
const table: [HeartbeatStatus, keyof typeof inputs, HeartbeatStatus, ...string[]][] = [
  ['idle', 'open', 'alive'],
  ['idle', 'receive', 'idle'],
  ['idle', 'sent', 'idle'],
  ['idle', 'receivePing', 'idle'],
  ['idle', 'receivePong', 'idle'],
  ['idle', 'a tick at once', 'idle'],
  ['idle', 'a tick at the deadline', 'idle'],
  ['idle', 'ping', 'idle'],
  ['idle', 'probe', 'idle'],
  ['idle', 'resume', 'idle'],
  ['idle', 'close', 'idle'],
  ['alive', 'open', 'alive'],
  ['alive', 'receive', 'alive'],
  ['alive', 'sent', 'alive'],
  ['alive', 'receivePing', 'alive', 'pong'],
  ['alive', 'receivePong', 'alive'],
  ['alive', 'a tick at once', 'alive'],
  ['alive', 'a tick at the deadline', 'alive', 'ping'],
  ['alive', 'ping', 'alive', 'ping'],
  ['alive', 'probe', 'alive', 'ping'],
  ['alive', 'resume', 'alive'],
  ['alive', 'close', 'idle'],
  ['suspect', 'open', 'alive'],
  ['suspect', 'receive', 'alive'],
  ['suspect', 'sent', 'suspect'],
  ['suspect', 'receivePing', 'alive', 'pong'],
  ['suspect', 'receivePong', 'alive'],
  ['suspect', 'a tick at once', 'suspect'],
  ['suspect', 'a tick at the deadline', 'suspect'],
  ['suspect', 'ping', 'suspect', 'ping'],
  ['suspect', 'probe', 'suspect'],
  ['suspect', 'resume', 'suspect'],
  ['suspect', 'close', 'idle'],
  ['dead', 'open', 'alive'],
  ['dead', 'receive', 'dead'],
  ['dead', 'sent', 'dead'],
  ['dead', 'receivePing', 'dead'],
  ['dead', 'receivePong', 'dead'],
  ['dead', 'a tick at once', 'dead'],
  ['dead', 'a tick at the deadline', 'dead'],
  ['dead', 'ping', 'dead'],
  ['dead', 'probe', 'dead'],
  ['dead', 'resume', 'dead'],
  ['dead', 'close', 'idle'],
];

describe('Heartbeat', () => {
  it('has a cell for every status and input', () => {
    const cells = new Set(table.map(([status, input]) => `${status} ${input}`));
    expect(cells.size).toBe(Object.keys(statuses).length * Object.keys(inputs).length);
  });

  for (const [status, input, after, ...orders] of table) {
    const told = orders.length === 0 ? 'nothing is ordered' : `${orders} is ordered`;
    it(`${status}, ${input}: ${after}, ${told}`, () => {
      const [heartbeat, now] = statuses[status]();
      expect(heartbeat.status).toBe(status);
      const actions = inputs[input]?.(heartbeat, now);
      expect(heartbeat.status).toBe(after);
      expect(Array.isArray(actions) ? actions.map(({ type }) => type) : []).toEqual(orders);
      const isOpen = after === 'alive' || after === 'suspect';
      expect(Number.isFinite(heartbeat.deadline)).toBe(isOpen);
    });
  }
});
