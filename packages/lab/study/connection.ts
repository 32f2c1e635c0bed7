import type { Instant, Millis } from '@wirebeat/core';
import type { Direction, Network, Schedule } from './network.ts';
import { Program } from './program.ts';
import type { Detector, StudyBeat, Subject, Surroundings } from './subject.ts';
import type { World } from './world.ts';

/** The surroundings of a connection, and its detector. */
export interface Scene {
  readonly world: World;
  readonly network: Network;
  readonly schedule: Schedule;
  readonly subject: Subject;
  readonly random: () => number;
  readonly memory: Map<string, unknown>;
  /** Nothing arrives from this instant on. */
  readonly cutAt: Instant;
}

/** About one message per second. */
const MESSAGE_GAP = { min: 500, max: 1_500 };

/** One connection from its opening to its verdict, with the observations. */
export class Connection {
  suspicions = 0;
  /** When the peer became suspect, or `undefined` if it is not. */
  suspectAt: Instant | undefined;
  deadAt: Instant | undefined;
  pings = 0;
  /** Whether it was declared dead later than its bound promised. */
  isBoundExceeded = false;
  /** Whether it was declared dead although an answer had arrived in time but was not read yet. */
  wasAnswered = false;

  readonly #scene: Scene;
  readonly #program: Program;
  readonly #lastArrival: [Instant, Instant] = [0, 0];
  readonly #unread: Set<{ readonly latency: Millis }> = new Set(); // pongs that have arrived
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
        // The lateness of a program while it did not run at all is subtracted in the end.
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

  /** The peer answers at once. A peer that pings does so some time after each answer. */
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

  /** Delivers a message when the network has delivered it and everything sent before it. */
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
