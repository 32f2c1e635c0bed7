import { describe, expect, it } from 'vitest';
import { PingStatistics } from '../../src/ping/statistics.ts';

describe('PingStatistics', () => {
  it('has no latencies before the first pong', () => {
    const statistics = new PingStatistics();
    expect(statistics.unanswered).toBe(0);
    expect(statistics.latency).toBeUndefined();
  });

  it('counts the pings that were sent and not answered', () => {
    const statistics = new PingStatistics();
    statistics.sent = 3;
    expect(statistics.unanswered).toBe(3);
    statistics.receive(5);
    expect(statistics.unanswered).toBe(2);
  });

  it('gives minimum, average, maximum and standard deviation', () => {
    const statistics = new PingStatistics();
    for (const latency of [2, 4, 4, 4, 5, 5, 7, 9]) statistics.receive(latency);
    expect(statistics.latency).toMatchObject({ min: 2, avg: 5, max: 9, mdev: 2 });
  });

  it('gives the 95th percentile, within 2 %', () => {
    const statistics = new PingStatistics();
    for (let latency = 1; latency <= 100; latency += 1) statistics.receive(latency);
    expect(Math.abs((statistics.latency?.p95 ?? 0) - 95)).toBeLessThanOrEqual(0.02 * 95);
  });

  it('has no deviation after one pong', () => {
    const statistics = new PingStatistics();
    statistics.receive(1.5);
    expect(statistics.latency).toEqual({ min: 1.5, avg: 1.5, max: 1.5, mdev: 0, p95: 1.5 });
  });

  it('keeps a small deviation of large latencies', () => {
    const statistics = new PingStatistics();
    for (let i = 0; i < 1000; i += 1) statistics.receive(1e9 + (i % 2));
    expect(statistics.latency?.mdev).toBeCloseTo(0.5, 6);
  });
});
