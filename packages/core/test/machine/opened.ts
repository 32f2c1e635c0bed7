// Machines in the situations that several tests begin with.
import type { HeartbeatAction } from '../../src/machine/actions.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import type { HeartbeatOptions } from '../../src/options.ts';

export const NEVER: number = Number.POSITIVE_INFINITY;

export function opened(options: ConstructorParameters<typeof Heartbeat>[0] = {}): Heartbeat {
  const heartbeat = new Heartbeat({ pingInterval: 25_000, pingTimeout: 10_000, ...options });
  heartbeat.open(0);
  return heartbeat;
}

/** Opened towards a peer about which nothing is known. */
export function strange(options: HeartbeatOptions = {}, start = 0): [Heartbeat, PeerMemory] {
  const memory = new PeerMemory();
  const heartbeat = new Heartbeat({ pingInterval: 10_000, pingTimeout: 5_000, ...options }, memory);
  heartbeat.open(start);
  return [heartbeat, memory];
}

/** Opened towards a peer that left two connections unanswered. */
export function muted(options: HeartbeatOptions = {}): Heartbeat {
  const memory = new PeerMemory();
  for (const wasAnswered of [false, false]) memory.ended(false, wasAnswered);
  const heartbeat = new Heartbeat({ pingInterval: 10_000, pingTimeout: 5_000, ...options }, memory);
  heartbeat.open(0);
  return heartbeat;
}

/** Ticks at each deadline before `end`, with bytes just before. When it died, and of what. */
export function hearUntil(
  heartbeat: Heartbeat,
  end: number,
): [number, HeartbeatAction | undefined] {
  for (let now = heartbeat.deadline; now < end; now = heartbeat.deadline) {
    heartbeat.receive(now);
    const death = heartbeat.tick(now).find(({ type }) => type === 'timeout');
    if (death !== undefined) return [now, death];
  }
  return [end, undefined];
}

export const typesOf = (actions: readonly HeartbeatAction[]): string[] =>
  actions.map(({ type }) => type);
