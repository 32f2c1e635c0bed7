import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type LaneConditions, TcpLane } from './tcp-lane.ts';

/** From the client to the server, or back. */
export type Direction = 'outward' | 'homeward';

/** How often a limit is checked during its time. */
const LOOKS = 20;

/**
 * Carries one TCP connection between two sockets and can inject faults.
 *
 * Both sockets must have `allowHalfOpen`. Otherwise Node answers a FIN by itself, which a dead path
 * does not.
 */
export class TcpFlow {
  /** Resolves when both sockets are closed. */
  readonly ended: Promise<unknown>;
  readonly #near: Duplex;
  readonly #far: Duplex;
  readonly #lanes: Readonly<Record<Direction, TcpLane>>;
  readonly #timers: NodeJS.Timeout[] = [];

  /** `near` is the socket of the client, `far` the one of the server. */
  constructor(near: Duplex, far: Duplex) {
    this.#near = near;
    this.#far = far;
    this.#lanes = { outward: new TcpLane(near, far), homeward: new TcpLane(far, near) };
    this.ended = Promise.all([this.#watch(near, far), this.#watch(far, near)]);
    void this.ended.then(() => {
      for (const timer of this.#timers) clearInterval(timer);
    });
  }

  /** Whether nothing is carried any more in either direction. The ends do not know. */
  get isCut(): boolean {
    return this.#lanes.outward.isCut && this.#lanes.homeward.isCut;
  }

  /** Time added to the round trip, in ms. */
  get delay(): number {
    return this.#lanes.homeward.conditions.delay;
  }

  set delay(delay: number) {
    this.worsen({ delay }, 'homeward');
  }

  /** Sets the conditions of the path in one direction. Absent ones do not change. */
  worsen(conditions: Partial<LaneConditions>, direction: Direction): void {
    Object.assign(this.#lanes[direction].conditions, conditions);
  }

  /**
   * Stops carrying silently and permanently, like a path that is broken in the middle: no FIN, no RST.
   * Nothing that is sent arrives, nor does a close. With a direction, only that direction is lost.
   */
  cut(direction?: Direction): void {
    if (direction !== 'homeward') this.#lanes.outward.cut();
    if (direction !== 'outward') this.#lanes.homeward.cut();
  }

  /** Holds everything back until {@link resume}. Nothing is lost. */
  freeze(direction?: Direction): void {
    if (direction !== 'homeward') this.#lanes.outward.freeze();
    if (direction !== 'outward') this.#lanes.homeward.freeze();
  }

  resume(): void {
    this.#lanes.outward.resume();
    this.#lanes.homeward.resume();
  }

  /** Sends a FIN to both ends, like a proxy that closes normally. */
  finish(): void {
    this.#near.end();
    this.#far.end();
  }

  /** Sends an RST to both ends, like a proxy that crashed or a middlebox that lost its state. */
  reset(): void {
    for (const socket of [this.#near, this.#far]) (socket as Socket).resetAndDestroy();
  }

  /**
   * Ends the connection, as reverse proxies do, when nothing was read from that side for `limit` ms.
   * Traffic in the other direction does not count.
   */
  limitSilence(limit: number, direction: Direction): void {
    const lane = this.#lanes[direction];
    lane.heardAt = performance.now();
    const look = () => performance.now() - lane.heardAt >= limit && this.finish();
    this.#timers.push(setInterval(look, limit / LOOKS));
  }

  /** Ends the connection `limit` ms from now, whatever it carries. */
  limitAge(limit: number): void {
    this.#timers.push(setTimeout(() => this.finish(), limit));
  }

  /** Closes both connections. */
  destroy(): void {
    this.cut();
    this.#near.destroy();
    this.#far.destroy();
  }

  #watch(socket: Duplex, other: Duplex): Promise<void> {
    // A reset overtakes what is still held back: its sender does not want it delivered.
    socket.on('error', () => {
      if (!this.#isCutFrom(socket)) other.destroy();
    });
    socket.on('end', () => this.#tidy());
    return new Promise((resolve) => {
      socket.on('close', () => {
        this.#tidy();
        resolve();
      });
    });
  }

  #isCutFrom(socket: Duplex): boolean {
    return this.#lanes[socket === this.#near ? 'outward' : 'homeward'].isCut;
  }

  /** Destroys a cut connection once both ends have left it. */
  #tidy(): void {
    const hasLeft = (socket: Duplex) => socket.readableEnded || socket.destroyed;
    const { outward, homeward } = this.#lanes;
    const isHurt = outward.isCut || homeward.isCut;
    if (isHurt && hasLeft(this.#near) && hasLeft(this.#far)) this.destroy();
  }
}
