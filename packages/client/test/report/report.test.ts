import { describe, expect, it } from 'vitest';
import { type Recorded, writeReport } from '../../src/report/report.ts';

const EMPTY: Recorded = {
  now: 100_000,
  url: '',
  options: {},
  facts: [],
  counts: new Map(),
  latencies: [],
  unclosed: 0,
  diagnosis: undefined,
};

describe('writeReport', () => {
  it('says so where there is nothing to say', () => {
    expect(writeReport(EMPTY).split('\n')).toEqual([
      'wirebeat, heartbeat protocol 1',
      'Address: none yet',
      expect.stringMatching(/^Options: pingInterval off, /),
      'Counted: 0 connections dialled, 0 opened, 0 found dead, 0 false suspicions, 0 late timers, 0 sockets left behind and not closed yet, 0 pongs to 0 pings',
      'Latency: none was measured',
      'Diagnosis: no pattern in how connections ended.',
      '',
      'The last 0 facts, oldest first:',
    ]);
  });

  it('lists the facts as long ago as they are, in columns', () => {
    const facts = [
      { at: 9_500, name: 'dial', detail: undefined, times: 1 },
      { at: 99_700, name: 'open', detail: undefined, times: 1 },
    ];
    expect(
      writeReport({ ...EMPTY, facts })
        .split('\n')
        .slice(-3),
    ).toEqual([
      'The last 2 facts, oldest first:',
      '1 min 31 s ago  A connection was dialled.',
      '    300 ms ago  It opened.',
    ]);
  });

  it('leaves user, password, query and fragment out of the address', () => {
    const report = writeReport({ ...EMPTY, url: 'wss://me:pw@example.org:8443/chat?token=abc' });
    expect(report).toContain('Address: wss://example.org:8443/chat\n');
  });

  it('tells options of known names alone: durations in words, what is off as off', () => {
    const options = {
      pingInterval: 25_000,
      maxAge: Number.POSITIVE_INFINITY,
      maxAttempts: Number.POSITIVE_INFINITY,
      queuePolicy: 'error',
      confirm: false,
      secret: 'abc',
      ready: () => 'abc',
    };
    const report = writeReport({ ...EMPTY, options });
    expect(report).toContain('Options: pingInterval 25 s, ');
    expect(report).toContain('maxAge off, maxAttempts off, queuePolicy error, confirm false\n');
    expect(report).not.toContain('abc');
  });

  it('sums latencies up by rank', () => {
    const latencies = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(writeReport({ ...EMPTY, latencies })).toContain(
      'Latency: median 50 ms, 95 % within 95 ms, longest 100 ms (last 100 pongs)',
    );
    expect(writeReport({ ...EMPTY, latencies: [7] })).toContain(
      'Latency: median 7 ms, 95 % within 7 ms, longest 7 ms (last 1 pong)',
    );
  });

  it('gives the diagnosis in words', () => {
    const diagnosis = { type: 'away', times: 4, after: undefined, text: 'Sleep.' } as const;
    expect(writeReport({ ...EMPTY, diagnosis })).toContain('Diagnosis: Sleep.\n');
  });
});
