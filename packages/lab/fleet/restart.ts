import { histogram } from './histogram.ts';
import type { Lateness } from './lateness.ts';
import { wallClock } from './parent.ts';
import { mostByChance } from './poisson.ts';
import type { Program } from './program.ts';

/** Of the buckets in which attempts are counted. */
export const BUCKET = 100;

/** A fleet of clients that come back, and two servers: all go by a way that can be led to either. */
export interface Restart {
  readonly old: Program;
  readonly next: Program;
  readonly clients: Program;
  readonly count: number;
  /** Of the process that has the way. */
  readonly lateness: Lateness;
  /** From now on, who dials comes to the other. */
  lead(): void;
}

/** How the clients came back. */
export interface Return {
  /** Of their attempts, by {@link BUCKET}, from the beginning of the restart on. */
  readonly counts: readonly number[];
  /**
   * The longest that each of the processes did not run, together: what was due then came at once, and one
   * after the other may have held it up.
   */
  readonly lateBy: number;
  readonly isWhole: boolean;
}

/**
 * Restarts the server: `within` ms are taken for the connections of the old one to be closed, or it is
 * killed. Resolves once all have come to the next, or after `limit` ms.
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
 * How many attempts may fall into one bucket, if `count` of them come evenly over `within`: twice the
 * mean, or for few clients, what chance allows. What a machine that did not run kept waiting comes in
 * one go, so that the bucket is as much longer.
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

/** What each waited when it had lost the old server. */
export function firstDelays(clients: Program): number[] {
  const delays = new Map<string, number>();
  for (const { client = '', detail } of clients.of('retry')) {
    if (!delays.has(client)) delays.set(client, Number(detail['delay']));
  }
  return [...delays.values()];
}
