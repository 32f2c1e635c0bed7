import {
  type Beat,
  CloseCode,
  decodeBeat,
  encodeBeat,
  type Millis,
  type Scheduler,
  SystemScheduler,
  type Timer,
} from '@wirebeat/core';
import { FLOOD, REPLACED, SERVICE_RESTART } from '../connection/connection-end.ts';
import { pongValues } from '../connection/pong-values.ts';
import { Drain, type DrainOptions, resolveDrainOptions } from '../drain.ts';
import { HandleEmitter } from '../emitter.ts';
import { isSession } from '../fleet/session-claim.ts';
import type { PingLimit } from '../options.ts';
import type { Advertisement } from '../timing/advertisement.ts';
import { checkMembers } from './check-members.ts';
import { type DurableClient, DurableClients, isOpen } from './durable-clients.ts';
import type { DurableConnection, DurableEvents } from './durable-events.ts';
import { answerWhileAsleep, type DurableSocket, type DurableState } from './durable-object.ts';
import {
  type DurableOptions,
  type ResolvedDurableOptions,
  resolveDurableOptions,
} from './durable-options.ts';
import { recordOf } from './durable-record.ts';

export type {
  Advertisement,
  DrainOptions,
  DurableConnection,
  DurableEvents,
  DurableOptions,
  DurableSocket,
  DurableState,
  PingLimit,
};

/** How long to wait for answers that may have arrived already, after a sleep or a stall. */
const GRACE: Millis = 1_000;

// The routine ping and pong: the runtime compares whole messages with them.
const PING = encodeBeat({ type: 'ping' });
const PONG = encodeBeat({ type: 'pong' });

/**
 * The heartbeat of a Durable Object with hibernatable WebSockets. The runtime answers the routine pings while
 * the object sleeps; an alarm looks at all clients, asks those that were silent, and closes those that do
 * not answer. The object stays awake until then, so that each alarm wakes it once. A client that sends no
 * application ping is not judged.
 */
export class DurableHeartbeat<Socket extends DurableSocket = DurableSocket> extends HandleEmitter<
  DurableEvents<Socket>
