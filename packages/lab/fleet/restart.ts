import { histogram } from './histogram.ts';
import type { Lateness } from './lateness.ts';
import { wallClock } from './parent.ts';
import { mostByChance } from './poisson.ts';
import type { Program } from './program.ts';

/** Width in ms of the buckets for attempts. */
export const BUCKET = 100;

/** A fleet of reconnecting clients and two servers behind one proxy that can lead to either. */
export interface Restart {
  readonly old: Program;
  readonly next: Program;
  readonly clients: Program;
  readonly count: number;
  /** The lateness of the process that runs the proxy. */
  readonly lateness: Lateness;
  /** Leads new connections to the other server from now on. */
  lead(): void;
}

/** How the clients reconnected. */
export interface Return {
  /** Attempts per {@link BUCKET} from the start of the restart on. */
  readonly counts: readonly number[];
  /**
   * Sum of the longest times that each process did not run. Everything due meanwhile happened at once,
   * and several processes may have been late in turn.
   */
  readonly lateBy: number;
  readonly isWhole: boolean;
}

/**
 * Restarts the server: closes the connections of the old one over `within` ms, or kills it. Resolves
 * when all clients have connected to the new one, or after `limit` ms.
 */
export async function restart(
  { old, next, clients, count, lateness, lead }: Restart,
  within: number | undefined,
  limit: number,
): Promise<Return> {
  lateness.take();
  await Promise.all([old.ask('lateness'), clients.ask('lateness')]);
  const start = wallClock();
  lead();
  if (within === undefined) old.signal('SIGKILL');
  else void old.ask('drain', { within });
  const isWhole = await next.until(() => next.clientsWith('opened').size === count, limit);
  const late = [lateness.take(), await clients.ask<number>('lateness')];
  if (within !== undefined) late.push(await old.ask<number>('lateness'));
  const attempts = clients.of('dialled').filter(({ at }) => at > start);
  const instants = attempts.map(({ at }) => at);
  return {
    counts: histogram(instants, start, BUCKET),
    lateBy: late.reduce((sum, each) => sum + each, 0),
    isWhole,
  };
}

/**
 * Returns how many attempts may fall into one bucket if `count` are evenly distributed over `within`:
 * twice the mean, or what random variation allows for few clients. Attempts that a stalled machine
 * delayed happen at once, so the bucket is that much longer.
 */
export function mostInBucket(
  count: number,
  within: number,
  lateBy: number,
  bucket: number = BUCKET,
): number {
  const mean = (count * (bucket + lateBy)) / within;
  return Math.max(2 * mean, mostByChance(mean, within / bucket));
}

/** Returns how long each client waited after it lost the old server, in ms. */
export function firstDelays(clients: Program): number[] {
  const delays = new Map<string, number>();
  for (const { client = '', detail } of clients.of('retry')) {
    if (!delays.has(client)) delays.set(client, Number(detail['delay']));
  }
  return [...delays.values()];
}
