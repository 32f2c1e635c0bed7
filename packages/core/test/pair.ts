// Two heartbeats, the link between them and one virtual clock, after quinn's `Pair`.
import { expect } from 'vitest';
import { HeartbeatDriver } from '../src/driver/heartbeat-driver.ts';
import type { HeartbeatEvent } from '../src/driver/heartbeat-events.ts';
import { VERDICT_WAIT } from '../src/machine/deadlines.ts';
import { TIMER_SLACK } from '../src/machine/timing.ts';
import type { HeartbeatOptions } from '../src/options.ts';
import { decodeBeat, encodeBeat } from '../src/protocol/beat.ts';
import { Link, type LinkEnd, type PathOptions } from '../src/testing/link.ts';
import { VirtualScheduler } from '../src/testing/virtual-scheduler.ts';
import type { Instant, Millis } from '../src/time.ts';

/** The timing of an end that is told nothing else. */
export const TIMING = { pingInterval: 25_000, pingTimeout: 10_000 } as const;

/** One program: its end of the link, its heartbeat, and what became of them. */
export class Side {
  readonly end: LinkEnd;
  readonly driver: HeartbeatDriver;
  /** When anything was last received. */
  heardAt: Instant = 0;
  pings = 0;
  stalls: Millis[] = []; // since then
  silentFor: Millis | undefined; // at its verdict
  peer: Side | undefined;

  constructor(end: LinkEnd, options: HeartbeatOptions) {
    this.end = end;
    this.driver = new HeartbeatDriver(options, end, {
      sendPing: ({ id }) => this.#sendText(encodeBeat({ type: 'ping', id })),
      sendPong: (id) => this.#sendText(encodeBeat({ type: 'pong', id })),
      emit: (...event) => this.#note(...event),
    });
  }

  get isDead(): boolean {
    return this.silentFor !== undefined;
  }

  /** An application message. */
  say(): void {
    if (this.isDead) return;
    this.driver.sent();
    this.#sendText('hello');
  }

  /** DESIGN law 14: the bound, and what the stalls since the last byte add to it. */
  get bound(): Millis {
    const { detectionBound, pingTimeout } = this.driver.heartbeat;
    const late = this.stalls.reduce((sum, lateBy) => sum + lateBy, 0);
    const probes = Math.min(3, this.stalls.length);
    return detectionBound + late + probes * (pingTimeout + VERDICT_WAIT + 2 * TIMER_SLACK);
  }

  #sendText(text: string): void {
    this.end.send(() => this.peer?.hear(text));
  }

  hear(text: string): void {
    if (this.isDead) return;
    this.heardAt = this.end.now();
    this.stalls = [];
    const beat = decodeBeat(text);
    if (beat === undefined) this.driver.receive();
    else this.driver.receiveBeat(beat);
  }

  #note(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping') this.pings += 1;
    if (name === 'stall') this.stalls.push(event.lateBy);
    if (name === 'dead') this.silentFor = this.end.now() - this.heardAt;
  }
}

export interface PairOptions {
  readonly near?: HeartbeatOptions;
  readonly far?: HeartbeatOptions;
  readonly path?: PathOptions;
}

/** Both ends of a connection that opens at 0. */
export class Pair {
  readonly time: VirtualScheduler = new VirtualScheduler();
  readonly link: Link;
  readonly near: Side;
  readonly far: Side;

  constructor({ near = TIMING, far = TIMING, path = {} }: PairOptions = {}) {
    this.link = new Link(this.time, { latency: 20, ...path });
    this.near = new Side(this.link.ends[0], near);
    this.far = new Side(this.link.ends[1], far);
    this.near.peer = this.far;
    this.far.peer = this.near;
    for (const { driver } of this.sides) driver.open();
  }

  get sides(): readonly Side[] {
    return [this.near, this.far];
  }

  expectLife(): void {
    expect(this.sides.map(({ isDead }) => isDead)).toEqual([false, false]);
  }

  /** Both have found the other dead, each within its bound. */
  expectDeath(): void {
    for (const { silentFor, bound } of this.sides) expect(silentFor).toBeLessThanOrEqual(bound);
  }
}
