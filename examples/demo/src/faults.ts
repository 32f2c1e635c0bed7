import { milliseconds, seconds } from './figures.ts';
import type { Happenings } from './happenings.ts';

/** Whom a fault hurts, and where it sees what came of it. */
export interface FaultSite {
  /** The id by which the server knows this page. */
  readonly page: string;
  readonly happenings: Happenings;
  /** The worst time from the last byte received to `dead`. */
  readonly detectionBound: () => number;
}

const FREEZE = 5_000; // as the server has it
const DELAY = 300;
const BLOCK = 3_000;
/** How long it is waited for what comes of a fault. */
const PATIENCE = 30_000;

/** Nothing that this page has open is carried any more. Resolves to how that went, as all do. */
export function cut(site: FaultSite): Promise<string> {
  return outage(site, 'cut', Number.POSITIVE_INFINITY);
}

/** The server's event loop is blocked: connections are accepted, but nothing is answered. */
export function freeze(site: FaultSite): Promise<string> {
  return outage(site, 'freeze', FREEZE);
}

/** Adds to the round trip, or ends that. A slow link is no dead one. */
export async function delay({ page, happenings }: FaultSite, isOn: boolean): Promise<string> {
  const pressedAt = performance.now();
  await ask(`delay?page=${page}&ms=${isOn ? DELAY : 0}`);
  const { at, latency } = await happenings.next(PATIENCE, ({ name, latency }) => {
    return name === 'pong' && Number(latency) >= DELAY === isOn;
  });
  const seen = `seen after ${seconds(at - pressedAt)}, latency now ${milliseconds(Number(latency))}`;
  return `${isOn ? 'on' : 'off'}, ${seen}; no reconnection needed.`;
}

/** Keeps the main thread busy: the page hears nothing, though the link is well. */
export async function block({ happenings }: FaultSite): Promise<string> {
  await painted(); // else nobody would see the button pressed
  const startedAt = performance.now();
  while (performance.now() - startedAt < BLOCK);
  const { name, at } = await happenings.next(PATIENCE, ({ name }) => /pong|dead/.test(name));
  if (name === 'dead') return 'the link was taken for dead, which it was not.';
  const stall = happenings.all.findLast((happening) => happening.name === 'stall');
  const noticed = Number(stall?.at) > startedAt ? 'noticed and ' : '';
  const answered = `answer ${seconds(at - startedAt - BLOCK)} later`;
  return `${noticed}not blamed on the link, ${answered}; no reconnection needed.`;
}

async function outage(site: FaultSite, fault: string, lasts: number): Promise<string> {
  const { page, happenings, detectionBound } = site;
  const pressedAt = performance.now();
  const bound = seconds(detectionBound());
  await ask(`${fault}?page=${page}`);
  const dead = await happenings.next(PATIENCE, ({ name, at }) => {
    return name === 'dead' || (name === 'pong' && at - pressedAt > lasts);
  });
  if (dead.name === 'pong') return 'the connection outlasted it.';
  const back = await happenings.next(PATIENCE, ({ name }) => name === 'open');
  const detected = `detected after ${seconds(dead.at - pressedAt)} (bound ${bound})`;
  return `${detected}, back after ${seconds(back.at - pressedAt)}.`;
}

async function ask(fault: string): Promise<void> {
  const { ok, status } = await fetch(`/faults/${fault}`, { method: 'POST' });
  if (!ok) throw new Error(`the server refused (${status})`);
}

function painted(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}
