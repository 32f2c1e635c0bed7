import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { PingPromises } from '../../src/driver/ping-promises.ts';
import { ConnectionClosedError, PingTimeoutError } from '../../src/errors.ts';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import type { Instant } from '../../src/time.ts';
import { outcomeOf } from '../outcome.ts';

const PENDING = { status: 'pending' };
const NEVER = Number.POSITIVE_INFINITY;

function setUp() {
  const scheduler = new VirtualScheduler(1_000);
  const pending = new PingPromises(scheduler);
  const error = new PingTimeoutError(1_000, 2_000);
  const expired = vi.fn(() => error);
  const wait = (seq: number, timeout = NEVER, signal?: AbortSignal) =>
    pending.wait(seq, timeout, signal, expired);
  return { scheduler, pending, error, expired, wait };
}

describe('PingPromises', () => {
  describe('settle', () => {
    it('resolves the ping with the time since it was sent', async () => {
      const { scheduler, pending, wait } = setUp();
      const ping = wait(1);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(40);
      pending.settle(1);
      await expect(ping).resolves.toBe(40);
    });

    it('resolves all pings before it too, each with its own time, and none after', async () => {
      const { scheduler, pending, wait } = setUp();
      const pings = [1, 2, 3, 4].map((seq) => {
        scheduler.advance(10);
        return wait(seq);
      });
      scheduler.advance(5);
      pending.settle(3);
      expect(await Promise.all(pings.map(outcomeOf))).toEqual([
        { status: 'fulfilled', value: 35 },
        { status: 'fulfilled', value: 25 },
        { status: 'fulfilled', value: 15 },
        PENDING,
      ]);
    });

    it('resolves all who wait for the same ping', async () => {
      const { scheduler, pending, wait } = setUp();
      const pings = [wait(1), wait(1)];
      scheduler.advance(7);
      pending.settle(1);
      await expect(Promise.all(pings)).resolves.toEqual([7, 7]);
    });

    it('does nothing without anybody who waits', () => {
      const { scheduler, pending } = setUp();
      pending.settle(5);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('the timeout', () => {
    it('rejects after it and a second look, with the error of that moment', async () => {
      const { scheduler, error, expired, wait } = setUp();
      const ping = wait(1, 1_000);
      scheduler.advance(1_000 + VERDICT_WAIT - 1);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      expect(expired).not.toHaveBeenCalled();
      scheduler.advance(1);
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: error });
      expect(expired).toHaveBeenCalledTimes(1);
      expect(scheduler.pending).toBe(0);
    });

    it('lets a pong count that comes during the second look', async () => {
      const { scheduler, pending, expired, wait } = setUp();
      const ping = wait(1, 1_000);
      scheduler.advance(1_000);
      pending.settle(1);
      await expect(ping).resolves.toBe(1_000);
      scheduler.advance(60_000);
      expect(expired).not.toHaveBeenCalled();
      expect(scheduler.pending).toBe(0);
    });

    it('gives the second look its full time after a stall', async () => {
      const { scheduler, pending, wait } = setUp();
      const ping = wait(1, 1_000);
      scheduler.stall(30_000);
      scheduler.runDue();
      pending.settle(1); // its pong was queued behind the timer
      await expect(ping).resolves.toBe(30_000);
    });

    it('waits again where the timer comes early', async () => {
      const { scheduler, wait } = setUp();
      const at = vi.spyOn(scheduler, 'at');
      const early = (due: Instant, callback: () => void) =>
        VirtualScheduler.prototype.at.call(scheduler, Math.max(due - 500, 1_001), callback);
      at.mockImplementationOnce(early);
      const ping = wait(1, 1_000);
      scheduler.advance(500);
      expect(at).toHaveBeenCalledTimes(2);
      expect(at.mock.lastCall?.[0]).toBe(2_000);
      scheduler.advance(500 + VERDICT_WAIT - 1);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(1);
      expect(await outcomeOf(ping)).toMatchObject({ status: 'rejected' });
    });

    it('of one ping does not touch the others', async () => {
      const { scheduler, wait } = setUp();
      const [brief, long] = [wait(1, 1_000), wait(2, 5_000)];
      scheduler.advance(2_000);
      expect(await outcomeOf(brief)).toMatchObject({ status: 'rejected' });
      expect(await outcomeOf(long)).toEqual(PENDING);
      scheduler.advance(5_000);
      expect(await outcomeOf(long)).toMatchObject({ status: 'rejected' });
    });

    it('sets no timer where it is Infinity', async () => {
      const { scheduler, wait } = setUp();
      const ping = wait(1, NEVER);
      expect(scheduler.pending).toBe(0);
      scheduler.advance(10_000_000);
      expect(await outcomeOf(ping)).toEqual(PENDING);
    });
  });

  describe('the signal', () => {
    it('rejects with its reason', async () => {
      const { scheduler, wait } = setUp();
      const { signal, abort } = abortable();
      const ping = wait(1, 1_000, signal);
      abort('no longer wanted');
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: 'no longer wanted' });
      expect(scheduler.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('rejects at once if it is aborted already', async () => {
      const { scheduler, pending, wait } = setUp();
      const signal = AbortSignal.abort('too late');
      const ping = wait(1, 1_000, signal);
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: 'too late' });
      expect(scheduler.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      pending.settle(1);
    });

    it('is let go when the ping settles, in whichever way', () => {
      const { scheduler, pending, wait } = setUp();
      const { signal } = abortable();
      const pings = [wait(1, NEVER, signal), wait(2, 1_000, signal), wait(3, NEVER, signal)];
      for (const ping of pings) ping.catch(() => {});
      expect(getEventListeners(signal, 'abort')).toHaveLength(1); // for all of them
      pending.settle(1);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      scheduler.advance(1_000 + VERDICT_WAIT);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      pending.rejectAll(new ConnectionClosedError());
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    it('ends the ping it belongs to, and no other', async () => {
      const { pending, wait } = setUp();
      const { signal, abort } = abortable();
      const [one, other] = [wait(1, NEVER, signal), wait(2, NEVER, abortable().signal)];
      abort('one');
      expect(await outcomeOf(one)).toMatchObject({ status: 'rejected' });
      expect(await outcomeOf(other)).toEqual(PENDING);
      pending.settle(2);
      expect(await outcomeOf(other)).toMatchObject({ status: 'fulfilled' });
    });
  });

  describe('rejectAll', () => {
    it('rejects everybody with the error given, and leaves nothing behind', async () => {
      const { scheduler, pending, wait } = setUp();
      const { signal } = abortable();
      const pings = [wait(1), wait(2, 1_000), wait(3, 1_000, signal)];
      const closed = new ConnectionClosedError(1001, 'going away');
      pending.rejectAll(closed);
      for (const outcome of await Promise.all(pings.map(outcomeOf))) {
        expect(outcome).toEqual({ status: 'rejected', reason: closed });
      }
      expect(scheduler.pending).toBe(0);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('lets others wait afterwards', async () => {
      const { pending, wait } = setUp();
      pending.rejectAll(new ConnectionClosedError());
      const ping = wait(1);
      pending.settle(1);
      await expect(ping).resolves.toBe(0);
    });
  });

  it('forgets whoever has settled, in whichever way: nothing of theirs is touched again', () => {
    const ways: [
      way: string,
      settle: (all: ReturnType<typeof setUp>, abort: () => void) => void,
    ][] = [
      ['pong', ({ pending }) => pending.settle(1)],
      ['time', ({ scheduler }) => scheduler.advance(1_000 + VERDICT_WAIT)],
      ['abort', (_, abort) => abort()],
      ['close', ({ pending }) => pending.rejectAll(new ConnectionClosedError())],
    ];
    for (const [way, settle] of ways) {
      const all = setUp();
      const { signal, abort } = abortable();
      const release = vi.spyOn(signal, 'removeEventListener');
      all.wait(1, 1_000, signal).catch(() => {});
      settle(all, () => abort(way));
      expect(release, way).toHaveBeenCalledTimes(1);
      all.pending.settle(1);
      all.pending.rejectAll(new ConnectionClosedError());
      expect(release, way).toHaveBeenCalledTimes(1);
    }
  });

  it('is empty once all pings are settled', () => {
    const { pending, wait } = setUp();
    expect(pending.hasWaiters).toBe(false);
    void wait(1, 1_000);
    expect(pending.hasWaiters).toBe(true);
    pending.settle(1);
    expect(pending.hasWaiters).toBe(false);
  });

  it('settles each ping once, whatever comes later', async () => {
    const { scheduler, pending, expired, wait } = setUp();
    const { signal, abort } = abortable();
    const ping = wait(1, 1_000, signal);
    scheduler.advance(5);
    pending.settle(1);
    abort('late');
    pending.rejectAll(new ConnectionClosedError());
    scheduler.advance(60_000);
    await expect(ping).resolves.toBe(5);
    expect(expired).not.toHaveBeenCalled();
  });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: unknown) => controller.abort(reason) };
}
