import type { Millis, Scheduler } from '@wirebeat/core';

/** A ping or pong on the simulated network. */
export interface StudyBeat {
  readonly type: 'ping' | 'pong';
  readonly id?: string | undefined;
}

/** The environment of a detector, and the events that it reports. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  /** Returns random numbers for jitter and phases. */
  readonly random: () => number;
  readonly isHidden: boolean;
  send(beat: StudyBeat): void;
  suspect(): void;
  alive(): void;
  dead(): void;
  /** Reports a stall of our side: `lateBy` and `more` ms are added to the bound. */
  stalled(lateBy: Millis, more: Millis): void;
}

/** A detector that watches one connection from its opening on. */
export interface Detector {
  receive(beat: StudyBeat): void;
  /** Called before the application sends a message. */
  act(): void;
  /** Its current published bound in ms; `Infinity` if it has none. */
  readonly bound: Millis;
  readonly pingTimeout: Millis;
}

/** A kind of detector with its default settings. */
export interface Subject {
  readonly name: string;
  /** Where it runs. A page cannot send protocol Pings. */
  readonly home: 'page' | 'program';
  /** Whether it has the state `suspect`. */
  readonly suspects?: boolean;
  /** Whether the user sends a message about once per second. */
  readonly isActing?: boolean;
  /** If the peer pings: how long after each pong, in ms. */
  readonly peerPings?: Millis;
  /** The detector of engine.io that it is compared with. */
  readonly rival?: string;
  /** Starts to watch a connection. `memory` survives between the connections to one peer. */
  attach(surroundings: Surroundings, memory: Map<string, unknown>): Detector;
}
