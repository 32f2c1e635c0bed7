import type { Millis } from '@wirebeat/core';

/** A batch of pings is planned for as many connections: larger ones cost no less for each ping. */
const SIZE = 100;
/** There are at least ten batches of pings in an interval. */
const LARGEST_PART = 1 / 10;
/** Between batches, rows are looked at together once in this part of the interval. */
const LOOKS = 1 / 100;
/** With fewer connections, a turn of the event loop for each ping costs little. */
const FEWEST = 100;

/** A batch has at least as many groups of neighbours, so that batches can be of equal size. */
const GROUPS = 6;
const MAX_NEIGHBOURS = 8;

/** How far apart batches are, in ms. */
export interface Batches {
  /** Instants at which routine pings are planned: the multiples of this. */
  readonly pings: Millis;
  /** Rows whose last batch before they are due is over are looked at up to this much before. */
  readonly looks: Millis;
}

export interface PlannedPings {
  readonly connections: number;
  readonly pingInterval: Millis;
  /** The part of the interval within which the instant of a ping may be chosen. */
  readonly jitter: number;
}

/**
 * Returns how far apart the batches of these pings are, in multiples of `granule`. A turn of the event
 * loop costs about as much as a ping with its pong, so it should serve many of them.
 */
export function batchesOf(pings: PlannedPings, granule: Millis): Batches {
  const { connections, pingInterval, jitter } = pings;
  const isWorth = connections >= FEWEST && pingInterval < Number.POSITIVE_INFINITY;
  if (!isWorth) return { pings: granule, looks: granule };
  const part = Math.min(SIZE / connections, LARGEST_PART, jitter);
  const looks = multiple(pingInterval * Math.min(part, LOOKS), granule);
  return { looks, pings: multiple(pingInterval * part, looks) };
}

/**
 * Returns how many connections that have opened one after another keep to the same batch, a power of two.
 * Their objects lie near each other in memory, and fetching those of a single connection costs more than
 * the work on them.
 */
export function neighboursIn({ pings }: Batches, planned: PlannedPings): number {
  const mean = (planned.connections * pings) / planned.pingInterval;
  let neighbours = MAX_NEIGHBOURS;
  while (neighbours > 1 && neighbours * GROUPS > mean) neighbours /= 2;
  return neighbours;
}

/** Returns the largest multiple of `unit` up to `length`, but at least `unit`. */
function multiple(length: Millis, unit: Millis): Millis {
  return Math.max(1, Math.floor(length / unit + 1e-9)) * unit;
}
