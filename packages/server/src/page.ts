import {
  type Beat,
  type HeartbeatError,
  type Millis,
  Pacemaker,
  type PingOptions,
  type Scheduler,
} from '@wirebeat/core';
import type { LivenessListener } from './liveness-events.ts';

/** What a {@link Page} needs of its connection. */
export interface PageShell {
  readonly scheduler: Scheduler;
  sendBeat(beat: Beat): void;
  tell: LivenessListener;
}

/** Values of a beat. */
export type Values = Readonly<Record<string, string>>;

/**
 * The application tier of one connection: what a client says that speaks, and what it is told. It is
 * met at the client's first application ping; a client that sends none has no page.
 */
export class Page {
  readonly #shell: PageShell;
  readonly #pacemaker: Pacemaker;
  #isWelcomed = false;

  constructor(shell: PageShell) {
    this.#shell = shell;
    const off = { pingInterval: false, pingTimeout: false } as const;
    this.#pacemaker = new Pacemaker(off, shell.scheduler, {
      sendPing: ({ id }) => shell.sendBeat({ type: 'ping', id }),
      sendPong: () => {},
      emit: (name, event) => {
        const isBeat = name === 'ping' || name === 'pong';
        if (isBeat) shell.tell(name, { ...event, tier: 'application' } as never);
      },
    });
    this.#pacemaker.open();
  }

  /** Its last latency; undefined until the first. */
  get latency(): Millis | undefined {
    return this.#pacemaker.heartbeat.latency;
  }

  /**
   * What the pong to `ping` says beside the id; nothing where there is none, for a peer that sends
   * bare pings may wait for the constant. `received` is the wall clock as the ping came.
   */
  answerTo(
    ping: Beat,
    received: Millis,
    isBound: boolean,
    welcome: Values | undefined,
  ): Values | undefined {
    if (ping.id === undefined) return undefined;
    const asksForClock = ping.values?.['clock'] === '1';
    const says = this.#isWelcomed ? undefined : welcome;
    this.#isWelcomed = true;
    if (!isBound && says === undefined && !asksForClock) return undefined;
    return {
      ...(isBound && { session: 'ok' }),
      ...says,
      ...(asksForClock && { received: String(received), sent: String(Date.now()) }),
    };
  }

  /** Tells it more than it was told at first. */
  announce(values: Values): void {
    const told = this.#pacemaker.ping({ timeout: false }, ({ id }) => {
      this.#shell.sendBeat({ type: 'ping', id, values });
    });
    told.catch(() => {}); // the connection has ended
  }

  receivePong(pong: Beat): void {
    this.#pacemaker.receiveBeat(pong);
  }

  /** Asks now, for a first latency. */
  probe(shortTimeout: Millis): void {
    this.#pacemaker.probe(shortTimeout);
  }

  /** As {@link Pacemaker.ping}. */
  ping(options: PingOptions): Promise<Millis> {
    return this.#pacemaker.ping(options);
  }

  close(error: HeartbeatError): void {
    this.#pacemaker.close(error);
  }
}
