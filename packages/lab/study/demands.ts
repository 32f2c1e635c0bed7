import type { Millis } from '@wirebeat/core';
import { quantile, type Result } from './study.ts';

/** Something that our defaults must hold, and whether they do. */
export interface Demand {
  readonly holds: boolean;
  readonly what: string;
}

/** With a user who acts: how soon a dead link is suspect, in the median, and how seldom a live one. */
const ACTING: readonly { network: string; median: Millis; perHour: number }[] = [
  { network: 'steady', median: 2_000, perHour: 1 },
  { network: 'mobile', median: 4_000, perHour: 6 },
  { network: 'mobile, lossy', median: 4_000, perHour: 6 },
];

/** What the study is for. */
export function judge(results: readonly Result[]): readonly Demand[] {
  const ours = results.filter(({ subject }) => subject.rival !== undefined);
  return [
    ...ours.map((result) => fewerDeaths(result, results)),
    ...ours.filter(({ subject }) => subject.isActing).flatMap(soonSuspect),
    {
      holds: ours.every(({ wronged }) => wronged === 0),
      what: 'nobody dies whose answer to a ping it heard was there within pingTimeout',
    },
    {
      holds: ours.every(({ isBoundExceeded }) => !isBoundExceeded),
      what: 'no detectionBound is exceeded',
    },
    { holds: ours.every(({ missed }) => missed === 0), what: 'every dead link is found' },
  ];
}

function fewerDeaths({ network, subject, deathsPerDay }: Result, all: readonly Result[]): Demand {
  const rival = all.find((each) => each.network === network && each.subject.name === subject.rival);
  const limit = rival?.deathsPerDay ?? 0;
  return {
    holds: deathsPerDay <= limit,
    what: `${network.name}: ${subject.name}: ${figure(deathsPerDay)} false deaths a day, ${subject.rival} ${figure(limit)}`,
  };
}

function soonSuspect({ network, toSuspect, suspicionsPerHour }: Result): readonly Demand[] {
  const demand = ACTING.find(({ network: name }) => name === network.name);
  if (demand === undefined) return [];
  const median = quantile(toSuspect, 0.5);
  return [
    {
      holds: median <= demand.median,
      what: `${network.name}: suspect after ${median} ms in the median, of ${demand.median} allowed`,
    },
    {
      holds: suspicionsPerHour <= demand.perHour,
      what: `${network.name}: ${figure(suspicionsPerHour)} false suspicions an hour, of ${demand.perHour} allowed`,
    },
  ];
}

const figure = (value: number): string => String(Number(value.toFixed(2)));
