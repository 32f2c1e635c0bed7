import {
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PeerState,
  ReadyState,
  resolveHeartbeatOptions,
  type WebSocketLike,
} from '@wirebeat/core';
import { clientTiming } from '../attach.ts';
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

/** Facts and latencies that are kept: some twenty outages, and a page of text. */
const KEPT = 100;
/** What the log calls its lines. */
const PREFIX = 'wirebeat: ';
/** Routine is counted alone, and how a connection ended is told by its `end`. */
const ROUTINE = /^(ping|pong|alive|close)$/;
/** Each focus of a window is a hint, each message that a full queue refuses a drop. */
const FLOODS = /^(hint|drop)$/;

/**
 * Keeps what happened lately to one {@link ReconnectingWebSocket}, for {@link report}. Give the
 * options to it, and its own to the socket:
 *
 * ```ts
 * const history = new History({ pingInterval: 20_000 });
 * const socket = new ReconnectingWebSocket(url, protocols, history.options);
 * ```
 *
 * It holds 100 facts and no message, and makes no text until it is asked. A page that does not
 * import it does not pay for it.
 *
 * @throws {InvalidOptionError} as the socket's constructor does.
 */
export class History {
  /** What the socket is to be given: the options that were, and what watches. */
  readonly options: ReconnectOptions;
  readonly #resolved: ResolvedReconnectOptions;
  readonly #given: Logger | undefined;
  readonly #facts: Fact[] = [];
  readonly #latencies: Millis[] = [];
  readonly #counts: Map<string, number> = new Map();
  #url = '';
  readonly #sockets: Set<WebSocketLike> = new Set(); // that have not closed
  #lastEnd: CloseRecord | undefined;
  #isSuspect = false;
  #page: PeerState = 'visible';
  #pageSince: Instant | undefined;
  #hintedAt: Instant | undefined;

  constructor(options: ReconnectOptions = {}) {
    const { WebSocket: _, ...others } = options; // `createWebSocket` stands for it
    this.#resolved = resolveReconnectOptions(options);
    const { scheduler, lifecycle, logger } = this.#resolved;
    this.#given = logger;
    this.options = {
      ...others,
      scheduler,
      lifecycle: lifecycle && this.#watched(lifecycle),
      createWebSocket: (url, protocols) => this.#create(url, protocols),
      logger: {
        debug: (message, details) => this.#take('debug', message, details),
        warn: (message, details) => this.#take('warn', message, details),
      },
    };
  }

  /** What connections keep ending of; undefined if there is no pattern in it. */
  get diagnosis(): Diagnosis | undefined {
    const ends = this.#facts.filter(({ name }) => name === 'end');
    return diagnose(ends.map(({ detail }) => detail as End));
  }

  /**
   * A text to paste into a bug report: options, counts, latencies, and the last 100 facts in plain
   * words. It holds no message, no query of the address, no protocol and no session, and of errors
   * only their names. It does hold the path, and the words with which the server closed.
   */
  report(): string {
    const { scheduler, heartbeat, ...options } = this.#resolved;
    const { lifecycle: _, scheduler: __, ...timing } = heartbeat;
    const recorded: Recorded = {
      now: scheduler.now(),
      url: this.#url,
      options: { ...resolveHeartbeatOptions(clientTiming(timing)), ...options },
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
    else if (cause?.wasOpen !== undefined) this.#end(cause); // no `close` tells of an attempt
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

  /** The same end may be told by `close`, `retry` and `giveup`. */
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
      if (other.readyState === ReadyState.Closed) this.#sockets.delete(other); // and did not say so
    }
    this.#sockets.add(socket);
    const closed = () => {
      this.#sockets.delete(socket);
      socket.removeEventListener('close', closed);
    };
    socket.addEventListener('close', closed);
    return socket;
  }

  /** Each connection watches the page, and each wait between two: what they are told is heard. */
  #watched(lifecycle: Lifecycle): Lifecycle {
    return { watch: (listener) => this.#watch(lifecycle, listener) };
  }

  #watch(lifecycle: Lifecycle, listener: LifecycleListener): () => void {
    let isVisible = true; // until it is told otherwise, which it is at once
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

  /** Told to two connections at once, it is one. */
  #hint(): void {
    const now = this.#resolved.scheduler.now();
    if (now !== this.#hintedAt) this.#add('hint');
    this.#hintedAt = now;
  }
}

/** Who is left is closed as well as it goes, which may never end. */
function isLeft({ readyState }: WebSocketLike): boolean {
  return readyState === ReadyState.Closing;
}

function keep<Item>(items: Item[], item: Item): void {
  items.push(item);
  if (items.length > KEPT) items.shift();
}
