import { DEFAULTS, type Millis } from '@wirebeat/core';
import { quantile, type Result } from './study.ts';

/** Something that our defaults must hold, and whether they do. */
export interface Demand {
  readonly holds: boolean;
  /** They do not, for a reason that docs/topics/failure-detection.md gives. */
  readonly isKnown: boolean;
  readonly what: string;
}

/** With a user who acts: how soon a dead link is suspect, in the median, and how seldom a live one. */
const ACTING: readonly { network: string; median: Millis; perHour: number }[] = [
  { network: 'steady', median: 1_000, perHour: 1 },
  { network: 'mobile', median: 2_500, perHour: 6 },
  { network: 'mobile, lossy', median: 2_500, perHour: 6 },
];

/** TCP waits twice as long after each loss, so it may take twice an outage to be through: 8 s here. */
const OUTLASTS_TCP: Millis = 17_000;

/** What the study is for. */
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
      isImpatient(result), // each false death forgets what was learnt
    ),
  ];
}

/** Whether an outage of this network may outlast the client's `pingTimeout`. */
function isImpatient({ network, subject }: Result): boolean {
  return network.outages === true && subject.home === 'page' && DEFAULTS.pingTimeout < OUTLASTS_TCP;
}

const figure = (value: number): string => String(Number(value.toFixed(2)));
