import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';
import type { ConnectionEvents } from './events.ts';

/** What {@link Responsiveness} needs of its tier. */
export interface ResponsivenessPort {
  /** When anything was last received from either tier. */
  readonly lastReceived: Instant;
  emit<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void;
  /** Whether the application has paused the socket, so that nothing is read. */
  readonly isPaused: boolean;
  /** Closes the connection because the tier is unresponsive. */
  giveUp(): void;
}

/** What the tiers of one server share. */
export interface ResponsivenessContext {
  readonly scheduler: Scheduler;
  readonly whenUnresponsive: 'report' | 'terminate' | false;
  /** How long the tier may be unresponsive, or report that it is frozen, in ms. */
  readonly maxUnresponsive: Millis;
}

/**
 * Whether the application tier of a client responds. It is unresponsive if it is silent while the
 * transport tier answers. If both are silent, the transport tier decides whether the connection is dead.
 */
export class Responsiveness {
  readonly #port: ResponsivenessPort;
  readonly #context: ResponsivenessContext;
  #silentFrom: Instant | undefined; // when it last sent anything, while the transport tier is silent too
  #isUnresponsive = false;
  #limit: Timer | undefined;

  constructor(port: ResponsivenessPort, context: ResponsivenessContext) {
    this.#port = port;
    this.#context = context;
  }

  get isUnresponsive(): boolean {
    return this.#isUnresponsive;
  }

  /** Whether the tier is silent or unresponsive. */
  get isSuspected(): boolean {
    return this.#silentFrom !== undefined || this.#isUnresponsive;
  }

  /** The tier has sent nothing for `silentFor` ms although it should have. */
  silent(silentFor: Millis): void {
    this.#silentFrom = this.#context.scheduler.now() - silentFor;
    if (this.#port.lastReceived > this.#silentFrom) this.transportAnswered();
  }

  /** The transport tier has answered, so the connection works. */
  transportAnswered(): void {
    const silentFrom = this.#silentFrom;
    if (silentFrom === undefined) return;
    this.#silentFrom = undefined;
    this.#isUnresponsive = true;
    this.limitSilence();
    this.#port.emit('unresponsive', { silentFor: this.#context.scheduler.now() - silentFrom });
    if (this.#context.whenUnresponsive === 'terminate') this.#port.giveUp();
  }

  /** Whether the time is limited until which the tier must send something. */
  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** Gives up after `maxUnresponsive` unless the tier sends something before. */
  limitSilence(): void {
    const { scheduler, maxUnresponsive } = this.#context;
    this.endLimit();
    if (maxUnresponsive === Number.POSITIVE_INFINITY) return;
    this.#limit = scheduler.at(scheduler.now() + maxUnresponsive, () => {
      if (this.#port.isPaused)
        this.limitSilence(); // the client may have sent something that is not read yet
      else this.#port.giveUp();
    });
  }

  endLimit(): void {
    this.#limit?.cancel();
    this.#limit = undefined;
  }

  /** The tier counts as responsive again. Returns whether it was unresponsive. */
  clear(): boolean {
    const wasUnresponsive = this.#isUnresponsive;
    this.endLimit();
    this.#silentFrom = undefined;
    this.#isUnresponsive = false;
    return wasUnresponsive;
  }
}
