import { InvalidOptionError, type Millis, type Scheduler } from '@wirebeat/core';
import { builtin } from '../builtin.ts';
import type { ConnectionHeartbeat } from '../connection-heartbeat.ts';
import { LeaseHolder } from './lease-holder.ts';
import { Presence } from './presence.ts';
import { type PlaceQuality, PresenceQuestions, qualityOf } from './presence-questions.ts';
import type { Registration } from './registration.ts';
import type { Registry } from './registry.ts';
import { type RegistryCall, RegistryCaller } from './registry-call.ts';
import { renewalInterval } from './registry-timing.ts';
import type { SessionHolder } from './session-claim.ts';
import type { Sessions } from './sessions.ts';

/** The events of a server that uses a registry. */
export interface RegistryEvents {
  /**
   * Emitted when this server could not renew its lease: no connection of it counts as current, because
   * another server may have taken over its session.
   */
  readonly isolated: Readonly<Record<string, never>>;
  /** Emitted when an isolated server has a lease again. Its sessions are claimed again. */
  readonly rejoined: Readonly<Record<string, never>>;
  /** Emitted when connections of servers that had died were removed from the registry. */
  readonly reaped: { readonly count: number };
  /** Emitted after each call of the registry. */
  readonly registry: RegistryCall;
}

/** What a {@link ServerNode} needs of its server. */
export interface ServerNodePort {
  readonly scheduler: Scheduler;
  readonly sessions: Sessions;
  detectionBound(): Millis;
  emit<Name extends keyof RegistryEvents>(name: Name, event: RegistryEvents[Name]): void;
  /** The registry could not be reached. */
  failed(error: unknown): void;
  /** Returns the heartbeat of a connection, unless it has ended. */
  heartbeatOf(holder: SessionHolder): ConnectionHeartbeat | undefined;
}

/** One server among those that share a registry: its sessions, and who is present. */
export class ServerNode {
  readonly presence: Presence;
  readonly #node: LeaseHolder;
  readonly #port: ServerNodePort;
  #isClosed = false;

  /**
   * `isShared`: other servers use the registry too, so it decides who holds a session.
   *
   * @throws {InvalidOptionError} in a runtime without `node:crypto`.
   */
  constructor(registry: Registry, isShared: boolean, port: ServerNodePort) {
    if (builtin('node:crypto') === undefined) {
      throw new InvalidOptionError(
        'registry',
        'absent in a runtime without `node:crypto`',
        registry,
      );
    }
    const { scheduler, sessions } = port;
    const instance = drawInstance();
    const called = (call: RegistryCall) => this.#called(call);
    this.#port = port;
    const questions = new PresenceQuestions({
      scheduler,
      instance,
      send: (to, message) => caller.demand('send', () => registry.send(to, message)),
      answer: (connection) => this.#answer(connection),
    });
    const caller = new RegistryCaller(scheduler, renewalInterval(registry.lease), called);
    this.#node = new LeaseHolder(registry, {
      scheduler,
      instance,
      isolated: () => isShared && port.emit('isolated', {}),
      rejoined: () => isShared && port.emit('rejoined', {}),
      called,
      reaped: (count) => port.emit('reaped', { count }),
      received: (message) => questions.receive(message),
    });
    this.presence = new Presence(registry, {
      scheduler,
      instance,
      caller,
      registered: async () => {
        if (!isShared) await this.#node.flush(); // its first question is why there is a registry
      },
      detectionBound: () => port.detectionBound(),
      ask: (place) => questions.ask(place),
    });
    sessions.register(this.#node, isShared);
  }

  get isIsolated(): boolean {
    return this.#node.isIsolated;
  }

  /** Number of users present on all servers, at the last renewal of the lease. */
  get users(): number {
    return this.#node.users;
  }

  /** From now on, users whose connections end here stay present until they can have come back. */
  drain(retryAfter: Millis): void {
    this.#node.holdLeaves(retryAfter);
  }

  /** Resolves when the registry knows of every connection that has ended. */
  flush(): Promise<void> {
    return this.#node.flush();
  }

  /** Releases all sessions and ends the lease. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.presence.close();
    return this.#node.close();
  }

  #called(call: RegistryCall): void {
    this.#port.emit('registry', call);
    // What a closed node cannot release ends with its lease.
    if (call.outcome === 'failed' && !this.#isClosed) this.#port.failed(call.error);
  }

  #answer(connection: string): PlaceQuality | undefined {
    const member = this.#node.find(connection) as Registration | undefined;
    const heartbeat = member && this.#port.heartbeatOf(member.claim.holder);
    return heartbeat && qualityOf(heartbeat, this.#port.scheduler.now());
  }
}

/** Returns a name that says where the server runs, and that no other server has. */
function drawInstance(): string {
  const place =
    builtin('node:os')
      ?.hostname()
      .replace(/[^\w-]/g, '-') || 'node';
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `${place}-${globalThis.process?.pid ?? 0}-${random.toString(16).padStart(8, '0')}`;
}
