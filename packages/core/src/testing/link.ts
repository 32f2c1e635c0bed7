import type { Millis, Scheduler } from '../time.ts';
import { FreezableScheduler } from './freezable-scheduler.ts';
import { seededRandom } from './random.ts';
import { WallClock } from './wall-clock.ts';

/** What a path does to its messages. */
export interface PathOptions {
  /** How long each message takes. @default 0 */
  readonly latency?: Millis;
  /** How much longer chance may make it. Messages keep their order. @default 0 */
  readonly jitter?: Millis;
  /** How likely each transmission is to be lost. Lost ones are sent again. @default 0 */
  readonly loss?: number;
  /** Source of chance, in [0, 1). @default `seededRandom(1)` */
  readonly random?: () => number;
}

/** A message on its way. */
interface Segment {
  readonly receiver: Scheduler;
  readonly arrive: () => void;
  arrived: boolean;
}

/** The first wait for an acknowledgement: the least of Linux. RFC 6298 (2.4) says a second. */
const RETRANSMISSION_TIMEOUT: Millis = 200;
/** The longest, that of Linux. RFC 6298 (2.5) allows any from 60 s. */
const MAX_RETRANSMISSION_TIMEOUT: Millis = 120_000;
/** Linux gives up after so many retransmissions in vain, `tcp_retries2`: after about 15 min. */
const MAX_RETRANSMISSIONS = 15;

/**
 * One direction of a connection, as TCP shows it: every message arrives, in order. A loss is seen
 * as a delay of its message and of all behind it. Every property may be changed at any time.
 */
export class Path {
  latency: Millis;
  jitter: Millis;
  /** 1 is an outage, which ends when it is lowered: what was sent meanwhile comes then. */
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
   * What is on its way or sent arrives nowhere, also later, and nobody is told: as when a proxy
   * has forgotten the connection.
   */
  get cut(): boolean {
    return this.#cut;
  }

  set cut(cut: boolean) {
    this.#cut = cut;
    if (cut) this.#segments.clear();
  }

  /** Sends a message to the program of `receiver`, where `arrive` then runs. */
  carry(receiver: Scheduler, arrive: () => void): void {
    if (this.#cut) return;
    const segment = { receiver, arrive, arrived: false };
    this.#segments.add(segment);
    this.#transmit(segment, RETRANSMISSION_TIMEOUT, MAX_RETRANSMISSIONS);
  }

  #transmit(segment: Segment, timeout: Millis, retries: number): void {
    if (!this.#segments.has(segment)) return; // cut meanwhile
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

  /** Hands over all that is complete: a message waits for those before it. */
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
  /** What this end sends takes this path. */
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
 * Each end is the scheduler of its program: whatever is to freeze with it takes its timers from it.
 */
export class Link {
  readonly ends: readonly [LinkEnd, LinkEnd];

  /** Both directions begin alike. */
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
