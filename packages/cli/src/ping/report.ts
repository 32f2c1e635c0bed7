import type { Millis } from '@wirebeat/core';
import type { DialError } from '../connection/dial-error.ts';
import { STAGE_NAMES, STAGES, type StageTimes } from '../connection/stages.ts';
import { safeJson } from '../safe-text.ts';
import type { Look } from '../terminal.ts';
import { describeEnd, type End, type Pattern } from './connection-ends.ts';
import type { PingStatistics } from './statistics.ts';

/** Formats the results of a run of pings as lines. Absent lines are not printed. */
export interface Report {
  opened(address: string, times: StageTimes): string;
  pong(seq: number, latency: Millis): string;
  /** A pong arrived after the timeout of its ping. */
  late(seq: number, latency: Millis): string;
  /** No pong arrived within `timeout` ms. It may still arrive. */
  silence(seq: number, timeout: Millis): string;
  summary(statistics: PingStatistics, firstPing: Millis | undefined): string;
  /** The lines about failures are only for programs: people read them on standard error. */
  failed?(error: DialError): string;
  closed?(end: End): string;
  pattern?(pattern: Pattern): string;
}

/** For people: the format of ping(8). `stamps` puts the Unix time before each line, as `ping -D` does. */
export function textReport(url: string, look: Look, stamps = false): Report {
  const stamp = () => (stamps ? `[${(Date.now() / 1000).toFixed(6)}] ` : '');
  return {
    opened(address, times) {
      const steps = STAGES.filter((stage) => times[stage] !== undefined);
      const each = steps.map((stage) => `${STAGE_NAMES[stage]} ${digits(times[stage] ?? 0)} ms`);
      return `${stamp()}connected to ${url} (${address}): ${each.join(', ')}`;
    },
    pong: (seq, latency) => `${stamp()}pong from ${url}: seq=${seq} time=${digits(latency)} ms`,
    late: (seq, latency) =>
      look.bad(`${stamp()}late pong from ${url}: seq=${seq} time=${digits(latency)} ms`),
    silence: (seq, timeout) =>
      look.bad(`${stamp()}no pong from ${url}: seq=${seq} within ${timeout} ms`),
    summary({ sent, received, late, unanswered, latency }, firstPing) {
      const lines = [
        `--- ${url} ping statistics ---`,
        `${sent} sent, ${received} received (${late} late), ${unanswered} unanswered`,
      ];
      if (latency !== undefined && firstPing !== undefined) {
        const { min, avg, max, mdev, p95 } = latency;
        const spread = [min, avg, max, mdev].map(digits).join('/');
        lines.push(
          `min/avg/max/mdev = ${spread} ms, p95 = ${digits(p95)} ms, first = ${digits(firstPing)} ms`,
        );
      }
      return lines.join('\n');
    },
  };
}

/** For programs: one JSON object per line, with a `type` and the time. Durations are in ms: `…Ms`. */
export function jsonReport(url: string): Report {
  const line = (type: string, values: object) =>
    safeJson({ type, time: new Date().toISOString(), url, ...values });
  return {
    opened(address, times) {
      const each = Object.entries(times).map(([stage, time]) => [`${stage}Ms`, micro(time)]);
      return line('open', { address, ...Object.fromEntries(each) });
    },
    pong: (seq, latency) => line('pong', { seq, latencyMs: micro(latency), late: false }),
    late: (seq, latency) => line('pong', { seq, latencyMs: micro(latency), late: true }),
    silence: (seq, timeout) => line('silence', { seq, timeoutMs: timeout }),
    summary({ sent, received, late, unanswered, latency = {} }, firstPing) {
      const measured = Object.entries({
        ...latency,
        ...(firstPing !== undefined && { firstPing }),
      });
      const values = measured.map(([name, value]) => [`${name}Ms`, micro(value)]);
      return line('summary', { sent, received, late, unanswered, ...Object.fromEntries(values) });
    },
    failed: ({ stage, code, message, hint, status }) =>
      line('failure', { stage, code, status, message, hint }),
    closed: (end) => {
      const { age, idle, code, text } = end;
      const message = describeEnd(end);
      return line('close', { code, text, ageMs: micro(age), idleMs: micro(idle), message });
    },
    pattern: ({ type, after, times, text }) =>
      line('diagnosis', { finding: type, afterMs: micro(after), times, message: text }),
  };
}

/** Formats a number with about three significant digits: 0.421, 4.21, 42.1, 421. */
function digits(latency: Millis): string {
  if (latency < 1) return latency.toFixed(3);
  if (latency < 10) return latency.toFixed(2);
  return latency.toFixed(latency < 100 ? 1 : 0);
}

/** Rounds to microseconds: the clock of a process is not more precise. */
function micro(latency: Millis): number {
  return Math.round(latency * 1000) / 1000;
}
