import type { PeerMemory } from '../machine/peer-memory.ts';
import type { Timing } from '../machine/timing.ts';
import type { HeartbeatOptions } from '../options.ts';
import type { Scheduler } from '../time.ts';
import { LazyTimer } from '../timers/lazy-timer.ts';
import { type HeartbeatEvents, Pacer, type PingOrder, type Wake } from './pacer.ts';

/** What a {@link HeartbeatDriver} needs from its owner. No method may throw. */
export interface HeartbeatPort {
  sendPing(ping: PingOrder): void;
  sendPong(id: string | undefined): void;
  emit<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void;
  /** The bytes that the socket has not sent yet. A ping behind them gets more time. @default 0 */
  buffered?(): number;
  /** Whether the application has paused the socket. @default false */
  isPaused?(): boolean;
}

/** A {@link Pacer} with its own timer. Sends and emits through a {@link HeartbeatPort}. */
export class HeartbeatDriver extends Pacer {
  protected readonly scheduler: Scheduler;
  protected readonly alarm: Wake;
  readonly #shell: HeartbeatPort;

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(
    options: HeartbeatOptions | Timing,
    scheduler: Scheduler,
    shell: HeartbeatPort,
    memory?: PeerMemory,
  ) {
    super(options, memory);
    this.scheduler = scheduler;
    this.alarm = new LazyTimer(scheduler, () => this.tick());
    this.#shell = shell;
  }

  protected sendPing(ping: PingOrder): void {
    this.#shell.sendPing(ping);
  }

  protected sendPong(id: string | undefined): void {
    this.#shell.sendPong(id);
  }

  protected emit<Name extends keyof HeartbeatEvents>(
    name: Name,
    event: HeartbeatEvents[Name],
  ): void {
    this.#shell.emit(name, event);
  }

  protected override buffered(): number {
    return this.#shell.buffered?.() ?? 0;
  }

  protected override isPaused(): boolean {
    return this.#shell.isPaused?.() === true;
  }
}
