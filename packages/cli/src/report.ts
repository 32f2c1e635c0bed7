import type { PingStatistics } from './statistics.ts';

/** Formats the results of a run of pings as lines. */
export interface Report {
  pong(seq: number, latency: number): string;
  /** No pong arrived within `timeout` ms. */
  silence(seq: number, timeout: number): string;
  summary(statistics: PingStatistics): string;
}

/** Styles for lines. */
export interface Look {
  /** Marks bad news: red on a terminal. */
  bad(text: string): string;
}

/** For people: the format of ping(8). */
export function textReport(url: string, look: Look): Report {
  return {
    pong: (seq, latency) => `pong from ${url}: seq=${seq} time=${digits(latency)} ms`,
    silence: (seq, timeout) => look.bad(`no pong from ${url}: seq=${seq} within ${timeout} ms`),
    summary({ sent, received, loss, latency }) {
      const percent = Math.round(loss * 1000) / 10;
      const lines = [
        `--- ${url} ping statistics ---`,
        `${sent} sent, ${received} received, ${percent}% loss`,
      ];
      if (latency !== undefined) {
        const { min, avg, max, mdev, p95 } = latency;
        const spread = [min, avg, max, mdev].map(digits).join('/');
        lines.push(`min/avg/max/mdev = ${spread} ms, p95 = ${digits(p95)} ms`);
      }
      return lines.join('\n');
    },
  };
}

/** For programs: one JSON object per line, with a `type`. Durations are in ms. */
export function jsonReport(url: string): Report {
  return {
    pong: (seq, latency) => JSON.stringify({ type: 'pong', url, seq, latency: micro(latency) }),
    silence: (seq, timeout) => JSON.stringify({ type: 'silence', url, seq, timeout }),
    summary({ sent, received, loss, latency = {} }) {
      const measured = Object.entries(latency).map(([name, value]) => [name, micro(value)]);
      const counts = { type: 'summary', url, sent, received, loss };
      return JSON.stringify({ ...counts, ...Object.fromEntries(measured) });
    },
  };
}

/** Formats a number with about three significant digits: 0.421, 4.21, 42.1, 421. */
function digits(latency: number): string {
  if (latency < 1) return latency.toFixed(3);
  if (latency < 10) return latency.toFixed(2);
  return latency.toFixed(latency < 100 ? 1 : 0);
}

/** Rounds to microseconds: the clock of a process is not more precise. */
function micro(latency: number): number {
  return Math.round(latency * 1000) / 1000;
}
