import type { Millis } from '../time.ts';

/**
 * How good a link is for people. `good`: as usual. `slow`: answers take noticeably longer than
 * usual. `poor`: answers are overdue, missing or very late. `lost`: there is no open connection.
 */
export type LinkQuality = 'good' | 'slow' | 'poor' | 'lost';

/** What a {@link LinkQuality} is decided from. */
export interface LinkEvidence {
  readonly isOpen: boolean;
  /** Whether an answer is overdue. */
  readonly isSuspect: boolean;
  /** The recent latency; undefined before the first pong. */
  readonly recent: Millis | undefined;
  /** The usual latency of this link; undefined before the first pong. */
  readonly usual: Millis | undefined;
  /** How many of the last 20 answers were overdue. */
  readonly overdue: number;
}

interface Limit {
  /** A higher latency is always beyond the limit. */
  readonly latency: Millis;
  /** A latency that is both this many times the usual and ... */
  readonly ratio: number;
  /** ... this much longer is beyond the limit. */
  readonly excess: Millis;
  readonly overdue: number;
}

/** W. Doherty, A. Thadani, 1982: people notice that they wait for a computer after 400 ms. */
const SLOW: Limit = { latency: 400, ratio: 2.5, excess: 100, overdue: 2 };
const POOR: Limit = { latency: 1_000, ratio: 6, excess: 400, overdue: 5 };

/**
 * Returns the quality of a link:
 *
 * - `lost` without an open connection.
 * - `poor` while an answer is overdue, if at least 5 of the last 20 answers were, if the recent
 *   latency is 1 s or more, or if it is at least 6 times the usual and 400 ms longer.
 * - `slow` if at least 2 of the last 20 answers were overdue, if the recent latency is 400 ms or
 *   more, or if it is at least 2.5 times the usual and 100 ms longer.
 * - `good` otherwise.
 */
export function linkQuality(evidence: LinkEvidence): LinkQuality {
  if (!evidence.isOpen) return 'lost';
  if (evidence.isSuspect || isBeyond(evidence, POOR)) return 'poor';
  return isBeyond(evidence, SLOW) ? 'slow' : 'good';
}

function isBeyond({ recent = 0, usual = recent, overdue }: LinkEvidence, limit: Limit): boolean {
  if (overdue >= limit.overdue || recent >= limit.latency) return true;
  return recent >= usual * limit.ratio && recent >= usual + limit.excess;
}
