// A driver whose pings somebody awaits, and how each ought to end.
import { expect } from 'vitest';
import { HeartbeatDriver } from '../../src/driver/heartbeat-driver.ts';
import { ConnectionClosedError, PingTimeoutError } from '../../src/errors.ts';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';

/** What may happen to a driver. */
export type Move =
  | { readonly type: 'ask'; readonly timeout: number | false | undefined }
  | { readonly type: 'pong' | 'abort'; readonly which: number }
  | { readonly type: 'advance' | 'stall'; readonly by: number }
  | { readonly type: 'receive' | 'send' | 'reopen' };

/** An abort signal that counts its listeners. */
class Signal {
  aborted = false;
  readonly reason: object = {};
  readonly listeners: Set<() => void> = new Set();

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.delete(listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of [...this.listeners]) listener();
  }
}

/** A ping that was sent and is not answered. */
export interface Sent {
  readonly seq: number;
  readonly id: string | undefined;
  readonly at: number;
}

interface Asked {
  readonly at: number;
  readonly timeout: number;
  readonly seq: number | undefined; // none was sent on what is closed
  readonly signal: Signal;
  end:
    | { readonly how: 'pong' | 'timeout' | 'close' | 'abort'; readonly latency?: number }
    | undefined;
}

/** A driver, and all pings that were awaited on it. */
export class AwaitedPings {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly driver: HeartbeatDriver;
  #asked: Asked[] = [];
  #out: Sent[] = [];
  #stalledUntil = 0;
  #died = false;
  /** What the move that was just made must settle, and how. */
  #expected: { readonly how: 'pong' | 'close' | 'abort'; readonly upTo: number } | undefined;

  constructor(options: { pingInterval: number; pingTimeout: number }) {
    this.driver = new HeartbeatDriver(options, this.scheduler, {
      sendPing: (ping) => this.#out.push({ ...ping, at: this.scheduler.now() }),
      sendPong: () => {},
      emit: (...[name]) => {
        if (name === 'dead') this.#died = true;
      },
    });
    this.driver.open();
  }

  make(move: Move): void {
    const { scheduler, driver } = this;
    this.#expected = undefined;
    if (move.type === 'ask') this.#ask(move.timeout);
    else if (move.type === 'pong') this.#pong(move.which);
    else if (move.type === 'abort') this.#abort(move.which);
    else if (move.type === 'advance') scheduler.advance(move.by);
    else if (move.type === 'stall') {
      scheduler.stall(move.by);
      this.#stalledUntil = scheduler.now();
    } else if (move.type === 'receive') driver.receive();
    else if (move.type === 'send') driver.sent();
    else this.#reopen();
  }

  /** Each awaited ping has settled if it ought to, as it ought to, and what has settled is gone. */
  async check(): Promise<void> {
    for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
    const now = this.scheduler.now();
    const waiting = this.#asked.filter(({ end }) => end === undefined);
    for (const { at, timeout } of waiting) {
      const latest = Math.max(at + timeout, this.#stalledUntil) + VERDICT_WAIT;
      expect(now).toBeLessThanOrEqual(latest);
    }
    if (this.#expected !== undefined) expect(this.#overdue(waiting)).toEqual([]);
    for (const asked of this.#asked) if (asked.end !== undefined) this.#checkEnd(asked, now);
    this.#asked = waiting; // those that have settled are done with
    const timers = waiting.filter(({ timeout }) => timeout < Number.POSITIVE_INFINITY).length;
    expect(this.scheduler.pending).toBeLessThanOrEqual(timers + 1);
    if (this.#died) expect(waiting).toEqual([]);
  }

  /** Closes, after which nobody waits and nothing is left. */
  async end(): Promise<void> {
    this.#expected = { how: 'close', upTo: Number.POSITIVE_INFINITY };
    this.driver.close(new ConnectionClosedError());
    await this.check();
    expect(this.scheduler.pending).toBe(0);
  }

  #overdue(waiting: readonly Asked[]): readonly Asked[] {
    const { upTo = 0, how } = this.#expected ?? {};
    if (how === 'abort') return waiting.filter(({ signal }) => signal.aborted);
    return waiting.filter(({ seq = 0 }) => seq <= upTo);
  }

  #checkEnd({ at, timeout, seq, signal, end }: Asked, now: number): void {
    expect(signal.listeners.size).toBe(0);
    if (end?.how === 'pong') {
      expect(end.latency).toBe(now - at);
      expect(this.#expected?.how).toBe('pong');
    } else if (end?.how === 'close') {
      expect(seq === undefined || this.#expected?.how === 'close').toBe(true);
    } else if (end?.how === 'abort') expect(signal.aborted).toBe(true);
    else if (!this.#died) expect(now).toBeGreaterThanOrEqual(at + timeout + VERDICT_WAIT);
  }

  #ask(timeout: number | false | undefined): void {
    const signal = new Signal();
    const at = this.scheduler.now();
    const { pingTimeout } = this.driver.heartbeat;
    const before = this.#out.length;
    const promise = this.driver.ping({ ...(timeout !== undefined && { timeout }), signal });
    const asked: Asked = {
      at,
      timeout: timeout === false ? Number.POSITIVE_INFINITY : (timeout ?? pingTimeout),
      seq: this.#out[before]?.seq,
      signal,
      end: undefined,
    };
    this.#asked.push(asked);
    promise.then(
      (latency) => {
        asked.end = { how: 'pong', latency };
      },
      (reason: unknown) => {
        asked.end = { how: howItFailed(reason, signal) };
      },
    );
  }

  #pong(which: number): void {
    const ping = this.#out[which % Math.max(1, this.#out.length)];
    if (ping === undefined) return;
    // Of bare ones it answers the first that is not given up, and where very many are out some are
    // forgotten: only what is certain counts.
    const isFirst = this.#out.every(({ id, seq }) => id !== undefined || seq >= ping.seq);
    const isYoung = this.scheduler.now() - ping.at <= this.driver.heartbeat.pingTimeout;
    const isCertain = this.#out.length <= 16 && (ping.id !== undefined || (isFirst && isYoung));
    const isOpen = !['idle', 'dead'].includes(this.driver.heartbeat.status);
    this.#expected = { how: 'pong', upTo: isCertain && isOpen ? ping.seq : -1 };
    this.driver.receiveBeat({ type: 'pong', id: ping.id });
    this.#out = this.#out.filter(({ seq }) => seq > (isCertain ? ping.seq : -1));
  }

  #abort(which: number): void {
    this.#expected = { how: 'abort', upTo: 0 };
    this.#asked[which % Math.max(1, this.#asked.length)]?.signal.abort();
  }

  #reopen(): void {
    this.#expected = { how: 'close', upTo: Number.POSITIVE_INFINITY };
    this.driver.close(new ConnectionClosedError());
    this.driver.open();
    this.#out = [];
    this.#died = false;
  }
}

function howItFailed(reason: unknown, signal: Signal): 'timeout' | 'close' | 'abort' {
  if (reason === signal.reason) return 'abort';
  if (reason instanceof PingTimeoutError) return 'timeout';
  expect(reason).toBeInstanceOf(ConnectionClosedError);
  return 'close';
}
