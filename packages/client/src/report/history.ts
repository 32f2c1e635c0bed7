import {
  type Instant,
  type Millis,
  type PeerState,
  ReadyState,
  type WebSocketLike,
} from '@wirebeat/core';
import type { Lifecycle, LifecycleListener } from '../page/page-lifecycle.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import type { ReconnectEvent } from '../reconnect/events.ts';
import {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from '../reconnect/options.ts';
import { type Diagnosis, diagnose, type End } from './diagnosis.ts';
import type { Fact } from './fact.ts';
import { type Recorded, writeReport } from './report.ts';

/** How many facts and latencies are kept: about twenty outages, or a page of text. */
const KEPT = 100;
/** Facts that may be frequent: each focus of a window is a hint, each refused message a drop. */
const FLOODS: readonly string[] = ['hint', 'drop'];

/**
 * Keeps the recent events of one {@link ReconnectingWebSocket} for {@link report}. Pass your
 * options to the history, and the options of the history to the socket:
 *
 * ```ts
 * const history = new History({ pingInterval: 20_000 });
 * const socket = new ReconnectingWebSocket(url, protocols, history.options);
 * ```
 *
 * It keeps 100 facts and no messages, and creates text only when you call {@link report}.
 *
 * @throws {InvalidOptionError} in the same cases as the constructor of the socket.
 */
export class History {
  /** The options to pass to the socket: your own, and those that record its events. */
  readonly options: ReconnectOptions;
  readonly #resolved: ResolvedReconnectOptions;
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
    const { scheduler, lifecycle, observe } = this.#resolved;
    this.options = {
      ...options,
      scheduler,
      lifecycle: lifecycle && this.#watched(lifecycle),
      WebSocket: (url, protocols) => this.#create(url, protocols),
      observe: (...event) => {
        this.#record(...event);
        observe?.(...event);
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
    const { scheduler, heartbeat, delivery, ...options } = this.#resolved;
    const { lifecycle: _, scheduler: __, memory: ___, ...timing } = heartbeat;
    const recorded: Recorded = {
      now: scheduler.now(),
      url: this.#url,
      options: { confirm: false, resend: false, ...delivery, ...timing, ...options },
      facts: this.#facts,
      counts: this.#counts,
      latencies: this.#latencies,
      unclosed: [...this.#sockets].filter(isLeft).length,
      diagnosis: this.diagnosis,
    };
    return writeReport(recorded);
  }

  #record(...event: ReconnectEvent): void {
    const [name, detail] = event;
    if (name === 'dial') return; // each socket is recorded when it is created
    this.#count(name);
    switch (name) {
      case 'ping':
        return;
      case 'pong':
        if (detail.sampled) keep(this.#latencies, detail.latency);
        return;
      case 'alive':
        if (this.#isSuspect) this.#add('recovered');
        this.#isSuspect = false;
        return;
      case 'close':
        this.#isSuspect = false;
        return this.#end(detail);
      case 'retry':
      case 'giveup': // a failed attempt has no `close`
        this.#end(detail.cause);
        return this.#keep(name, detail);
      case 'drop':
        return this.#keep(name, { count: detail.messages.length, reason: detail.reason });
      case 'open':
      case 'suspect':
        this.#isSuspect = name === 'suspect';
        return this.#keep(name, detail);
      case 'error':
        if (detail !== undefined) this.#keep(name, detail);
        return;
      case 'dead':
      case 'unanswered':
      case 'stall':
        return this.#keep(name, detail);
      default:
        name satisfies never;
    }
  }

  #add(name: string, detail?: unknown): void {
    this.#count(name);
    this.#keep(name, detail);
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  #keep(name: string, detail: unknown): void {
    const last = this.#facts.at(-1);
    const isFlood = FLOODS.includes(name) && last?.name === name;
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
