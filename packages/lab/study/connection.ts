import type { Instant, Millis } from '@wirebeat/core';
import type { Direction, Network, Schedule } from './network.ts';
import { Program } from './program.ts';
import type { Detector, StudyBeat, Subject, Surroundings } from './subject.ts';
import type { World } from './world.ts';

/** Where a connection is made, and who watches over it. */
export interface Scene {
  readonly world: World;
  readonly network: Network;
  readonly schedule: Schedule;
  readonly subject: Subject;
  readonly random: () => number;
  readonly memory: Map<string, unknown>;
  /** From here nothing arrives any more. */
  readonly cutAt: Instant;
}

/** A message a second or so. */
const MESSAGE_GAP = { min: 500, max: 1_500 };

/** One connection from its opening to its verdict, and what was seen of it. */
export class Connection {
  suspicions = 0;
  /** Since when the peer has been suspect; undefined if it is not. */
  suspectAt: Instant | undefined;
  deadAt: Instant | undefined;
  pings = 0;
  /** Whether it died later than it had promised. */
  isBoundExceeded = false;
  /** Whether it died although an answer was there in time, and only had not been read. */
  wasAnswered = false;

  readonly #scene: Scene;
  readonly #program: Program;
  readonly #lastArrival: [Instant, Instant] = [0, 0];
  readonly #unread: Set<{ readonly latency: Millis }> = new Set(); // pongs that are here
  #detector: Detector | undefined;
  #lastRead: Instant;
  #bound: Millis = 0;
  #allowance: Millis = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#program = new Program(scene.world, scene.schedule);
    this.#lastRead = scene.world.now;
    const { subject, memory } = scene;
    const detector = subject.attach(this.#surroundings(), memory);
    this.#detector = detector;
    this.#lookAtBound();
    if (subject.peerPings !== undefined) this.#peerWaits(subject.peerPings);
    if (subject.isActing) this.#act(detector);
  }

  #surroundings(): Surroundings {
    const { network, random } = this.#scene;
    return {
      scheduler: this.#program,
      random,
      isHidden: network.isPage === true,
      send: (beat) => this.#send(beat),
      suspect: () => {
        this.suspicions += 1;
        this.suspectAt = this.#now;
      },
      alive: () => {
        this.suspectAt = undefined;
      },
      dead: () => this.#die(),
      stalled: (lateBy, more) => {
        // What a program was late by while it did not run at all is taken off in the end.
        this.#allowance += more + (network.isPage ? lateBy : 0);
      },
    };
  }

  get #now(): Instant {
    return this.#scene.world.now;
  }

  #send(beat: StudyBeat): void {
    if (this.deadAt !== undefined) return;
    const sentAt = this.#now;
    if (beat.type === 'ping') this.pings += 1;
    this.#carry(0, () => this.#peerReceives(beat, sentAt));
    this.#lookAtBound();
  }

  /** The peer answers at once, and one that pings does so a while after each answer to it. */
  #peerReceives(beat: StudyBeat, sentAt: Instant): void {
    if (beat.type === 'ping') this.#carry(1, () => this.#arrive({ ...beat, type: 'pong' }, sentAt));
    else if (this.#scene.subject.peerPings !== undefined) {
      this.#peerWaits(this.#scene.subject.peerPings);
    }
  }

  #peerWaits(pingInterval: Millis): void {
    this.#scene.world.plan(this.#now + pingInterval, () => {
      this.pings += 1;
      this.#carry(1, () => this.#arrive({ type: 'ping' }, this.#now));
    });
  }

  /** It is there when the network has brought it, and all that was sent before it. */
  #carry(direction: Direction, arrive: () => void): void {
    const { world, schedule, cutAt } = this.#scene;
    const at = Math.max(schedule.arrival(world.now, direction), this.#lastArrival[direction]);
    this.#lastArrival[direction] = at;
    if (at < cutAt) world.plan(at, arrive);
  }

  #arrive(beat: StudyBeat, sentAt: Instant): void {
    const pong = { latency: this.#now - sentAt };
    this.#unread.add(pong);
    this.#program.arrive(() => {
      this.#unread.delete(pong);
      if (this.deadAt !== undefined) return;
      this.#lastRead = this.#now;
      this.#bound = this.#allowance = 0;
      this.#detector?.receive(beat);
      this.#lookAtBound();
    });
  }

  #act(detector: Detector): void {
    const gap = MESSAGE_GAP.min + (MESSAGE_GAP.max - MESSAGE_GAP.min) * this.#scene.random();
    this.#program.at(this.#now + Math.round(gap), () => {
      if (this.deadAt !== undefined) return;
      detector.act();
      this.#act(detector);
    });
  }

  #lookAtBound(): void {
    if (this.#detector !== undefined) this.#bound = Math.max(this.#bound, this.#detector.bound);
  }

  #die(): void {
    if (this.deadAt !== undefined) return;
    this.deadAt = this.#now;
    const timeout = this.#detector?.pingTimeout ?? 0;
    this.wasAnswered = [...this.#unread].some(({ latency }) => latency <= timeout);
    const silence = this.#now - this.#lastRead - this.#program.stalledSince(this.#lastRead);
    this.isBoundExceeded = silence > this.#bound + this.#allowance;
  }
}
