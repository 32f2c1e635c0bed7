import type { PeerState } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { Delivery } from '../../src/outbox/delivery.ts';
import type { Lifecycle, LifecycleListener } from '../../src/page/page-lifecycle.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { type ParkingOptions, ParkWhileHidden } from '../../src/reconnect/parking.ts';
import { reportedErrors } from '../reported-errors.ts';
import { dial, dialOpen, eventsOf, expectEnded, namesOf } from '../stage.ts';

const MINUTE = 60_000;

/** A page that a test shows and hides. */
class Page implements Lifecycle {
  readonly listeners = new Set<LifecycleListener>();

  watch(listener: LifecycleListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  become(state: PeerState): void {
    for (const listener of [...this.listeners]) {
      listener.state(state);
      if (state === 'visible') listener.hint();
    }
  }
}

function open(parkingOptions: ParkingOptions = {}, options: ReconnectOptions = {}) {
  const page = new Page();
  const parking = new ParkWhileHidden({ parkAfter: MINUTE, ...parkingOptions });
  return { page, ...dialOpen('browser', { lifecycle: page, parking, ...options }) };
}

describe('ParkWhileHidden', () => {
  it('closes with 1000 after `parkAfter`, and dials when the page is shown', () => {
    const { page, scheduler, server, socket, log } = open();
    page.become('hidden');
    scheduler.advance(MINUTE - 1);
    expect(socket.readyState).toBe(1);
    scheduler.advance(30);
    expect(socket.readyState).toBe(0);
    expect(eventsOf(log, 'close')).toMatchObject([{ code: 1000, reason: 'parked' }]);
    expect(server.live).toBe(0);
    scheduler.advance(60 * MINUTE);
    expect(server.links).toHaveLength(1);
    expect(scheduler.pending).toBe(0);
    page.become('visible');
    scheduler.advance(30);
    expect(socket.readyState).toBe(1);
    expect(namesOf(log)).toEqual(['open', 'close', 'open']);
  });

  it('does nothing on a page that is shown again in time', () => {
    const { page, scheduler, server } = open();
    for (let n = 0; n < 10; n += 1) {
      page.become('hidden');
      page.become('frozen');
      page.become('hidden');
      scheduler.advance(MINUTE - 1_000);
      page.become('visible');
      scheduler.advance(1_000);
    }
    scheduler.advance(5 * MINUTE);
    expect(server.links).toHaveLength(1);
    expect(server.live).toBe(1);
  });

  it('keeps messages sent meanwhile, and sends them when the page is shown', () => {
    const { page, scheduler, server, socket } = open();
    page.become('hidden');
    scheduler.advance(2 * MINUTE);
    socket.send('later');
    scheduler.advance(10 * MINUTE);
    expect(server.links).toHaveLength(1);
    page.become('visible');
    scheduler.advance(50);
    expect(server.last.received).toEqual(['later']);
  });

  it('waits while `unless` returns true, and while messages are not confirmed', () => {
    let isUploading = true;
    const delivery = new Delivery({ resend: true });
    const { page, scheduler, server, socket } = open(
      { unless: () => isUploading },
      { delivery, pingTimeout: 10 * MINUTE, makeBeforeBreak: false },
    );
    page.become('hidden');
    scheduler.advance(5 * MINUTE);
    expect(socket.readyState).toBe(1);
    server.last.cut();
    socket.send('unconfirmed');
    isUploading = false;
    scheduler.advance(MINUTE);
    expect(delivery.unconfirmed).toEqual(['unconfirmed']);
    expect(socket.readyState).toBe(1);
    server.last.mend();
    socket.send('again');
    scheduler.advance(2 * MINUTE);
    expect(delivery.unconfirmed).toEqual([]);
    expect(socket.readyState).toBe(0);
  });

  it('takes an error of `unless` for a veto, and reports it', async () => {
    const error = new Error('broken');
    const reported = await reportedErrors(() => {
      const stage = open({
        unless: () => {
          throw error;
        },
      });
      stage.page.become('hidden');
      stage.scheduler.advance(MINUTE + 12_000);
      expect(stage.socket.readyState).toBe(1);
      stage.socket.close();
      stage.scheduler.advance(2_000);
      expect(stage.scheduler.pending).toBe(0);
    });
    expect(reported).toEqual([error, error, error]);
  });

  it('parks during a wait and during an attempt, and a hint does not end it', () => {
    for (const before of [100, 255]) {
      const { page, scheduler, server, socket } = open({ parkAfter: 1_000 });
      page.become('hidden');
      scheduler.advance(1_000 - before);
      server.greeting = 'ignore';
      server.last.reset();
      scheduler.advance(before);
      const { length } = server.links;
      for (const { hint } of page.listeners) hint();
      scheduler.advance(10 * MINUTE);
      expect(server.links).toHaveLength(length);
      expect(socket.readyState).toBe(0);
      server.greeting = 'accept';
      page.become('visible');
      scheduler.advance(30);
      expect(socket.readyState).toBe(1);
    }
  });

  it('gives way to `reconnect()` and `close()`', () => {
    const { page, ...stage } = open();
    const { scheduler, socket } = stage;
    page.become('hidden');
    scheduler.advance(2 * MINUTE);
    socket.reconnect();
    scheduler.advance(30);
    expect(socket.readyState).toBe(1);
    socket.close();
    scheduler.advance(2_000);
    expect(page.listeners.size).toBe(0);
    page.become('visible');
    expectEnded(stage, 2);
    const parked = open();
    parked.page.become('hidden');
    parked.scheduler.advance(2 * MINUTE);
    parked.socket.close();
    parked.scheduler.advance(100);
    expect(parked.socket.readyState).toBe(3);
    expect(parked.page.listeners.size).toBe(0);
  });

  it('saves most pings of a page that is hidden for an hour', () => {
    const beatsOf = (parking?: ParkWhileHidden) => {
      const page = new Page();
      const options = { lifecycle: page, jitter: 0, pingTimeout: 20_000 };
      const { scheduler, server } = dial('browser', { ...options, ...(parking && { parking }) });
      scheduler.advance(30);
      page.become('hidden');
      scheduler.advance(60 * MINUTE);
      return server.links.reduce((sum, { beats }) => sum + beats.length, 0);
    };
    expect([beatsOf(), beatsOf(new ParkWhileHidden())]).toMatchInlineSnapshot(`
      [
        146,
        13,
      ]
    `);
  });

  it.each([
    [{ parkAfter: 0 }, 'parkAfter'],
    [{ parkAfter: Number.POSITIVE_INFINITY }, 'parkAfter'],
    [{ unless: true }, 'unless'],
  ])('refuses %o', (options, name) => {
    expect(() => new ParkWhileHidden(options as ParkingOptions)).toThrow(`\`${name}\``);
  });
});