> {
  readonly #state: DurableState<Socket>;
  readonly #clients: DurableClients<Socket>;
  readonly #scheduler: Scheduler = new SystemScheduler();
  readonly #options: ResolvedDurableOptions;
  /** Until the clients that were asked are judged. It also keeps the object awake. */
  #judgement: Timer | undefined;
  #drain: Drain | undefined;

  /**
   * Create it in the constructor of the object, each time: it also sets the answer of the runtime.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown, or if `state` is not the state of a
   * Durable Object.
   */
  constructor(state: DurableState<Socket>, options: DurableOptions = {}) {
    super();
    this.#options = resolveDurableOptions(options);
    checkMembers('state', state, ['getWebSockets', 'acceptWebSocket'], 'that of a Durable Object');
    this.#state = state;
    this.#clients = new DurableClients(state);
    answerWhileAsleep(state, PING, PONG);
  }

  /**
   * Longest possible time in ms from the last byte received to `dead`, if the platform runs the alarm in
   * time. If it restarts the object between a ping and the answer, the next alarm judges.
   */
  get detectionBound(): Millis {
    const { pingInterval, alarmInterval, pingTimeout } = this.#options;
    return pingInterval + alarmInterval + Math.max(pingTimeout, GRACE);
  }

  /** Accepts a socket so that the object can sleep, and sets the alarm if none is set. */
  async accept(socket: Socket, tags?: string[]): Promise<void> {
    this.#state.acceptWebSocket(socket, tags);
    this.#clients.accepted(socket);
    const { storage } = this.#state;
    const due = Date.now() + this.#options.alarmInterval;
    if ((await storage.getAlarm()) === null) await storage.setAlarm(due);
  }

  /**
   * Call it first in `webSocketMessage`. Returns whether the message was a heartbeat, so that the application
   * must not see it.
   */
  message(socket: Socket, message: unknown): boolean {
    const client = this.#clients.get(socket);
    if (client.record.isEnded === true) return true; // the application has lost it
    client.seen = Date.now();
    const beat = typeof message === 'string' ? decodeBeat(message) : undefined;
    const { askedAt } = client.record;
    if (askedAt !== undefined) this.#answered(socket, client.seen, askedAt, beat?.type === 'pong');
    if (beat?.type === 'ping') this.#receivePing(socket, client, beat);
    return beat !== undefined;
  }

  /** The clients as they are now: another map each time. */
  get connections(): ReadonlyMap<Socket, DurableConnection> {
    const clients = this.#clients;
    return new Map(
      clients.open.map((socket) => [
        socket,
        {
          status: clients.isWaiting(socket) ? 'suspect' : 'alive',
          latency: clients.get(socket).record.latency,
          isResponsive: undefined,
        },
      ]),
    );
  }

  /** The last latency of a client in ms; `undefined` before its first pong. */
  latency(socket: Socket): Millis | undefined {
    return recordOf(socket)?.latency;
  }

  /** Call it in `webSocketClose`. */
  closed(socket: Socket): void {
    if (this.#clients.get(socket).record.isEnded !== true) this.#end(socket, 'closed');
    this.#drain?.look();
  }

  /** Call it in `alarm`: sweeps, and sets the next alarm. */
  async alarm(): Promise<void> {
    const next = this.sweep();
    if (next !== undefined) await this.#state.storage.setAlarm(next);
  }

  /**
   * Looks at all clients: asks those that were silent, and closes those that do not answer in time. Returns
   * when to sweep again, by the wall clock, or `undefined` if there is no client. For objects whose alarm
   * has other work too.
   */
  sweep(): number | undefined {
    const now = Date.now();
    const open = this.#clients.open;
    for (const socket of open) {
      if (this.#isSilent(socket, now)) this.#ask(socket, now);
    }
    this.#judgeAfter(now + GRACE);
    return open.length === 0 ? undefined : now + this.#options.alarmInterval;
  }

  /**
   * Closes all clients with 1012 at staggered times, and tells each when to reconnect. Resolves when none is
   * left. Keeps the object awake meanwhile.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   */
  drain(options?: DrainOptions): Promise<void> {
    const resolved = resolveDrainOptions(options);
    const clients = this.#clients;
    const left = new Map(
      this.#clients.open.map((socket) => [
        socket,
        {
          stopPinging: () => {},
          closeForRestart: (retryAfter: Millis) => this.#closeForRestart(socket, retryAfter),
          terminate: () => socket.close(CloseCode.Timeout, 'terminated'),
        },
      ]),
    );
    const live = {
      values: () => left.values(),
      get size() {
        return clients.open.length;
      },
    };
    this.#drain ??= new Drain(live as never, resolved, {
      scheduler: this.#scheduler,
      random: Math.random,
    });
    return this.#drain.done;
  }

  /**
   * Judges the clients that were asked when their time is up, and not before `earliest`. Without another
   * alarm, which would wake the object once more.
   */
  #judgeAfter(earliest: number): void {
    this.#judgement?.cancel();
    this.#judgement = undefined;
    const waiting = this.#clients.open.filter((socket) => this.#clients.isWaiting(socket));
    if (waiting.length === 0) return;
    const first = Math.min(...waiting.map((socket) => this.#judgedAt(socket)));
    const due = Math.max(first, earliest);
    const at = this.#scheduler.now() + due - Date.now();
    this.#judgement = this.#scheduler.at(at, () => {
      const now = Date.now();
      // A timer that was late may run before answers that have arrived meanwhile.
      const isLate = now > due + GRACE;
      if (isLate) this.emit('stall', { lateBy: now - due });
      else this.#judge(now);
      this.#judgeAfter(isLate ? now + GRACE : 0);
    });
  }

  #judge(now: number): void {
    for (const socket of this.#clients.open.filter((each) => this.#clients.isWaiting(each))) {
      if (this.#judgedAt(socket) > now) continue;
      const silentFor = now - this.#clients.seen(socket);
      this.emit('dead', { socket, silentFor, reason: 'ping-timeout' });
      this.#end(socket, 'ping-timeout', CloseCode.Timeout, 'ping timeout');
    }
  }

  /** Closes a socket, unless it has closed by itself. */
  #end(
    socket: Socket,
    reason: DurableEvents<Socket>['end']['reason'],
    code?: number,
    text?: string,
  ): void {
    this.#clients.keep(socket, { isEnded: true });
    if (code !== undefined) socket.close(code, text);
    this.emit('end', { socket, reason });
  }

  #judgedAt(socket: Socket): number {
    return (this.#clients.get(socket).record.askedAt ?? 0) + this.#options.pingTimeout;
  }

  /** Whether a client must be asked. A client that sends no application pings, or is frozen, cannot be. */
  #isSilent(socket: Socket, now: number): boolean {
    const { isAsker, isFrozen } = this.#clients.get(socket).record;
    if (isAsker !== true || isFrozen === true || this.#clients.isWaiting(socket)) return false;
    return now - this.#clients.seen(socket) >= this.#options.pingInterval;
  }

  #ask(socket: Socket, now: number): void {
    this.#clients.keep(socket, { askedAt: now });
    this.#send(socket, { type: 'ping', id: 'wb' });
    this.emit('ping', { socket, tier: 'application' });
  }

  #answered(socket: Socket, at: number, askedAt: number, isPong: boolean): void {
    const latency = at - askedAt;
    this.#clients.keep(socket, { at, askedAt: undefined, ...(isPong && { latency }) });
    if (isPong) this.emit('pong', { socket, latency, tier: 'application', sampled: true });
  }

  #receivePing(socket: Socket, client: DurableClient, ping: Beat): void {
    if (!client.limit.take(client.seen, this.#options.pingLimit)) {
      this.emit('flood', { socket });
      return this.#end(socket, 'flood', FLOOD.code, FLOOD.text);
    }
    const isFirst = client.record.isAsker !== true;
    const isFrozen = ping.values?.['state'] === 'frozen';
    const session = ping.values?.['session'];
    const isBound = session !== undefined && this.#bind(socket, client, session);
    if (isFirst || isFrozen !== (client.record.isFrozen ?? false)) {
      this.#clients.keep(socket, { at: client.seen, isAsker: true, isFrozen });
    }
    const says = isFirst ? this.#options.welcome : undefined;
    const content = { received: client.seen, isBound, says };
    const values = ping.id === undefined ? undefined : pongValues(ping, content);
    this.#send(socket, { type: 'pong', id: ping.id, values });
    if (isFirst && !isFrozen) this.#ask(socket, client.seen); // a first latency
  }

  /** Returns whether the socket holds the session now. Closes the older one that held it. */
  #bind(socket: Socket, client: DurableClient, session: string): boolean {
    if (!isSession(session)) return false;
    if (client.record.session === session) return true;
    this.#clients.keep(socket, { session });
    for (const other of this.#clients.open) {
      const record = this.#clients.get(other).record;
      if (record.session !== session || record.order >= client.record.order) continue;
      this.emit('replaced', { socket: other, by: socket });
      this.#end(other, 'replaced', CloseCode.Timeout, REPLACED.text);
    }
    return true;
  }

  #closeForRestart(socket: Socket, retryAfter: Millis): void {
    const hint = Math.round(retryAfter);
    if (hint > 0 && this.#clients.get(socket).record.isAsker === true) {
      this.#send(socket, { type: 'ping', id: undefined, values: { retryAfter: String(hint) } });
    }
    socket.close(
      SERVICE_RESTART,
      hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart',
    );
  }

  #send(socket: Socket, beat: Beat): void {
    if (isOpen(socket)) socket.send(encodeBeat(beat));
  }
}
