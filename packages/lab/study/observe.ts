import type { Instant, Millis } from '@wirebeat/core';
import { stream } from './chance.ts';
import { Connection, type Scene } from './connection.ts';
import type { Network } from './network.ts';
import { HOUR } from './span.ts';
import type { Subject } from './subject.ts';
import { World } from './world.ts';

/** The observations while the peer was always there. */
export interface PeaceRecord {
  readonly hours: number;
  readonly suspicions: number;
  readonly deaths: number;
  readonly pings: number;
  /** False deaths although an answer had arrived in time. */
  readonly wronged: number;
  readonly isBoundExceeded: boolean;
}

/** The detection times after a connection died, in ms; `undefined` if it was not detected. */
export interface CutRecord {
  readonly suspectAfter: Millis | undefined;
  readonly deadAfter: Millis | undefined;
  readonly isBoundExceeded: boolean;
}

const RECONNECT_AFTER: Millis = 2_000;
/** The longest detection time that is simulated. */
const LIMIT: Millis = HOUR;
/** The time within which a device sleeps at least once. */
const SLEEPS: Millis = 24 * HOUR;

interface Cut {
  readonly cutAt: Instant;
  readonly countedFrom: Instant;
}

function scene(network: Network, subject: Subject, seed: number, end: Instant): Scene {
  return {
    world: new World(),
    network,
    schedule: network.schedule(seed, end),
    subject,
    random: stream(seed, 2),
    memory: new Map(),
    cutAt: Number.POSITIVE_INFINITY,
  };
}

/** Observes a connection without a cut, under the conditions of the network only. */
export function observePeace(
  network: Network,
  subject: Subject,
  seed: number,
  hours: number,
): PeaceRecord {
  const end = hours * HOUR;
  const where = scene(network, subject, seed, end);
  const lives: Connection[] = [];
  while (where.world.now < end) {
    const life = new Connection(where);
    lives.push(life);
    where.world.runUntil(end, () => life.deadAt !== undefined);
    where.world.runUntil(Math.min(end, where.world.now + RECONNECT_AFTER));
  }
  const sum = (of: (life: Connection) => number | boolean) =>
    lives.reduce((total, life) => total + Number(of(life)), 0);
  return {
    hours,
    suspicions: sum(({ suspicions }) => suspicions),
    deaths: sum(({ deadAt }) => deadAt !== undefined),
    pings: sum(({ pings }) => pings),
    wronged: sum(({ wasAnswered }) => wasAnswered),
    isBoundExceeded: lives.some(({ isBoundExceeded }) => isBoundExceeded),
  };
}

/** Cuts a connection silently at a random instant between `after` and twice that. */
export function observeCut(
  network: Network,
  subject: Subject,
  seed: number,
  after: Millis,
): CutRecord {
  const random = stream(seed, 3);
  const where = scene(network, subject, seed, 2 * after + SLEEPS + LIMIT);
  const { cutAt, countedFrom } = chooseCut(where, after * (1 + random()), random());
  const { world } = where;
  let life = new Connection({ ...where, cutAt });
  world.runUntil(cutAt - 1, () => {
    // It may be declared dead falsely before the cut.
    if (life.deadAt !== undefined) life = new Connection({ ...where, cutAt });
    return false;
  });
  world.runUntil(countedFrom + LIMIT, () => life.deadAt !== undefined);
  const since = (at: Instant | undefined) =>
    at === undefined ? undefined : Math.max(0, at - countedFrom);
  return {
    suspectAfter: since(life.suspectAt ?? life.deadAt),
    deadAfter: since(life.deadAt),
    isBoundExceeded: life.isBoundExceeded,
  };
}

/**
 * Chooses the cut. If the connection dies while our side does not run, times count from when it runs
 * again.
 */
function chooseCut({ network, schedule }: Scene, wanted: Instant, part: number): Cut {
  const nap = network.diesAsleep && schedule.stalls.find(({ from }) => from >= wanted);
  if (!nap) return { cutAt: Math.round(wanted), countedFrom: Math.round(wanted) };
  return { cutAt: nap.from + Math.round((nap.to - nap.from) * part), countedFrom: nap.to };
}
