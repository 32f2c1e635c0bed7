import { describe, expect, it } from 'vitest';
import { jsonReport, textReport } from '../src/report.ts';
import { PingStatistics } from '../src/statistics.ts';

const URL = 'ws://localhost/';

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

  it('says which ping was not answered', () => {
    expect(report.silence(2, 1500)).toBe('no pong from ws://localhost/: seq=2 within 1500 ms');
  });

  it('sums up as ping(8) does', () => {
    expect(report.summary(statisticsOf(3, [1, 3])).split('\n')).toEqual([
      '--- ws://localhost/ ping statistics ---',
      '3 sent, 2 received, 33.3% loss',
      expect.stringMatching(
        /^min\/avg\/max\/mdev = 1.00\/2.00\/3.00\/1.00 ms, p95 = [23]\.\d\d ms$/,
      ),
    ]);
  });

  it('shows what is bad as it is told to', () => {
    const red = textReport(URL, { bad: (text) => `red(${text})` });
    expect(red.silence(1, 5)).toBe('red(no pong from ws://localhost/: seq=1 within 5 ms)');
    expect(red.pong(1, 5)).not.toContain('red');
  });

  it('leaves out latencies where there are none', () => {
    expect(report.summary(statisticsOf(1, [])).split('\n')).toEqual([
      '--- ws://localhost/ ping statistics ---',
      '1 sent, 0 received, 100% loss',
    ]);
  });
});

describe('jsonReport', () => {
  const report = jsonReport(URL);
  const parsed = (line: string) => JSON.parse(line) as unknown;

  it('writes a pong, to the microsecond', () => {
    const line = report.pong(1, 0.4216789);
    expect(parsed(line)).toEqual({ type: 'pong', url: URL, seq: 1, latency: 0.422 });
    expect(line).not.toContain('\n');
  });

  it('writes a ping that was not answered', () => {
    expect(parsed(report.silence(2, 1500))).toEqual({
      type: 'silence',
      url: URL,
      seq: 2,
      timeout: 1500,
    });
  });

  it('sums up with the part that was lost', () => {
    expect(parsed(report.summary(statisticsOf(4, [1, 3])))).toEqual({
      type: 'summary',
      url: URL,
      sent: 4,
      received: 2,
      loss: 0.5,
      min: 1,
      avg: 2,
      max: 3,
      mdev: 1,
      p95: expect.closeTo(3, 1),
    });
  });

  it('shows what is bad as it is told to', () => {
    const red = textReport(URL, { bad: (text) => `red(${text})` });
    expect(red.silence(1, 5)).toBe('red(no pong from ws://localhost/: seq=1 within 5 ms)');
    expect(red.pong(1, 5)).not.toContain('red');
  });

  it('leaves out latencies where there are none', () => {
    const counts = { type: 'summary', url: URL, sent: 1, received: 0, loss: 1 };
    expect(parsed(report.summary(statisticsOf(1, [])))).toEqual(counts);
  });
});
