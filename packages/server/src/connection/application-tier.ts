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
  type TimingWheel,
} from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import type { TimingPolicy } from '../timing/timing-policy.ts';
import type { ConnectionEvents } from './events.ts';
import { pongValues } from './pong-values.ts';
import {
  Responsiveness,
  type ResponsivenessContext,
  type ResponsivenessPort,
} from './responsiveness.ts';

/** What an {@link ApplicationTier} needs of its connection. */
export interface ApplicationTierPort extends ResponsivenessPort {
  sendBeat(beat: Beat): void;
}

/** What the application tiers of one server share. */
export interface ApplicationTierContext extends ResponsivenessContext {
  /** The timers of the heartbeats. */
  readonly wheel: TimingWheel;
  /** Returns whether the event has a listener. */
  hasListener(name: keyof ConnectionEvents): boolean;
  readonly policy: TimingPolicy;
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
 * would ping the transport tier (`AHEAD` in timing-policy.ts). The application tier is `unresponsive` if it leaves that ping
 * unanswered while the transport tier answers: the page hangs, or is frozen and had no time to report
 * it. If the transport tier is silent too, the connection itself is at fault, and the transport tier
 * decides.
 */
export class ApplicationTier {
  readonly #port: ApplicationTierPort;
  readonly #context: ApplicationTierContext;
  readonly #driver: HeartbeatDriver;
  readonly #responsiveness: Responsiveness;
  #isWelcomed: boolean;
  #isMute = false; // it sends pings but never answers any

  /** `kept`: what a row has kept of the tier, if it was one. */
  constructor(port: ApplicationTierPort, context: ApplicationTierContext, kept?: KeptTier) {
    const { machine = context.policy.pageTiming, isWelcomed = false } = kept ?? {};
    this.#port = port;
    this.#context = context;
    this.#isWelcomed = isWelcomed;
    this.#responsiveness = new Responsiveness(port, context);
    this.#driver = new HeartbeatDriver(machine, kept?.scheduler ?? context.wheel, {
      sendPing: ({ id }) => port.sendBeat({ type: 'ping', id }),
      sendPong: () => {}, // the connection sends the pong
      emit: (...event) => this.#emit(...event),
      isPaused: () => port.isPaused,
    });
    if (this.heartbeat.status === 'idle') this.#driver.open();
  }

  /** Whether the client was sent the advertised timing. */
  get isWelcomed(): boolean {
    return this.#isWelcomed;
  }

  /** Whether a row can take the place of this object. */
  get isAtRest(): boolean {
    const { isSuspected, isLimited } = this.#responsiveness;
    return !isSuspected && !isLimited && !this.#isMute && !this.#driver.isAwaited;
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
    return !this.#responsiveness.isUnresponsive;
  }

  /**
   * Returns the values of the pong to `ping`, apart from the id, or `undefined` if there are none. A
   * ping without an id gets none, because its sender may compare the pong with a constant. `received`
   * is the wall clock when the ping arrived.
   */
  answerTo(ping: Beat, received: Millis, isBound: boolean): Values | undefined {
    if (ping.id === undefined) return undefined;
    const says = this.#isWelcomed ? undefined : this.#context.policy.welcome;
    this.#isWelcomed = true;
    return pongValues(ping, { received, isBound, says });
  }

  /** Handles a ping or pong from the client. */
  receiveBeat(beat: Beat): void {
    if (beat.type === 'pong' && this.#isMute) this.#unmute();
    this.#recover();
    const state = beat.type === 'ping' ? beat.values?.['state'] : undefined;
    if (isState(state) && !this.#isMute) {
      this.heartbeat.setPeerState(state);
      if (state === 'frozen') this.#responsiveness.limitSilence();
    }
    this.#driver.receiveBeat(beat);
  }

  /** Handles any other message from the client. */
  receiveMessage(now: Instant): void {
    this.#recover();
    this.heartbeat.receive(now);
  }

  /** Notes that the application is about to send a message to the client. */
  sending(now: Instant): void {
    const { heartbeat } = this;
    // If the client is silent, the transport tier pings, and one ping is enough.
    if (!heartbeat.isSilentTo(now)) heartbeat.sent(now);
  }

  /** The transport tier has answered, so the connection works. */
  transportAnswered(): void {
    this.#responsiveness.transportAnswered();
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
    this.#driver.pingWith(({ id }) => this.#port.sendBeat({ type: 'ping', id, values }));
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
  stopPinging(): void {
    this.#driver.suspend();
    this.#responsiveness.clear();
  }

  close(error: HeartbeatError): void {
    this.#responsiveness.clear();
    this.#driver.close(error);
  }

  #emit(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hasListener(name)) return;
      this.#port.emit(name, { ...event, tier: 'application' } as never);
    } else if (name === 'dead') this.#timedOut(event);
  }

  /** The machine has declared the tier dead. Restarts the machine, because the connection is alive. */
  #timedOut({ reason, silentFor }: HeartbeatEvents['dead']): void {
    const { heartbeat } = this;
    this.#driver.open();
    if (reason !== 'ping-timeout') return; // it sends data, so it is not silent
    heartbeat.setPeerState('frozen'); // no more pings until the client sends something
    this.#driver.rearm();
    this.#isMute = heartbeat.latency === undefined;
    if (this.#isMute) return; // it has never answered a ping, so the client may not support them
    this.#responsiveness.silent(silentFor);
  }

  /** The client has sent something, so the tier is responsive. */
  #recover(): void {
    this.#responsiveness.endLimit();
    if (!this.#responsiveness.isSuspected) return;
    const wasUnresponsive = this.#responsiveness.clear();
    this.heartbeat.setPeerState('visible');
    this.#driver.rearm();
    if (wasUnresponsive) this.#port.emit('responsive', {});
  }

  /** The tier has answered for the first time. */
  #unmute(): void {
    this.#isMute = false;
    this.heartbeat.setPeerState('visible');
  }
}

function isState(state: string | undefined): state is PeerState {
  return state === 'visible' || state === 'hidden' || state === 'frozen';
}
