import {
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PeerState,
  ReadyState,
  type WebSocketLike,
} from '@wirebeat/core';
import { resolveAttachOptions } from '../options.ts';
import type { Lifecycle, LifecycleListener } from '../page/page-lifecycle.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import {
  type Logger,
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from '../reconnect/options.ts';
import { type Diagnosis, diagnose, type End } from './diagnosis.ts';
import type { Fact } from './fact.ts';
import { type Recorded, writeReport } from './report.ts';

/** How many facts and latencies are kept: about twenty outages, or a page of text. */
const KEPT = 100;
/** The prefix of log messages. */
const PREFIX = 'wirebeat: ';
/** Events that are only counted, or that `end` covers. */
const ROUTINE = /^(ping|pong|alive|close)$/;
/** Facts that may be frequent: each focus of a window is a hint, each refused message a drop. */
const FLOODS = /^(hint|drop)$/;

/**
 * Keeps the recent events of one {@link ReconnectingWebSocket} for {@link report}. Pass your
 * options to the history, and the options of the history to the socket:
 *
 * ```ts
 * const history = new History({ pingInterval: 20_000 });
 * const socket = new ReconnectingWebSocket(url, protocols, history.options);
 * ```
 *
 * It keeps 100 facts and no messages, and creates text only when you call {@link report}. It adds
 * no bytes to a page that does not import it.
 *
 * @throws {InvalidOptionError} in the same cases as the constructor of the socket.
 */
export class History {
  /** The options to pass to the socket: your own, and those that record its events. */
  readonly options: ReconnectOptions;
  readonly #resolved: ResolvedReconnectOptions;
  readonly #given: Logger | undefined;
  readonly #facts: Fact[] = [];
  readonly #latencies: Millis[] = [];
  readonly #counts: Map<string, number> = new Map();
  #url = '';
  readonly #sockets: Set<WebSocketLike> = new Set(); // those not closed yet
  #lastEnd: CloseRecord | undefined;
  #isSuspect = false;
  #page: PeerState = 'visible';
  #pageSince: Instant | undefined;
  #hintedAt: Instant | undefined;

  constructor(options: ReconnectOptions = {}) {
    this.#resolved = resolveReconnectOptions(options);
    const { scheduler, lifecycle, logger } = this.#resolved;
    this.#given = logger;
    this.options = {
      ...options,
      scheduler,
      lifecycle: lifecycle && this.#watched(lifecycle),
      WebSocket: (url, protocols) => this.#create(url, protocols),
      logger: {
        debug: (message, details) => this.#take('debug', message, details),
        warn: (message, details) => this.#take('warn', message, details),
      },
    };
  }

  /** Returns the pattern of how connections end; undefined if there is none. */
  get diagnosis(): Diagnosis | undefined {
    const ends = this.#facts.filter(({ name }) => name === 'end');
    return diagnose(ends.map(({ detail }) => detail as End));
  }

  /**
   * Returns a text for a bug report: options, counts, latencies, and the last 100 facts in plain
   * words. It contains no messages, no query of the address, no subprotocol and no session, and
   * only the names of errors. It does contain the path, and the close reasons of the server.
   */
  report(): string {
    const { scheduler, heartbeat, ...options } = this.#resolved;
    const { lifecycle: _, scheduler: __, memory: ___, ...timing } = resolveAttachOptions(heartbeat);
    const recorded: Recorded = {
      now: scheduler.now(),
      url: this.#url,
      options: { ...timing, ...options },
      facts: this.#facts,
      counts: this.#counts,
      latencies: this.#latencies,
      unclosed: [...this.#sockets].filter(isLeft).length,
      diagnosis: this.diagnosis,
    };
    return writeReport(recorded);
  }

  #take(level: keyof Logger, message: string, details: unknown): void {
    this.#hear(message.slice(PREFIX.length), details);
    this.#given?.[level]?.(message, details);
  }

  #hear(name: string, details: unknown): void {
    const { cause, wasOpen } = Object(details) as { cause?: CloseRecord; wasOpen?: boolean };
    if (wasOpen !== undefined) this.#end(details as CloseRecord);
    else if (cause?.wasOpen !== undefined) this.#end(cause); // a failed attempt has no `close`
    if (name === 'pong') this.#measure(details as HeartbeatEvents['pong']);
    const isRecovery = name === 'alive' && this.#isSuspect;
    if (/^(suspect|alive|open|close)$/.test(name)) this.#isSuspect = name === 'suspect';
    this.#add(isRecovery ? 'recovered' : name, details);
  }

  #add(name: string, detail?: unknown): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (ROUTINE.test(name) || (name === 'error' && detail === undefined)) return;
    const last = this.#facts.at(-1);
    const isFlood = FLOODS.test(name) && last?.name === name;
    if (isFlood) last.times += 1;
    else keep(this.#facts, { at: this.#resolved.scheduler.now(), name, detail, times: 1 });
  }

  /** Records an end once, although `close`, `retry` and `giveup` may all report it. */
  #end(record: CloseRecord): void {
    if (record === this.#lastEnd) return;
    this.#lastEnd = record;
    const since = this.#pageSince;
    const pageFor = since === undefined ? undefined : this.#resolved.scheduler.now() - since;
    this.#add('end', { ...record, page: this.#page, pageFor } satisfies End);
  }

  #measure({ latency, sampled }: HeartbeatEvents['pong']): void {
    if (sampled) keep(this.#latencies, latency);
  }

  #create(url: string, protocols?: string[]): WebSocketLike {
    this.#url = url;
    this.#add('dial');
    const socket = this.#resolved.createWebSocket(url, protocols);
    for (const other of this.#sockets) {
      if (other.readyState === ReadyState.Closed) this.#sockets.delete(other); // and no `close` came
    }
    this.#sockets.add(socket);
    const closed = () => {
      this.#sockets.delete(socket);
      socket.removeEventListener('close', closed);
    };
    socket.addEventListener('close', closed);
    return socket;
  }

  /** Wraps the lifecycle to record what it reports to connections and to waits between them. */
  #watched(lifecycle: Lifecycle): Lifecycle {
    return { watch: (listener) => this.#watch(lifecycle, listener) };
  }

  #watch(lifecycle: Lifecycle, listener: LifecycleListener): () => void {
    let isVisible = true; // the lifecycle reports any other state at once
    const unwatch = lifecycle.watch({
      state: (state) => {
        isVisible = state === 'visible';
        this.#become(state);
        listener.state(state);
      },
      hint: () => {
        this.#hint();
        listener.hint();
      },
    });
    if (isVisible) this.#become('visible');
    return unwatch;
  }

  #become(state: PeerState): void {
    if (state === this.#page) return;
    this.#page = state;
    this.#pageSince = this.#resolved.scheduler.now();
    this.#add('state', state);
  }

  /** Records a fact once if it is reported to two connections at the same time. */
  #hint(): void {
    const now = this.#resolved.scheduler.now();
    if (now !== this.#hintedAt) this.#add('hint');
    this.#hintedAt = now;
  }
}

/** Whether the socket was ended and has not closed yet. Some sockets never close. */
function isLeft({ readyState }: WebSocketLike): boolean {
  return readyState === ReadyState.Closing;
}

function keep<Item>(items: Item[], item: Item): void {
  items.push(item);
  if (items.length > KEPT) items.shift();
}
