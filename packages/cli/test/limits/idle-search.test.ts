import type { Instant, Millis } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { IdleFindings } from '../../src/limits/idle-findings.ts';
import {
  IdleSearch,
  type SearchConnection,
  type SearchListener,
} from '../../src/limits/idle-search.ts';

/** What is on the simulated path. Durations are in ms. */
interface Path {
  /** Silence in both directions after which a connection is closed. */
  readonly closesAfter?: Millis;
  /** Silence after which a connection is dropped without notice. */
  readonly dropsAfter?: Millis;
  readonly closesAt?: Millis;
  readonly code?: number;
  /** Everything ends at this time. */
  readonly restartsAt?: Millis;
  readonly serverPingsEvery?: Millis;
  readonly answers?: boolean;
}

const TRIP: Millis = 20;

/** One connection over the path. */
class PathConnection implements SearchConnection {
  readonly #path: Path;
  readonly #scheduler: VirtualScheduler;
  readonly #listener: SearchListener;
  #lastAt: Instant = 0;
  #state: 'open' | 'dropped' | 'ended' = 'open';

  constructor(path: Path, scheduler: VirtualScheduler, listener: SearchListener) {
    this.#path = path;
    this.#scheduler = scheduler;
    this.#listener = listener;
    this.#in(TRIP, () => this.#open());
  }

  ping(): void {
    this.#carry(() => {
      if (this.#path.answers !== false) this.#carry(() => this.#listener.ponged());
    });
  }

  close(): void {
    this.#state = 'ended';
  }

  #open(): void {
    const { closesAt, restartsAt, serverPingsEvery, code = 1006 } = this.#path;
    this.#listener.opened();
    this.#lastAt = this.#scheduler.now();
    if (closesAt !== undefined) this.#in(closesAt, () => this.#end(code));
    if (restartsAt !== undefined) {
      this.#in(Math.max(0, restartsAt - this.#scheduler.now()), () => this.#end(1006));
    }
    if (serverPingsEvery !== undefined) this.#pingFromServer(serverPingsEvery);
    this.#watch();
  }

  #pingFromServer(every: Millis): void {
    this.#in(every, () => {
      this.#carry(() => this.#listener.received());
      this.#pingFromServer(every);
    });
  }

  /** Moves one message over the path, which takes a while. */
  #carry(arrived: () => void): void {
    if (this.#state !== 'open') return;
    this.#lastAt = this.#scheduler.now();
    this.#in(TRIP / 2, () => this.#state === 'open' && arrived());
  }

  #watch(): void {
    const { closesAfter, dropsAfter, code = 1006 } = this.#path;
    const limit = closesAfter ?? dropsAfter;
    if (limit === undefined || this.#state !== 'open') return;
    const rest = this.#lastAt + limit - this.#scheduler.now();
    if (rest > 0) return this.#in(rest, () => this.#watch());
    if (closesAfter !== undefined) this.#end(code);
    else this.#state = 'dropped';
  }

  #end(code: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#listener.ended({ code, text: '' });
  }

  #in(wait: Millis, act: () => void): void {
    this.#scheduler.at(this.#scheduler.now() + wait, act);
  }
}

/** Searches over a path. Returns the findings, and how long the search took in ms. */
function search(path: Path, upTo: Millis): IdleFindings & { readonly took: Millis } {
  const scheduler = new VirtualScheduler();
  let found: (IdleFindings & { readonly took: Millis }) | undefined;
  const port = {
    scheduler,
    connect: (listener: SearchListener) => new PathConnection(path, scheduler, listener),
  };
  const options = { upTo, timeout: 2_000 };
  new IdleSearch(options, port, (findings) => {
    found = { ...findings, took: scheduler.now() };
  }).start();
  scheduler.advance(10 * upTo);
  if (found === undefined) throw new Error('The search never ended');
  return found;
}

describe('IdleSearch', () => {
  it.each([5_000, 8_000, 20_000, 60_000, 350_000])(
    'finds an idle timeout of %d ms within 10 %, and an interval with two pings in it',
    (closesAfter) => {
      const { idle, lifetime, pingInterval } = search({ closesAfter }, 2 * closesAfter);
      expect(idle).toMatchObject({ type: 'closed', code: 1006 });
      const { after = 0 } = idle as { after?: Millis };
      expect(Math.abs(after - closesAfter)).toBeLessThan(0.1 * closesAfter);
      expect(lifetime).toBeUndefined();
      expect(pingInterval).toBeLessThanOrEqual(closesAfter / 2);
      expect(pingInterval).toBeGreaterThan(closesAfter / 4);
    },
  );

  it.each([7_000, 30_000, 61_000])(
    'locates a silent drop after %d ms between two silences that differ by a sixth at most',
    (dropsAfter) => {
      const { idle, pingInterval = 0 } = search({ dropsAfter }, 130_000);
      const { type, from = 0, to = 0 } = idle as { type: string; from?: Millis; to?: Millis };
      expect(type).toBe('dropped');
      expect(from).toBeLessThanOrEqual(dropsAfter);
      expect(to).toBeGreaterThanOrEqual(dropsAfter);
      expect(to / from).toBeLessThan(1.16);
      expect(pingInterval).toBeLessThan(dropsAfter / 2);
    },
  );

  it('distinguishes a lifetime limit from an idle timeout', () => {
    const { idle, lifetime, maxAge } = search({ closesAt: 30_000 }, 60_000);
    expect(idle).toBeUndefined();
    expect(lifetime?.after).toBeCloseTo(30_000, -2);
    expect(maxAge).toBe(27_000);
  });

  it('finds both limits of one path', () => {
    const { idle, lifetime } = search({ closesAfter: 5_000, closesAt: 30_000 }, 60_000);
    expect(idle).toMatchObject({ type: 'closed', after: expect.closeTo(5_000, -2) });
    expect(lifetime?.after).toBeCloseTo(30_000, -2);
  });

  it('returns the longest silence and age without a limit', () => {
    const { idle, lifetime, survivedIdle, survivedAge, pingInterval } = search({}, 60_000);
    expect([idle, lifetime, pingInterval]).toEqual([undefined, undefined, undefined]);
    expect([survivedIdle, survivedAge]).toEqual([60_000, 60_000]);
  });

  it('does not take a restart of the server for a limit', () => {
    const { idle, lifetime, endedTogether } = search({ restartsAt: 20_000 }, 60_000);
    expect([idle, lifetime, endedTogether]).toEqual([undefined, undefined, true]);
  });

  it('notices that the Pings of the server hide longer limits', () => {
    const found = search({ serverPingsEvery: 20_000, closesAfter: 60_000 }, 130_000);
    expect(found.idle).toBeUndefined();
    expect(found.serverInterval).toBeCloseTo(20_000, -2);
    expect(found.survivedIdle).toBeLessThan(21_000);
  });

  it('says nothing about the age if no ping is answered', () => {
    const { isUnanswered, survivedAge } = search({ answers: false }, 10_000);
    expect([isUnanswered, survivedAge]).toEqual([true, 0]);
  });

  it('reports the close code of a server that ends idle connections itself', () => {
    const { idle } = search({ closesAfter: 5_000, code: 4000 }, 20_000);
    expect(idle).toMatchObject({ type: 'closed', code: 4000 });
  });

  it.each([
    ['nothing', {}],
    ['an idle timeout', { closesAfter: 60_000 }],
    ['a silent drop', { dropsAfter: 60_000 }],
  ] as const)('ends in bounded time with %s on the path', (_, path) => {
    const upTo = 130_000;
    expect(search(path, upTo).took).toBeLessThanOrEqual(2 * upTo + 10_000);
  });
});
