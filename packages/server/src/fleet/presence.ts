import type { Millis, Scheduler, Timer } from '@wirebeat/core';
import type { PlaceQuality } from './presence-questions.ts';
import { PresenceView } from './presence-view.ts';
import type { Place, PresenceChange, PresentUser, Registry } from './registry.ts';
import type { RegistryCaller } from './registry-call.ts';
import { presenceBoundOf, renewalInterval } from './registry-timing.ts';

/** What `watch` returns: first everybody, then each change. */
export type PresenceEvent =
  | { readonly type: 'snapshot'; readonly users: readonly PresentUser[] }
  | PresenceChange;

/** A connection of a user, and what its server knows of it; absent if the server did not answer. */
export interface AskedPlace extends Place {
  readonly quality?: PlaceQuality;
}

/** What {@link Presence} needs of its server. */
export interface PresencePort {
  readonly scheduler: Scheduler;
  readonly instance: string;
  readonly caller: RegistryCaller;
  /** Resolves when the registry knows of the connections of this server, if it is that of no other. */
  registered(): Promise<void>;
  /** Longest possible time from the death of a client to the end of its connection. */
  detectionBound(): Millis;
  ask(place: Place): Promise<PlaceQuality | undefined>;
}

/**
 * Who is connected, on all servers that share the registry: every user with a connection that holds a
 * session. Users are named by the `user` function of the option `session`; its return value must be a
 * string or a number.
 */
export class Presence {
  readonly #registry: Registry;
  readonly #port: PresencePort;
  readonly #wakes: Set<() => void> = new Set();
  #changes = 0;
  #isListening = false;
  #isClosed = false;

  constructor(registry: Registry, port: PresencePort) {
    this.#registry = registry;
    this.#port = port;
  }

  /** The name of this server among all that share the registry. */
  get node(): string {
    return this.#port.instance;
  }

  /**
   * Longest possible time in ms from the moment a user's last connection dies, with its client or with
   * its server, to the `leave` of the user, while another server runs and reaches the registry.
   */
  get presenceBound(): Millis {
    const { lease, grace } = this.#registry;
    return presenceBoundOf(this.#port.detectionBound(), lease, grace);
  }

  /** Returns the connections of a user. Rejects if the registry is out of reach. */
  async find(user: string | number): Promise<readonly Place[]> {
    await this.#port.registered();
    return this.#port.caller.demand('find', () => this.#registry.find(`${user}`));
  }

  /**
   * Returns the connections of a user with latency and status, as their servers know them at this
   * moment. Nothing of it is ever written. Rejects if the registry is out of reach.
   */
  async ask(user: string | number): Promise<readonly AskedPlace[]> {
    const places = await this.find(user);
    return Promise.all(
      places.map(async (place) => {
        const quality = await this.#port.ask(place);
        return { ...place, ...(quality !== undefined && { quality }) };
      }),
    );
  }

  /** Returns everybody who is present. Rejects if the registry is out of reach. */
  async list(): Promise<readonly PresentUser[]> {
    await this.#port.registered();
    return this.#view().load();
  }

  /**
   * Yields everybody who is present, then each `join`, `leave` and `move`, without a gap and each once.
   * A user with several connections joins once and leaves once. Ends when `signal` is aborted or the
   * heartbeat is detached. While the registry is out of reach, nothing is yielded.
   */
  async *watch(signal?: AbortSignal): AsyncGenerator<PresenceEvent, void> {
    this.#listen();
    const view = this.#view();
    let isLoaded = false;
    await this.#port.registered();
    while (!this.#isClosed && !signal?.aborted) {
      const changes = this.#changes;
      try {
        if (!isLoaded) {
          const users = await view.load();
          isLoaded = true;
          yield { type: 'snapshot', users };
        }
        const found = await view.pull();
        yield* found;
        if (found.length > 0) continue;
      } catch {
        // The failed call has been reported. The next attempt follows.
      }
      await this.#wait(changes, signal);
    }
  }

  /** Ends all watches. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #view(): PresenceView {
    const { caller, scheduler } = this.#port;
    const registry = this.#registry;
    return new PresenceView({
      users: () => caller.demand('users', () => registry.users()),
      changes: (position) => caller.demand('changes', () => registry.changes(position)),
      now: () => scheduler.now(),
      patience: registry.lease + registry.grace,
    });
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    const listen = () => this.#registry.onChange(() => this.#wake());
    void this.#port.caller.ask('listen', listen).then((answer) => {
      this.#isListening = answer !== undefined; // otherwise the next watch tries again
    });
  }

  #wake(): void {
    this.#changes += 1;
    for (const wake of [...this.#wakes]) wake();
  }

  /** Waits for a change since the count was `changes`. A message may be lost, so it also looks by itself. */
  #wait(changes: number, signal: AbortSignal | undefined): Promise<void> {
    if (changes !== this.#changes || this.#isClosed || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const { scheduler } = this.#port;
      const wake = () => {
        timer.cancel();
        this.#wakes.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const due = scheduler.now() + renewalInterval(this.#registry.lease);
      const timer: Timer = scheduler.at(due, wake);
      this.#wakes.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }
}
