import type { Millis, Scheduler } from '@wirebeat/core';

/** What goes over the wire for the sake of the heartbeat. */
export interface StudyBeat {
  readonly type: 'ping' | 'pong';
  readonly id?: string | undefined;
}

/** What a detector is given, and what it tells. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  /** For jitter and phases. */
  readonly random: () => number;
  readonly isHidden: boolean;
  send(beat: StudyBeat): void;
  suspect(): void;
  alive(): void;
  dead(): void;
  /** Our own stall was noticed: `lateBy` and so much `more` are added to the bound. */
  stalled(lateBy: Millis, more: Millis): void;
}

/** One that watches over one connection, from its opening on. */
export interface Detector {
  receive(beat: StudyBeat): void;
  /** The application sends a message: this goes first. */
  act(): void;
  /** The bound it publishes now; `Infinity` if it does not. */
  readonly bound: Millis;
  readonly pingTimeout: Millis;
}

/** A kind of detector, at its defaults. */
export interface Subject {
  readonly name: string;
  /** Where it lives. In a page there is no protocol Ping. */
  readonly home: 'page' | 'program';
  /** Whether it knows a peer that is suspect and not dead. */
  readonly suspects?: boolean;
  /** The user sends a message about once a second. */
  readonly isActing?: boolean;
  /** Whether its peer is the one that pings, so long after each pong. */
  readonly peerPings?: Millis;
  /** The one of engine.io that it is held against. */
  readonly rival?: string;
  /** Begins to watch a connection. `memory` outlives the connections to one peer. */
  attach(surroundings: Surroundings, memory: Map<string, unknown>): Detector;
}
