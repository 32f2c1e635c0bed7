import { seededRandom } from '@wirebeat/core/testing';

export const FAULTS = [
  'kill node',
  'stop node',
  'cut node from Redis',
  'isolate node',
  'silent cut',
  'stop Redis',
  'restart Redis',
] as const;

/** A fault of {@link FAULTS}. `node` is the affected one; Redis has faults of its own. */
export interface Fault {
  readonly at: number;
  readonly kind: (typeof FAULTS)[number];
  readonly node: number;
  /** Draws the affected way to a node, in [0, 1). */
  readonly way: number;
  /** Duration in ms. */
  readonly lasts: number;
}

const PERIOD = 2_000; // mean ms between two faults
const SHORTEST = 1_000;
const LONGEST = 9_000; // longer than a lease
const REDIS_AWAY = 20_000; // so that every lease ends
const REDIS_PAUSE = 2_000; // so that none does

/**
 * Returns all faults in `duration` ms. The same seed gives the same faults. Redis is away once a
 * minute; a fault of a node begins only when its last one is over.
 */
export function plan(seed: number, duration: number, nodes: number): Fault[] {
  const random = seededRandom(seed);
  for (let warm = 0; warm < 8; warm += 1) random(); // small seeds produce similar first numbers
  const faults: Fault[] = [];
  for (let at = 15_000; at + REDIS_AWAY < duration; at += 60_000) {
    faults.push({ at, kind: 'restart Redis', node: 0, way: 0, lasts: REDIS_AWAY });
  }
  const busyUntil = new Array<number>(nodes).fill(0);
  let at = 0;
  for (;;) {
    at += -Math.log(1 - random()) * PERIOD;
    const kind = FAULTS[Math.floor(random() * (FAULTS.length - 1))] as Fault['kind'];
    const node = Math.floor(random() * nodes);
    const way = random();
    const drawn = Math.round(SHORTEST + random() * (LONGEST - SHORTEST));
    const lasts = kind === 'stop Redis' ? Math.min(drawn, REDIS_PAUSE) : drawn;
    if (at >= duration) return faults.sort((a, b) => a.at - b.at);
    const isOfNode = kind !== 'silent cut' && kind !== 'stop Redis';
    if (isOfNode && at < (busyUntil[node] ?? 0)) continue;
    if (isOfNode) busyUntil[node] = at + lasts + SHORTEST;
    faults.push({ at: Math.round(at), kind, node, way, lasts });
  }
}
