import { describe, expect, it } from 'vitest';
import { DialError } from '../../src/connection/dial-error.ts';
import { jsonReport, textReport } from '../../src/ping/report.ts';
import { PingStatistics } from '../../src/ping/statistics.ts';

const URL = 'ws://localhost/';
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

function statisticsOf(sent: number, latencies: readonly number[]): PingStatistics {
  const statistics = new PingStatistics();
  statistics.sent = sent;
  for (const latency of latencies) statistics.receive(latency);
  return statistics;
}

describe('textReport', () => {
  const report = textReport(URL, { bad: (text) => text });

  it.each([
    [0.4216, '0.422'],
    [4.216, '4.22'],
    [42.16, '42.2'],
    [421.6, '422'],
    [0, '0.000'],
  ])('writes a latency of %d ms as %s', (latency, text) => {
    expect(report.pong(7, latency)).toBe(`pong from ws://localhost/: seq=7 time=${text} ms`);
  });

  it('says how long each step of the connection took, without those that were not needed', () => {
    const times = { dns: 1, tcp: 20, upgrade: 0.5 };
    expect(report.opened('192.0.2.1:80', times)).toBe(
      'connected to ws://localhost/ (192.0.2.1:80): DNS 1.00 ms, TCP 20.0 ms, upgrade 0.500 ms',
    );
  });

  it('says which ping was not answered in time, and which pong was late', () => {
    expect(report.silence(2, 1500)).toBe('no pong from ws://localhost/: seq=2 within 1500 ms');
    expect(report.late(2, 1800)).toBe('late pong from ws://localhost/: seq=2 time=1800 ms');
  });

  it('writes the summary of ping(8)', () => {
    expect(report.summary(statisticsOf(3, [1, 3]), 1).split('\n')).toEqual([
      '--- ws://localhost/ ping statistics ---',
      '3 sent, 2 received (0 late), 1 unanswered',
      expect.stringMatching(
        /^min\/avg\/max\/mdev = 1.00\/2.00\/3.00\/1.00 ms, p95 = [23]\.\d\d ms, first = 1.00 ms$/,
      ),
    ]);
  });

  it('puts the Unix time before each line on request', () => {
    const stamped = textReport(URL, { bad: (text) => text }, true);
    expect(stamped.pong(1, 5)).toMatch(/^\[\d{10}\.\d{6}\] pong from /);
  });

  it('shows bad news in the given style', () => {
    const red = textReport(URL, { bad: (text) => `red(${text})` });
    expect(red.silence(1, 5)).toBe('red(no pong from ws://localhost/: seq=1 within 5 ms)');
    expect(red.late(1, 5)).toMatch(/^red\(/);
    expect(red.pong(1, 5)).not.toContain('red');
  });

  it('leaves out latencies if there are none', () => {
    expect(report.summary(statisticsOf(1, []), undefined).split('\n')).toEqual([
      '--- ws://localhost/ ping statistics ---',
      '1 sent, 0 received (0 late), 1 unanswered',
    ]);
  });
});

describe('jsonReport', () => {
  const report = jsonReport(URL);
  const parsed = (line = '') => JSON.parse(line) as unknown;

  it('writes a pong, to the microsecond, with the unit in the name', () => {
    const line = report.pong(1, 0.4216789);
    const pong = { type: 'pong', time: TIME, url: URL, seq: 1, latencyMs: 0.422, late: false };
    expect(parsed(line)).toEqual(pong);
    expect(parsed(report.late(1, 0.4216789))).toEqual({ ...pong, late: true });
    expect(line).not.toContain('\n');
  });

  it('writes a ping that was not answered', () => {
    const silence = { type: 'silence', time: TIME, url: URL, seq: 2, timeoutMs: 1500 };
    expect(parsed(report.silence(2, 1500))).toEqual(silence);
  });

  it('writes the steps of a connection', () => {
    expect(parsed(report.opened('[::1]:80', { tcp: 1, tls: 2, upgrade: 3 }))).toEqual({
      type: 'open',
      time: TIME,
      url: URL,
      address: '[::1]:80',
      tcpMs: 1,
      tlsMs: 2,
      upgradeMs: 3,
    });
  });

  it('writes a failure with the step, the code and a hint', () => {
    const error = new DialError({ stage: 'tcp', code: 'ECONNREFUSED', message: 'refused' });
    expect(parsed(report.failed?.(error))).toEqual({
      type: 'failure',
      time: TIME,
      url: URL,
      stage: 'tcp',
      code: 'ECONNREFUSED',
      message: 'refused',
      hint: expect.stringContaining('nothing listens'),
    });
  });

  it('writes the end of a connection', () => {
    const end = { age: 8_000, idle: 7_000, survived: 0, code: 1006, text: '' };
    expect(parsed(report.closed?.(end))).toMatchObject({
      type: 'close',
      code: 1006,
      ageMs: 8_000,
      idleMs: 7_000,
    });
  });

  it('writes a summary', () => {
    expect(parsed(report.summary(statisticsOf(4, [1, 3]), 3))).toEqual({
      type: 'summary',
      time: TIME,
      url: URL,
      sent: 4,
      received: 2,
      late: 0,
      unanswered: 2,
      minMs: 1,
      avgMs: 2,
      maxMs: 3,
      mdevMs: 1,
      p95Ms: expect.closeTo(3, 1),
      firstPingMs: 3,
    });
  });
});
