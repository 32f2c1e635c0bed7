import type { Millis, Scheduler } from '../time.ts';
import { FreezableScheduler } from './freezable-scheduler.ts';
import { seededRandom } from './random.ts';
import { WallClock } from './wall-clock.ts';

/** The properties of a path. Durations are in ms. */
export interface PathOptions {
  /** How long each message takes. @default 0 */
  readonly latency?: Millis;
  /** The maximum random addition to the latency. Messages stay in order. @default 0 */
  readonly jitter?: Millis;
  /** The probability in [0, 1] that a transmission is lost. It is then sent again. @default 0 */
  readonly loss?: number;
  /** Returns random numbers in [0, 1). @default `seededRandom(1)` */
  readonly random?: () => number;
}

/** A message on its way. */
interface Segment {
  readonly receiver: Scheduler;
  readonly arrive: () => void;
  arrived: boolean;
}

/** The first retransmission timeout: the minimum of Linux. RFC 6298 (2.4) has 1 s. */
const RETRANSMISSION_TIMEOUT: Millis = 200;
/** The maximum of Linux. RFC 6298 (2.5) allows any maximum of at least 60 s. */
const MAX_RETRANSMISSION_TIMEOUT: Millis = 120_000;
/** The maximum number of retransmissions in Linux (`tcp_retries2`): about 15 min. */
const MAX_RETRANSMISSIONS = 15;

/**
 * One direction of a TCP connection: every message arrives, in order. A loss delays its message and
 * all messages behind it. Every property may be changed at any time.
 */
export class Path {
  latency: Millis;
  jitter: Millis;
  /** The probability of loss. 1 is an outage; messages sent during it arrive once it is lowered. */
  loss: number;
  readonly #world: Scheduler;
  readonly #random: () => number;
  readonly #segments: Set<Segment> = new Set(); // in the order of their sending
  #cut = false;

  constructor(scheduler: Scheduler, options: PathOptions = {}) {
    this.#world = scheduler instanceof FreezableScheduler ? scheduler.world : scheduler;
    this.latency = options.latency ?? 0;
    this.jitter = options.jitter ?? 0;
    this.loss = options.loss ?? 0;
    this.#random = options.random ?? seededRandom(1);
  }

  /**
   * If true, no message arrives any more, and no error is reported, as if a proxy had forgotten the
   * connection. Messages on the way are lost.
   */
  get cut(): boolean {
    return this.#cut;
  }

  set cut(cut: boolean) {
    this.#cut = cut;
    if (cut) this.#segments.clear();
  }

  /** Sends a message to the program of `receiver`, which then runs `arrive`. */
  carry(receiver: Scheduler, arrive: () => void): void {
    if (this.#cut) return;
    const segment = { receiver, arrive, arrived: false };
    this.#segments.add(segment);
    this.#transmit(segment, RETRANSMISSION_TIMEOUT, MAX_RETRANSMISSIONS);
  }

  #transmit(segment: Segment, timeout: Millis, retries: number): void {
    if (!this.#segments.has(segment)) return; // the path was cut
    const now = this.#world.now();
    if (retries < 0) this.cut = true;
    else if (this.#random() < this.loss) {
      // RFC 6298 (5.5): back off the timer.
      const next = Math.min(2 * timeout, MAX_RETRANSMISSION_TIMEOUT);
      this.#world.at(now + timeout, () => this.#transmit(segment, next, retries - 1));
    } else {
      const wait = this.latency + this.jitter * this.#random();
      this.#world.at(now + wait, () => this.#land(segment));
    }
  }

  /** Delivers messages in order: each waits for those before it. */
  #land(segment: Segment): void {
    segment.arrived = true;
    for (const first of this.#segments) {
      if (!first.arrived) return;
      this.#segments.delete(first);
      deliver(first);
    }
  }
}

function deliver({ receiver, arrive }: Segment): void {
  if (receiver instanceof FreezableScheduler) receiver.arrive(arrive);
  else arrive();
}

/** One end of a {@link Link}: a program with timers, a wall clock, and a path to the other end. */
export class LinkEnd extends FreezableScheduler {
  /** The path of the messages that this end sends. */
  readonly path: Path;
  readonly wallClock: WallClock;
  readonly #peer: () => LinkEnd;

  constructor(world: Scheduler, options: PathOptions, peer: () => LinkEnd) {
    super(world);
    this.path = new Path(world, options);
    this.wallClock = new WallClock(world);
    this.#peer = peer;
  }

  /** Sends a message: `arrive` runs at the other end. */
  send(arrive: () => void): void {
    this.path.carry(this.#peer(), arrive);
  }
}

/**
 * Two programs and one connection between them, in virtual time.
 *
 * Each end is the scheduler of its program. Code that should freeze with the program uses its
 * timers.
 */
export class Link {
  readonly ends: readonly [LinkEnd, LinkEnd];

  /** Both directions start with the same options. */
  constructor(world: Scheduler, options: PathOptions = {}) {
    const shared = { random: seededRandom(1), ...options };
    this.ends = [
      new LinkEnd(world, shared, () => this.ends[1]),
      new LinkEnd(world, shared, () => this.ends[0]),
    ];
  }

  /** Cuts both directions. For a half-open connection, set `path.cut` of one end. */
  cut(): void {
    for (const { path } of this.ends) path.cut = true;
  }
}
