import {
  type Beat,
  type Heartbeat,
  HeartbeatDriver,
  type HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PeerState,
  type PingOptions,
  type Scheduler,
  type Timer,
  type TimingWheel,
} from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import type { TimingPolicy } from '../timing/timing-policy.ts';
import type { ConnectionEvents } from './events.ts';

/** What an {@link ApplicationTier} needs of its connection. */
export interface ApplicationTierPort {
  tell<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void;
  sendBeat(beat: Beat): void;
  /** When anything was last received from either tier. */
  readonly lastReceived: Instant;
  /** Whether the application has paused the socket, so that nothing is read. */
  readonly isPaused: boolean;
  /** Closes the connection because the tier was unresponsive for too long. */
  giveUp(): void;
}

/** What the application tiers of one server share. */
export interface ApplicationTierContext {
  readonly scheduler: Scheduler;
  /** The timers of the heartbeats. */
  readonly wheel: TimingWheel;
  /** Returns whether the event has a listener. */
  hears(name: keyof ConnectionEvents): boolean;
  readonly fleet: TimingPolicy;
  readonly whenUnresponsive: 'report' | 'terminate' | false;
  /** How long the tier may be unresponsive, or report that it is frozen, in ms. */
  readonly maxUnresponsive: Millis;
}

/** What an {@link ApplicationTier} takes over from a row. */
export interface KeptTier {
  readonly machine: Heartbeat;
  readonly isWelcomed: boolean;
  readonly scheduler: Scheduler;
}

/**
 * The application tier of one connection: reads the client's application pings, chooses what their
 * answers say, and checks whether the client still answers. Created on the client's first application
 * ping. A client that sends none has no application tier.
 *
 * Normally the client pings. If it is silent, the server pings the application tier a little before it
 * would ping the transport tier. The application tier is `unresponsive` if it leaves that ping
 * unanswered while the transport tier answers: the page hangs, or is frozen and had no time to report
 * it. If the transport tier is silent too, the connection itself is at fault, and the transport tier
 * decides.
 */
export class ApplicationTier {
  readonly #shell: ApplicationTierPort;
  readonly #context: ApplicationTierContext;
  readonly #driver: HeartbeatDriver;
  #isWelcomed: boolean;
  #silentFrom: Instant | undefined; // when it last sent anything, if it has left a ping unanswered
  #isUnresponsive = false;
  #isMute = false; // it sends pings but never answers any
  #limit: Timer | undefined;

