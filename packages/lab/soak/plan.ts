import { seededRandom } from '@wirebeat/core/testing';

/** The faults of a proxy or of a whole process. */
export const FAULTS = [
  'silent cut',
  'cut outward',
  'cut homeward',
  'FIN',
  'RST',
  'deaf',
  'delay',
  'hold back',
  'stop server',
  'stop clients',
] as const;

export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  /** Start in ms from the beginning. */
  readonly at: number;
  readonly kind: FaultKind;
  /** Index of the affected proxy; faults of processes affect all. */
  readonly way: number;
  /** Duration in ms; a cut is permanent. */
  readonly lasts: number;
}

/** Mean time between two faults, in ms. */
const PERIOD = 1_000;
/** Longest duration of each temporary fault, in ms. */
const LONGEST: Readonly<Record<FaultKind, number>> = {
  'silent cut': 0,
  'cut outward': 0,
  'cut homeward': 0,
  FIN: 0,
  RST: 0,
  deaf: 12_000, // longer than a client waits for a connection
  delay: 8_000,
  'hold back': 15_000, // longer than the bound
  'stop server': 4_000,
  'stop clients': 4_000,
};

/** Returns all faults in `duration` ms on this many proxies. The same seed gives the same faults. */
export function plan(seed: number, duration: number, ways: number): Fault[] {
  const random = seededRandom(seed);
  for (let warm = 0; warm < 8; warm += 1) random(); // small seeds produce similar first numbers
  const faults: Fault[] = [];
  let at = 0;
  for (;;) {
    at += -Math.log(1 - random()) * PERIOD;
    const kind = FAULTS[Math.floor(random() * FAULTS.length)] as FaultKind;
    const way = Math.floor(random() * ways);
    const lasts = Math.round(random() * LONGEST[kind]);
    if (at >= duration) return faults;
    faults.push({ at: Math.round(at), kind, way, lasts });
  }
}
