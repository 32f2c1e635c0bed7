import type { Instant, Millis } from '@wirebeat/core';
import type { Side } from './tunnel/side.ts';
import type { SideFacts } from './tunnel/tunnel-side.ts';

/** What earlier ends on the same side had in common with this one. */
export interface EndPattern {
  readonly type: 'idle-timeout' | 'age-limit';
  readonly after: Millis;
  /** Number of ends in a row, including this one. */
  readonly times: number;
}

/** An end without a Close frame. Durations are in ms. */
interface AbnormalEnd extends Pick<SideFacts, 'idleFor' | 'survivedIdle'> {
  readonly at: Instant;
  readonly age: Millis;
}

/** How many ends in a row make a pattern. */
const IN_A_ROW = 3;
const KEPT = 32;
/** The fraction by which timers of proxies vary, and the least variation in ms. */
export const SPREAD = 0.05;
export const MIN_SPREAD: Millis = 300;
/** Shorter times are no limit of a proxy. */
const MIN_LIMIT: Millis = 2_000;
/** Ends at one moment have one cause, such as a restart: they count once. */
const MOMENT: Millis = 500;

/** The last ends without a Close frame on each side. It takes several to recognize the limit of a proxy. */
export class EndHistory {
  readonly #ends: Readonly<Record<Side, AbnormalEnd[]>> = { page: [], upstream: [] };

  /** Adds an end, and returns what the last ends on this side have in common. */
  add(side: Side, end: AbnormalEnd): EndPattern | undefined {
    const ends = this.#ends[side];
    const last = ends.at(-1);
    if (last !== undefined && end.at - last.at < MOMENT) ends.pop();
    ends.push(end);
    if (ends.length > KEPT) ends.shift();
    const idle = rowOf(ends, (one) => (one.idleFor > one.survivedIdle ? one.idleFor : 0));
    if (idle !== undefined) return { type: 'idle-timeout', ...idle };
    const age = rowOf(ends, (one) => one.age);
    return age && { type: 'age-limit', ...age };
  }
}

function rowOf(
  ends: readonly AbnormalEnd[],
  timeOf: (end: AbnormalEnd) => Millis,
): { readonly after: Millis; readonly times: number } | undefined {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  let times = 0;
  for (const end of [...ends].reverse()) {
    const time = timeOf(end);
    least = Math.min(least, time);
    most = Math.max(most, time);
    if (least < MIN_LIMIT || most - least > Math.max(MIN_SPREAD, SPREAD * most)) break;
    times += 1;
  }
  return times < IN_A_ROW ? undefined : { after: timeOf(ends.at(-1) as AbnormalEnd), times };
}