  /** `kept`: what a row has kept of the tier, if it was one. */
  constructor(shell: ApplicationTierPort, context: ApplicationTierContext, kept?: KeptTier) {
    const { machine = context.fleet.pageTiming, isWelcomed = false } = kept ?? {};
    this.#shell = shell;
    this.#context = context;
    this.#isWelcomed = isWelcomed;
    this.#driver = new HeartbeatDriver(machine, kept?.scheduler ?? context.wheel, {
      sendPing: ({ id }) => shell.sendBeat({ type: 'ping', id }),
      sendPong: () => {}, // the connection sends the pong
      emit: (...event) => this.#emit(...event),
      get isPaused() {
        return shell.isPaused;
      },
    });
    if (this.heartbeat.status === 'idle') this.#driver.open();
  }

  /** Whether the client was sent what the server asks for. */
  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** Whether a row can take the place of this object. */
  get isAtRest(): boolean {
    const isSuspected = this.#silentFrom !== undefined || this.#isUnresponsive || this.#isMute;
    return !isSuspected && this.#limit === undefined && !this.#driver.isAwaited;
  }

  get heartbeat(): HeartbeatDriver['heartbeat'] {
    return this.#driver.heartbeat;
  }

  /** The last latency of the tier in ms, or `undefined` before the first pong. */
  get latency(): Millis | undefined {
    return this.heartbeat.latency;
  }

  /** `false` while the tier is unresponsive. */
  get isResponsive(): boolean {
    return !this.#isUnresponsive;
  }

  /**
   * Returns the values of the pong to `ping`, apart from the id, or `undefined` if there are none. A
   * ping without an id gets none, because its sender may compare the pong with a constant. `received`
   * is the wall clock when the ping arrived.
   */
  answerTo(ping: Beat, received: Millis, isBound: boolean): Values | undefined {
    if (ping.id === undefined) return undefined;
    const asksForClock = ping.values?.['clock'] === '1';
    const says = this.#isWelcomed ? undefined : this.#context.fleet.welcome;
    this.#isWelcomed = true;
    if (!isBound && says === undefined && !asksForClock) return undefined;
    return {
      ...(isBound && { session: 'ok' }),
      ...says,
      ...(asksForClock && { received: String(received), sent: String(Date.now()) }),
    };
  }

  /** Handles a ping or pong from the client. */
  receiveBeat(beat: Beat): void {
    if (beat.type === 'pong' && this.#isMute) this.#unmute();
    this.#revive();
    const state = beat.type === 'ping' ? beat.values?.['state'] : undefined;
    if (isState(state) && !this.#isMute) {
      this.heartbeat.setPeerState(state);
      if (state === 'frozen') this.#limitSilence();
    }
    this.#driver.receiveBeat(beat);
  }

  /** Handles any other message from the client. */
  spoke(now: Instant): void {
    this.#revive();
    this.heartbeat.receive(now);
  }

  /** Notes that the application is about to send a message to the client. */
  spokenTo(now: Instant): void {
    const { heartbeat } = this;
    // If the client is silent, the transport tier pings, and one ping is enough.
    if (!heartbeat.isSilentTo(now)) heartbeat.sent(now);
  }

  /** The transport tier has answered, so the connection works. */
  layerAnswered(): void {
    if (this.#silentFrom !== undefined) this.#accuse(this.#silentFrom);
  }

  /** Pings the tier now: see {@link HeartbeatDriver.ping}. */
  ping(options?: PingOptions): Promise<Millis> {
    return this.#driver.ping(options);
  }

  /** Pings the tier now because it may not respond: see {@link HeartbeatDriver.probe}. */
  probe(shortTimeout: Millis): void {
    this.#driver.probe(shortTimeout);
  }

  /** Stops all deadlines until {@link resume}. */
  suspend(): void {
    this.#driver.suspend();
  }

  /** Ends {@link suspend}, and pings again. */
  resume(): void {
    this.#driver.resume();
  }

  /** Sends values to the client in a ping. */
  announce(values: Values): void {
    this.#driver.pingWith(({ id }) => this.#shell.sendBeat({ type: 'ping', id, values }));
  }

  /** Handles what is due. */
  tick(): void {
    this.#driver.tick();
  }

  /** Sets the timer for a machine that is in use already. */
  rearm(): void {
    this.#driver.rearm();
  }

  /** Cancels the timer, because a row takes the place of this object. */
  release(): void {
    this.#driver.release();
  }

  /** Stops pinging the tier and checking its answers. */
  rest(): void {
    this.#driver.suspend();
    this.#forgive();
  }

  close(error: HeartbeatError): void {
    this.#forgive();
    this.#driver.close(error);
  }

  #emit(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hears(name)) return;
      this.#shell.tell(name, { ...event, tier: 'application' } as never);
    } else if (name === 'dead') this.#fellSilent(event);
  }

  /** The machine has declared the tier dead. Restarts the machine, because the connection is alive. */
  #fellSilent({ reason, silentFor }: HeartbeatEvents['dead']): void {
    const { heartbeat } = this;
    this.#driver.open();
    if (reason !== 'ping-timeout') return; // it sends data, so it is not silent
    heartbeat.setPeerState('frozen'); // no more pings until the client sends something
    this.#driver.rearm();
    this.#isMute = heartbeat.latency === undefined;
    if (this.#isMute) return; // it has never answered a ping, so the client may not support them
    const silentFrom = this.#context.scheduler.now() - silentFor;
    this.#silentFrom = silentFrom;
    if (this.#shell.lastReceived > silentFrom) this.#accuse(silentFrom);
  }

  #accuse(silentFrom: Instant): void {
    this.#silentFrom = undefined;
    this.#isUnresponsive = true;
    this.#limitSilence();
    this.#shell.tell('unresponsive', { silentFor: this.#context.scheduler.now() - silentFrom });
    if (this.#context.whenUnresponsive === 'terminate') this.#shell.giveUp();
  }

  #limitSilence(): void {
    const { scheduler, maxUnresponsive } = this.#context;
    this.#limit?.cancel();
    if (maxUnresponsive === Number.POSITIVE_INFINITY) return;
    const due = scheduler.now() + maxUnresponsive;
    this.#limit = scheduler.at(due, () => {
      if (this.#shell.isPaused)
        this.#limitSilence(); // the client may have sent something that is not read yet
      else this.#shell.giveUp();
    });
  }

  /** The client has sent something, so the tier is responsive. */
  #revive(): void {
    this.#limit?.cancel();
    this.#limit = undefined;
    if (this.#silentFrom === undefined && !this.#isUnresponsive) return;
    const wasUnresponsive = this.#isUnresponsive;
    this.#forgive();
    this.heartbeat.setPeerState('visible');
    this.#driver.rearm();
    if (wasUnresponsive) this.#shell.tell('responsive', {});
  }

  /** The tier has answered for the first time. */
  #unmute(): void {
    this.#isMute = false;
    this.heartbeat.setPeerState('visible');
  }

  #forgive(): void {
    this.#limit?.cancel();
    this.#limit = this.#silentFrom = undefined;
    this.#isUnresponsive = false;
  }
}

function isState(state: string | undefined): state is PeerState {
  return state === 'visible' || state === 'hidden' || state === 'frozen';
}
