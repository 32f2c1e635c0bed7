import { describe, expect, it } from 'vitest';
import {
  ConnectionTable,
  ROUTINE_ANSWER,
  ROUTINE_PING,
  type Row,
} from '../../src/machine/connection-table.ts';
import { OWNER, OWNER_INSTANT, ROW_WORDS } from '../../src/machine/row.ts';
import { initialTiming, type Timing } from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';

const DAY = 86_400_000;

function timingOf(options: HeartbeatOptions = {}): Timing {
  const given = { pingInterval: 30_000, pingTimeout: 20_000, jitter: 0, ...options };
  return initialTiming(resolveHeartbeatOptions(given));
}

/** Opens a connection whose first ping is answered after 40 ms. */
function open(table: ConnectionTable, now = 0): Row {
  const row = table.add();
  table.open(row, now);
  const [ping] = table.heartbeat(row).probe(now, 20_000);
  if (ping?.type !== 'ping') throw new Error('a first ping is sent');
  table.receivePong(row, now + 40, ping.id);
  return row;
}

describe('ConnectionTable', () => {
  it('holds a connection whose first ping is answered without an object', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    expect(table.isThawed(row)).toBe(false);
    expect(table.thawed).toBe(0);
    expect(table.status(row)).toBe('alive');
    expect(table.latency(row)).toBe(40);
    expect(table.lastReceived(row)).toBe(40);
    expect(table.deadline(row)).toBe(30_000);
  });

  it('pings and measures on the row alone', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    expect(table.tick(row, 29_999)).toEqual([]);
    expect(table.tick(row, 30_000)).toBe(ROUTINE_PING);
    expect(table.pings(row)).toBe(2);
    expect(table.deadline(row)).toBe(31_000); // then it is suspect
    table.receive(row, 30_010);
    expect(table.deadline(row)).toBe(60_000);
    expect(table.receivePong(row, 30_012.5)).toBe(ROUTINE_ANSWER);
    expect(table.latency(row)).toBe(12.5);
    expect(table.thawed).toBe(0);
  });

  it('thaws a connection whose answer is overdue, and freezes it when the answer has come', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    table.tick(row, 30_000);
    expect(table.tick(row, table.deadline(row))).toMatchObject([]);
    expect(table.status(row)).toBe('suspect');
    expect(table.thawed).toBe(1);
    expect(table.receivePong(row, 33_000)).toMatchObject({ seq: 2, latency: 3_000 });
    expect(table.status(row)).toBe('alive');
    // It was suspected in vain, so its next answer is given more time.
    expect(table.isThawed(row)).toBe(false);
    expect(table.tick(row, 60_000)).toBe(ROUTINE_PING);
    expect(table.deadline(row)).toBe(table.peek(row).deadline);
    expect(table.deadline(row)).toBeGreaterThan(64_000);
    table.receivePong(row, 60_040);
    expect(table.receivePong(row, 960_000)).toBe(undefined); // overdue: a machine forgives that
    table.remove(row);
    expect(table.add()).toBe(row);
    expect(table.heartbeat(row).suspicion.patienceAt(0)).toBe(1);
  });

  it('keeps a machine that somebody has changed until it is settled', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    const heartbeat = table.heartbeat(row);
    expect(table.heartbeat(row)).toBe(heartbeat);
    expect(table.thawed).toBe(1);
    expect(table.settle(row)).toBe(true);
    expect(table.settle(row)).toBe(true);
    expect(table.thawed).toBe(0);
  });

  it('shows a copy of a row without thawing it', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    table.peek(row).close(50);
    expect(table.thawed).toBe(0);
    expect(table.status(row)).toBe('alive');
    const other = table.add();
    expect(table.peek(other)).toBe(table.heartbeat(other));
  });

  it('gives the number of a removed connection to the next one, with empty words', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    table.words[row * ROW_WORDS + OWNER] = 7;
    table.remove(row);
    expect(table.add()).toBe(row);
    expect(table.words[row * ROW_WORDS + OWNER]).toBe(0);
    expect(table.status(row)).toBe('idle');
    expect(table.deadline(row)).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps all rows when it grows', () => {
    const table = new ConnectionTable(timingOf());
    const rows = Array.from({ length: 1_000 }, (_, index) => open(table, index));
    expect(new Set(rows).size).toBe(1_000);
    for (const [index, row] of rows.entries()) expect(table.lastReceived(row)).toBe(index + 40);
  });

  it('goes on for longer than 32 bits hold milliseconds', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    const quiet = open(table); // its ping stays unanswered by the clock of the table
    table.words[row * ROW_WORDS + OWNER_INSTANT] = 40;
    const seenAt = () => table.origin + (table.words[row * ROW_WORDS + OWNER_INSTANT] as number);
    for (let now = 3_600_000; now < 100 * DAY; now += 6 * 3_600_000) {
      table.receive(row, now);
      table.sent(row, now);
      table.receivePing(row, now);
      expect(table.lastReceived(row)).toBe(now);
      expect(table.deadline(row)).toBe(now + 30_000);
      if (now < 12 * DAY) expect(seenAt()).toBe(40);
    }
    expect(table.origin).toBeGreaterThan(80 * DAY);
    expect(table.deadline(quiet)).toBeLessThan(100 * DAY - 2 ** 30);
    expect(table.thawed).toBe(0);
  });

  it.each([
    ['infinite', { pingInterval: false }],
    ['fractional', { pingInterval: 1_000.5 }],
    ['longer than half an hour', { pingInterval: 3_600_000 }],
  ] as const)('keeps an object for each connection if the interval is %s', (_, options) => {
    const table = new ConnectionTable(timingOf(options));
    open(table);
    expect(table.thawed).toBe(1);
  });

  it('keeps rows if jitter makes a fractional interval whole', () => {
    const table = new ConnectionTable(timingOf({ pingInterval: 1_000.5, jitter: 0.5 }));
    open(table);
    expect(table.thawed).toBe(0);
  });

  it('gives all connections another timing from their next period on', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    const asked = open(table, 10);
    table.remove(open(table, 20));
    table.tick(asked, 30_060);
    table.rebase(timingOf({ pingInterval: 10_000 }));
    expect(table.thawed).toBe(1); // a ping is unanswered, whose deadline stays as it was
    expect(table.deadline(row)).toBe(30_000);
    table.tick(row, 30_070);
    table.receivePong(row, 30_080);
    expect(table.deadline(row)).toBe(40_070);
    table.receivePong(asked, 30_090);
    expect(table.thawed).toBe(0);
    table.rebase(timingOf({ pingInterval: false }));
    expect(table.thawed).toBe(2);
  });

  it('thaws a connection with unsent bytes, which get its ping more time', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    table.buffered(row, 0);
    expect(table.thawed).toBe(0);
    table.buffered(row, 1_000);
    expect(table.thawed).toBe(1);
    expect(table.settle(row)).toBe(false);
    table.buffered(row, 0);
    expect(table.settle(row)).toBe(true);
  });

  it('judges nothing while the application has paused the socket', () => {
    const table = new ConnectionTable(timingOf());
    const row = open(table);
    table.tick(row, 30_000, true);
    expect(table.thawed).toBe(1);
    expect(table.deadline(row)).toBe(31_000);
  });

  it('tells what is routine, and what only a machine can decide', () => {
    const table = new ConnectionTable(timingOf());
    const row = table.add();
    expect(table.isPunctual(row, 0)).toBe(false); // it is no row yet
    expect(table.isAtRest(row)).toBe(false);
    table.remove(row);
    expect(open(table)).toBe(row);
    expect(table.isAtRest(row)).toBe(true);
    expect(table.isToPing(row, 29_999)).toBe(false);
    expect(table.isToPing(row, 30_000)).toBe(true);
    expect(table.isToPing(row, 30_251)).toBe(false); // so late is a stall
    expect(table.isPunctual(row, 30_251)).toBe(false);
    expect(table.isSilent(row)).toBe(false);
    table.tick(row, 30_000);
    expect(table.isSilent(row)).toBe(true);
    expect(table.isToPing(row, 31_000)).toBe(false); // an answer is owed
  });

  it('sends the first ping of a connection from its machine, because it has an id', () => {
    const table = new ConnectionTable(timingOf());
    const row = table.add();
    table.open(row, 0);
    expect(table.isThawed(row)).toBe(false);
    expect(table.isToPing(row, 30_000)).toBe(false);
    expect(table.tick(row, 30_000)).toEqual([{ type: 'ping', seq: 1, id: '1', first: true }]);
  });
});
