import { HEARTBEAT_SCHEMA, type Millis } from '@wirebeat/core';
import { quantile, type Result } from './study.ts';

/** A requirement for our defaults, and whether they meet it. */
export interface Demand {
  readonly holds: boolean;
  /** Whether they miss it for a reason that docs/topics/failure-detection.md explains. */
  readonly isKnown: boolean;
  readonly what: string;
}

/**
 * While the user sends messages: the median time until a dead connection is suspect, and how often per
 * hour a live one is.
 */
const ACTING: readonly { network: string; median: Millis; perHour: number }[] = [
  { network: 'steady', median: 1_000, perHour: 1 },
  { network: 'mobile', median: 2_500, perHour: 6 },
  { network: 'mobile, lossy', median: 2_500, perHour: 6 },
];

/**
 * TCP doubles its wait after each loss, so it may need twice the length of an outage to recover: 8 s
 * here.
 */
const OUTLASTS_TCP: Millis = 17_000;

/** Checks the requirements against the results. */
export function judge(results: readonly Result[]): readonly Demand[] {
  const ours = results.filter(({ subject }) => subject.rival !== undefined);
  const wronged = ours.every((result) => result.wronged === 0);
  const isBound = ours.every(({ isBoundExceeded }) => !isBoundExceeded);
  return [
    ...ours.map((result) => fewerDeaths(result, results)),
    ...ours.filter(({ subject }) => subject.isActing).flatMap(soonSuspect),
    demand(wronged, 'nobody dies whose answer was there within pingTimeout'),
    demand(isBound, 'no detectionBound is exceeded'),
    demand(
      ours.every(({ missed }) => missed === 0),
      'every dead link is found',
    ),
  ];
}

function demand(holds: boolean, what: string, isKnown = false): Demand {
  return { holds, what, isKnown: !holds && isKnown };
}

function fewerDeaths(result: Result, all: readonly Result[]): Demand {
  const { network, subject, deathsPerDay } = result;
  const rival = all.find((each) => each.network === network && each.subject.name === subject.rival);
  const limit = rival?.deathsPerDay ?? 0;
  const what = `${figure(deathsPerDay)} false deaths a day, ${subject.rival} ${figure(limit)}`;
  return demand(
    deathsPerDay <= limit,
    `${network.name}, ${subject.name}: ${what}`,
    isImpatient(result),
  );
}

function soonSuspect(result: Result): readonly Demand[] {
  const { network, toSuspect, suspicionsPerHour } = result;
  const wanted = ACTING.find(({ network: name }) => name === network.name);
  if (wanted === undefined) return [];
  const median = quantile(toSuspect, 0.5);
  const say = (what: string) => `${network.name}, acting: ${what}`;
  return [
    demand(
      median <= wanted.median,
      say(`suspect after ${median} ms in the median, ${wanted.median} allowed`),
    ),
    demand(
      suspicionsPerHour <= wanted.perHour,
      say(`${figure(suspicionsPerHour)} false suspicions an hour, ${wanted.perHour} allowed`),
      isImpatient(result), // each false death discards the learned values
    ),
  ];
}

/** Returns whether an outage of this network can exceed the client's `pingTimeout`. */
function isImpatient({ network, subject }: Result): boolean {
  return (
    network.outages === true &&
    subject.home === 'page' &&
    HEARTBEAT_SCHEMA.pingTimeout.default < OUTLASTS_TCP
  );
}

const figure = (value: number): string => String(Number(value.toFixed(2)));
