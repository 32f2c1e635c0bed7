import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type LaneConditions, TcpLane } from './tcp-lane.ts';

/** From the one who dialled to the one who is dialled, or back. */
export type Direction = 'outward' | 'homeward';

/** How often a limit is looked at, as a part of it. */
const LOOKS = 20;

/**
 * Carries one TCP connection between two sockets, and can be hurt.
 *
 * Both sockets must have `allowHalfOpen`: else Node answers a FIN by itself, which a dead path
 * does not.
 */
export class TcpFlow {
  /** Resolves when both sockets are closed. */
  readonly ended: Promise<unknown>;
  readonly #near: Duplex;
  readonly #far: Duplex;
  readonly #lanes: Readonly<Record<Direction, TcpLane>>;
  readonly #timers: NodeJS.Timeout[] = [];

  /** `near` is the one who dialled, `far` who is dialled. */
  constructor(near: Duplex, far: Duplex) {
    this.#near = near;
    this.#far = far;
    this.#lanes = { outward: new TcpLane(near, far), homeward: new TcpLane(far, near) };
    this.ended = Promise.all([this.#watch(near, far), this.#watch(far, near)]);
    void this.ended.then(() => {
      for (const timer of this.#timers) clearInterval(timer);
    });
  }

  /** Whether nothing is carried any more, either way: its ends do not know. */
  get isCut(): boolean {
    return this.#lanes.outward.isCut && this.#lanes.homeward.isCut;
  }

  /** Added to the round trip, in ms. */
  get delay(): number {
    return this.#lanes.homeward.conditions.delay;
  }

  set delay(delay: number) {
    this.worsen({ delay }, 'homeward');
  }

  /** Sets what the path does to what goes that way. What is absent stays as it is. */
  worsen(conditions: Partial<LaneConditions>, direction: Direction): void {
    Object.assign(this.#lanes[direction].conditions, conditions);
  }

  /**
   * Stops carrying, silently and for good, like a path whose middle has gone: no FIN, no RST. What
   * is sent arrives nowhere, nor does the news that an end has closed. Given a direction, only what
   * goes that way is lost.
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

  /** Both ends get a FIN, as from a proxy that ends in good order. */
  finish(): void {
    this.#near.end();
    this.#far.end();
  }

  /** Both ends get an RST, as from a proxy that crashed or a middle that forgot them. */
  reset(): void {
    for (const socket of [this.#near, this.#far]) (socket as Socket).resetAndDestroy();
  }

  /**
   * Ends the flow, as reverse proxies do, once nothing was read from that side for `limit` ms: what goes
   * the other way does not count.
   */
  limitSilence(limit: number, direction: Direction): void {
    const lane = this.#lanes[direction];
    lane.heardAt = performance.now();
    const look = () => performance.now() - lane.heardAt >= limit && this.finish();
    this.#timers.push(setInterval(look, limit / LOOKS));
  }

  /** Ends the flow `limit` ms from now, whatever it carries. */
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
    // A reset passes on what is still held back: whoever resets wants no more of it.
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

  /** A cut flow that both ends have left is of no use to anybody. */
  #tidy(): void {
    const hasLeft = (socket: Duplex) => socket.readableEnded || socket.destroyed;
    const { outward, homeward } = this.#lanes;
    const isHurt = outward.isCut || homeward.isCut;
    if (isHurt && hasLeft(this.#near) && hasLeft(this.#far)) this.destroy();
  }
}
