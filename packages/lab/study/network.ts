import type { Instant, Millis } from '@wirebeat/core';
import { chance, stream } from './chance.ts';
import type { Habits } from './program.ts';
import { HOUR, logUniform, type Span, scatter, spanAt } from './span.ts';

/** Direction: 0 from us to the peer, 1 back. */
export type Direction = 0 | 1;

/** The behaviour of one network over time, the same for all subjects. */
export interface Schedule extends Habits {
  /** Returns when something sent at `at` arrives if no earlier message delays it. */
  arrival(at: Instant, direction: Direction): Instant;
}

/** A kind of network, or a kind of program on a good network. */
export interface Network {
  readonly name: string;
  /** Whether it models how browsers treat pages, so that other programs do not occur on it. */
  readonly isPage?: boolean;
  /** Whether it has outages of up to 8 s. */
  readonly outages?: boolean;
  /**
   * Whether its connection dies while our side does not run; times then count from when it runs again.
   */
  readonly diesAsleep?: boolean;
  /** Creates its schedule until `end`. The same seed gives the same schedule. */
  schedule(seed: number, end: Instant): Schedule;
}

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60_000;
/** The longest retransmission timeout of Linux. RFC 6298 (2.5) allows any from 60 s. */
const MAX_RTO: Millis = 120_000;
/** The minimum that Linux adds to SRTT, where RFC 6298 (2.3) has 4 × RTTVAR. */
const RTO_MARGIN: Millis = 200;

/** A good wired network: a round trip of 40 ms. */
const steadyDelay = (seed: number, at: Instant, direction: Direction): Millis =>
  18 - 2 * Math.log(1 - chance(seed, at, direction));

/** A radio network: a median round trip of 100 ms, with a heavy tail (log-logistic). */
const radioDelay = (seed: number, at: Instant, direction: Direction): Millis => {
  const part = chance(seed, at, direction);
  return 25 + 22 * Math.exp(0.4 * Math.log((part + 1e-9) / (1 - part)));
};

type Delay = typeof steadyDelay;

function arrivals(seed: number, delay: Delay): Schedule['arrival'] {
  return (at, direction) => Math.ceil(at + delay(seed, at, direction));
}

/** Returns when TCP delivers: it doubles its wait after each loss, RFC 6298 (5.5). */
function retransmit(at: Instant, rto: Millis, isLost: (at: Instant) => boolean): Instant {
  let [sent, wait] = [at, rto];
  while (isLost(sent)) {
    sent += wait;
    wait = Math.min(2 * wait, MAX_RTO);
  }
  return sent;
}

/** Outages of a radio network: of 1 to 8 s, mostly short, twelve per hour. */
function outages(seed: number, end: Instant): readonly Span[] {
  const random = stream(seed, 1);
  return scatter(random, end, 12, () => logUniform(random, 1 * SECOND, 8 * SECOND));
}

const good = (seed: number): Schedule => ({ stalls: [], arrival: arrivals(seed, steadyDelay) });

/** The networks of the study. docs/topics/failure-detection.md names their models. */
export const NETWORKS: readonly Network[] = [
  { name: 'steady', schedule: good },
  {
    name: 'mobile',
    outages: true,
    schedule(seed, end) {
      const gaps = outages(seed, end);
      const arrive = arrivals(seed, radioDelay);
      // The radio buffers what it cannot deliver.
      const arrival: Schedule['arrival'] = (at, way) => arrive(spanAt(gaps, at)?.to ?? at, way);
      return { stalls: [], arrival };
    },
  },
  {
    name: 'mobile, lossy',
    outages: true,
    schedule(seed, end) {
      const gaps = outages(seed, end);
      const arrive = arrivals(seed, radioDelay);
      const isLost = (at: Instant) => spanAt(gaps, at) !== undefined;
      const arrival: Schedule['arrival'] = (at, way) => {
        const rto = Math.round(RTO_MARGIN + 80 + 200 * chance(seed, at, 10 + way));
        return arrive(retransmit(at, rto, isLost), way);
      };
      return { stalls: [], arrival };
    },
  },
  {
    name: 'retransmissions',
    schedule(seed, end) {
      const random = stream(seed, 1);
      const bursts = scatter(random, end, 20, () => logUniform(random, SECOND / 2, 5 * SECOND));
      const arrive = arrivals(seed, steadyDelay);
      const arrival: Schedule['arrival'] = (at, way) => {
        const isLost = (sent: Instant) => {
          const loss = spanAt(bursts, sent) === undefined ? 0.001 : 0.5;
          return chance(seed, sent, 20 + way) < loss;
        };
        return arrive(retransmit(at, RTO_MARGIN, isLost), way);
      };
      return { stalls: [], arrival };
    },
  },
  {
    name: 'bufferbloat',
    schedule(seed, end) {
      const random = stream(seed, 1);
      const bulks = scatter(random, end, 6, () => logUniform(random, 10 * SECOND, 120 * SECOND));
      const arrive = arrivals(seed, steadyDelay);
      const arrival: Schedule['arrival'] = (at, way) => {
        const bulk = spanAt(bulks, at);
        if (bulk === undefined || way === 1) return arrive(at, way); // the bulk transfer is an upload
        const full = (2 + 2 * chance(seed, bulk.from, 30)) * SECOND;
        return arrive(at + Math.min(full, (at - bulk.from) / 2), way);
      };
      return { stalls: [], arrival };
    },
  },
  {
    name: 'hidden tab',
    isPage: true,
    schedule: (seed) => ({ ...good(seed), throttle: 'hidden' }),
  },
  {
    name: 'minute ticks',
    isPage: true,
    schedule: (seed) => ({ ...good(seed), throttle: 'minute' }),
  },
  {
    name: 'laptop sleep',
    diesAsleep: true,
    schedule(seed, end) {
      const random = stream(seed, 1);
      const naps = scatter(random, end, 1, () => logUniform(random, MINUTE, 3 * HOUR));
      // Its radio reconnects some time after it wakes.
      const gaps = naps.map(({ from, to }) => ({ from, to: to + Math.round(3_000 * random()) }));
      const arrive = arrivals(seed, steadyDelay);
      const isLost = (at: Instant) => spanAt(gaps, at) !== undefined;
      const arrival: Schedule['arrival'] = (at, way) => {
        const gap = spanAt(gaps, at);
        // The peer resends what it sent meanwhile within seconds of our waking.
        if (way === 1 && gap !== undefined) return arrive(gap.to, way);
        return arrive(retransmit(at, RTO_MARGIN, isLost), way);
      };
      return { stalls: naps, arrival };
    },
  },
  {
    name: 'blocked loop',
    schedule(seed, end) {
      const random = stream(seed, 1);
      const stalls = scatter(random, end, 30, () => logUniform(random, SECOND, 15 * SECOND));
      return { ...good(seed), stalls };
    },
  },
];
