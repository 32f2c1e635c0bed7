import type { Millis } from '@wirebeat/core';
import { NETWORKS, type Network } from './network.ts';
import { type CutRecord, observeCut, observePeace, type PeaceRecord } from './observe.ts';
import type { Subject } from './subject.ts';
import { SUBJECTS } from './subjects.ts';

/** How much is simulated per subject and network. */
export interface Extent {
  /** Runs without cuts, each with its own schedule. */
  readonly runs: number;
  readonly hours: number;
  /** Number of connections that are cut, each once between `cutAfter` and twice that, in ms. */
  readonly cuts: number;
  readonly cutAfter: Millis;
}

/** The extent of the published table. */
export const FULL: Extent = { runs: 7, hours: 24, cuts: 400, cutAfter: 1_800_000 };
/** The extent for `npm test`. */
export const SHORT: Extent = { runs: 1, hours: 8, cuts: 20, cutAfter: 600_000 };

/** One row of the table. */
export interface Result {
  readonly network: Network;
  readonly subject: Subject;
  /** Times in ms from the cut, sorted. Empty for subjects without `suspect`. */
  readonly toSuspect: readonly Millis[];
  readonly toDead: readonly Millis[];
  readonly suspicionsPerHour: number;
  readonly deathsPerDay: number;
  readonly pingsPerHour: number;
  /** False deaths although an answer had arrived in time but was not read yet. */
  readonly wronged: number;
  /** Dead connections that were never detected. */
  readonly missed: number;
  readonly isBoundExceeded: boolean;
}

/** Runs every subject on every network where it occurs, all with the same schedules. */
export function study(extent: Extent): readonly Result[] {
  return NETWORKS.flatMap((network, index) =>
    SUBJECTS.filter((subject) => isAtHome(network, subject)).map((subject) =>
      observe(network, subject, extent, 1_000_003 * (index + 1)),
    ),
  );
}

/**
 * Returns whether the subject occurs on the network: only pages are throttled, and nobody types in a
 * hidden page.
 */
function isAtHome(network: Network, subject: Subject): boolean {
  return !network.isPage || (subject.home === 'page' && !subject.isActing);
}

function observe(network: Network, subject: Subject, extent: Extent, seed: number): Result {
  const { runs, hours, cuts, cutAfter } = extent;
  const peace = times(runs, (run) => observePeace(network, subject, seed + 10 * run, hours));
  const cut = times(cuts, (run) =>
    observeCut(network, subject, seed + 100_000 + 10 * run, cutAfter),
  );
  const total = (of: (record: PeaceRecord) => number) =>
    peace.reduce((sum, record) => sum + of(record), 0);
  const found = cut.filter(({ deadAfter }) => deadAfter !== undefined);
  return {
    network,
    subject,
    toSuspect: subject.suspects ? inOrder(found, ({ suspectAfter }) => suspectAfter) : [],
    toDead: inOrder(found, ({ deadAfter }) => deadAfter),
    suspicionsPerHour: total(({ suspicions }) => suspicions) / (runs * hours),
    deathsPerDay: (24 * total(({ deaths }) => deaths)) / (runs * hours),
    pingsPerHour: total(({ pings }) => pings) / (runs * hours),
    wronged: total(({ wronged }) => wronged),
    missed: cuts - found.length,
    isBoundExceeded: [...peace, ...cut].some(({ isBoundExceeded }) => isBoundExceeded),
  };
}

function times<T>(count: number, run: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => run(index));
}

function inOrder(
  records: readonly CutRecord[],
  of: (record: CutRecord) => Millis | undefined,
): readonly Millis[] {
  return records.map((record) => of(record) ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
}

/** Returns the quantile `part` of sorted values. */
export function quantile(values: readonly Millis[], part: number): Millis {
  return values[Math.ceil(part * values.length) - 1] ?? Number.POSITIVE_INFINITY;
}
