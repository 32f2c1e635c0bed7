import {
  type Beat,
  type HeartbeatError,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  Pacer,
  type PeerState,
  type PingOrder,
  type Scheduler,
  type Sleeper,
  type Timer,
  type TimingWheel,
  type WheelEntry,
} from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import { NO_ENTRY } from '../timing/ping-scheduler.ts';
import type { TimingPolicy } from '../timing/timing-policy.ts';
import type { ConnectionEvents } from './events.ts';

/** What a {@link ApplicationTier} needs of its connection. */
export interface ApplicationTierPort {
  tell<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void;
  sendBeat(beat: Beat): void;
  /** When anything was last received, from the page or from its WebSocket layer. */
  readonly lastReceived: Instant;
  /** Whether nothing is read, because the application has paused the socket. */
  isPaused(): boolean;
  /** It was unresponsive for too long. */
  giveUp(): void;
}

/** How the pages of one server are judged. */
export interface ApplicationTierContext {
  readonly scheduler: Scheduler;
  /** What wakes it. */
  readonly wheel: TimingWheel;
  /** Whether anybody listens to these events. */
  hears(name: keyof ConnectionEvents): boolean;
  readonly fleet: TimingPolicy;
  readonly whenUnresponsive: 'report' | 'terminate' | false;
  /** How long a page may be unresponsive, or say that it is frozen. */
  readonly maxUnresponsive: Millis;
}

/**
 * The application tier of one connection: what a client says that speaks, what it is told, and
 * whether it still answers. It is met at the client's first application ping; a client that sends
 * none has no page.
 *
 * The page drives the beat. Where it is silent it is asked, a little before its WebSocket layer
 * would be. A page that leaves that unanswered while the layer answers is `unresponsive`: it hangs,
 * or is frozen and had no time to say so. If the layer is silent as well, it is the link, and the
 * verdict is the transport's.
 */
export class ApplicationTier extends Pacer implements Sleeper {
  readonly #shell: ApplicationTierPort;
  readonly #context: ApplicationTierContext;
  #entry: WheelEntry;
  #isWelcomed = false;
  #silentFrom: Instant | undefined; // when it was last heard, if it has left a ping unanswered
  #isUnresponsive = false;
  #isMute = false; // it sends pings, and answers none
  #limit: Timer | undefined;

  constructor(shell: ApplicationTierPort, context: ApplicationTierContext) {
    super(context.fleet.pageTiming);
    this.#shell = shell;
    this.#context = context;
    this.#entry = context.wheel.add(Number.POSITIVE_INFINITY, this);
    this.open();
  }

  /** Its last latency; undefined until the first. */
  get latency(): Millis | undefined {
    return this.heartbeat.latency;
  }

  /** Whether it answers, as far as is known. */
  get isResponsive(): boolean {
    return !this.#isUnresponsive;
  }

  /**
   * What the pong to `ping` says beside the id; nothing where there is none, for a peer that sends
   * bare pings may wait for the constant. `received` is the wall clock as the ping came.
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

  /** It sent a beat. */
  override receiveBeat(beat: Beat): void {
    if (beat.type === 'pong' && this.#isMute) this.#unmute();
    this.#revive();
    const state = beat.type === 'ping' ? beat.values?.['state'] : undefined;
    if (isState(state) && !this.#isMute) {
      this.heartbeat.setPeerState(state);
      if (state === 'frozen') this.#limitSilence();
    }
    super.receiveBeat(beat);
  }

  /** It sent a message. */
  spoke(now: Instant): void {
    this.#revive();
    this.heartbeat.receive(now);
  }

  /** The application is about to send it something. */
  spokenTo(now: Instant): void {
    const { heartbeat } = this;
    if (!heartbeat.isSilentTo(now)) heartbeat.sent(now); // else the transport asks, and one is enough
  }

  /** Its WebSocket layer has answered, so the link is well. */
  layerAnswered(): void {
    if (this.#silentFrom !== undefined) this.#accuse(this.#silentFrom);
  }

  /** Tells it more than it was told at first. */
  announce(values: Values): void {
    this.notify(({ id }) => this.#shell.sendBeat({ type: 'ping', id, values }));
  }

  /** Neither asked nor judged any more. */
  rest(): void {
    this.suspend();
    this.#forgive();
  }

  override close(error: HeartbeatError): boolean {
    this.#forgive();
    this.#context.wheel.remove(this.#entry);
    this.#entry = NO_ENTRY;
    return super.close(error);
  }

  // What its pacer wants.

  protected get scheduler(): Scheduler {
    return this.#context.scheduler;
  }

  protected sendPing({ id }: PingOrder): void {
    this.#shell.sendBeat({ type: 'ping', id });
  }

  protected sendPong(): void {} // the connection sends it

  protected override isPaused(): boolean {
    return this.#shell.isPaused();
  }

  protected get alarm(): this {
    return this;
  }

  set(due: Instant): void {
    this.#context.wheel.move(this.#entry, due);
  }

  cancel(): void {} // to be woken too often costs less than to be taken out of the wheel

  wake(): void {
    this.tick();
  }

  protected emit<Name extends keyof HeartbeatEvents>(
    name: Name,
    event: HeartbeatEvents[Name],
  ): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hears(name)) return;
      this.#shell.tell(name, { ...event, tier: 'application' } as never);
    } else if (name === 'dead') this.#fellSilent(event as HeartbeatEvents['dead']);
  }

  /** The machine is done with it, and begins anew: the connection lives. */
  #fellSilent({ reason, silentFor }: HeartbeatEvents['dead']): void {
    const { heartbeat } = this;
    this.open();
    if (reason !== 'ping-timeout') return; // it sends, so it is not silent
    heartbeat.setPeerState('frozen'); // until it speaks it is not asked
    this.retimed();
    this.#isMute = heartbeat.latency === undefined;
    if (this.#isMute) return; // it never answered, so it may not know how
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
      if (this.isPaused())
        this.#limitSilence(); // it may have spoken: nobody has read it
      else this.#shell.giveUp();
    });
  }

  /** It speaks. */
  #revive(): void {
    this.#limit?.cancel();
    this.#limit = undefined;
    if (this.#silentFrom === undefined && !this.#isUnresponsive) return;
    const wasUnresponsive = this.#isUnresponsive;
    this.#forgive();
    this.heartbeat.setPeerState('visible');
    this.retimed();
    if (wasUnresponsive) this.#shell.tell('responsive', {});
  }

  /** It has answered after all. */
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
