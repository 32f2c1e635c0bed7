import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../core/test/simulation.ts';
import { KINDS, minimalPeer } from '../fake-server.ts';
import { act, quitting, setting, World } from '../world.ts';

const TIMEOUTS = ['ping-timeout', 'one-way', 'max-silence', 'connect-timeout'];
/** Of the backoff, and how it grows. */
const MIN_DELAY = 500;
const MAX_DELAY = 30_000;

describe('law 8: a dead link is abandoned, not closed politely', () => {
  it('tells one close, at the instant of the verdict, and has left the socket by then', () => {
    fc.assert(
      fc.property(setting, ({ steps, ...rest }) => {
        const world = new World({ ...rest, maxAttempts: false, makeBeforeBreak: false });
        for (const step of steps) {
          act(world, step);
          world.check();
        }
        const { told } = world;
        for (const [index, { at, name, reason = '', wasOpen }] of told.entries()) {
          if (name !== 'retry' || !TIMEOUTS.includes(reason)) continue;
          const before = told.slice(0, index).findLast((each) => each.name !== 'dead');
          if (wasOpen)
            expect(before).toMatchObject({ name: 'close', at, code: 3008, wasClean: false });
          else expect(before?.name).not.toBe('close');
        }
        // Each verdict on an open socket is one of those.
        const dead = told.filter(({ name }) => name === 'dead').map(({ at }) => at);
        const ends = told.filter(
          ({ name, reason, wasOpen }) =>
            name === 'retry' && wasOpen && TIMEOUTS.includes(reason ?? ''),
        );
        expect(ends.map(({ at }) => at)).toEqual(dead);
      }),
      settings,
    );
  });

  it('dials once for each end, no earlier than its backoff says and no later than it can', () => {
    fc.assert(
      fc.property(setting, ({ steps, ...rest }) => {
        const world = new World({ ...rest, maxAttempts: false, makeBeforeBreak: false });
        for (const step of steps) act(world, step);
        const retries = world.told.filter(({ name }) => name === 'retry');
        const now = world.scheduler.now();
        for (const { at, delay = 0, attempt = 0 } of retries) {
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThan(Math.min(MIN_DELAY * 2 ** (attempt - 1), MAX_DELAY));
          if (at + delay > now) continue;
          if (world.stalledUntil === 0) expect(world.dials).toContain(at + delay);
          else if (at !== retries.at(-1)?.at)
            expect(world.dials.some((dial) => dial >= at + delay)).toBe(true);
        }
      }),
      settings,
    );
  });
});

describe('law 9: generations', () => {
  it('has at most one live socket and one timer, and old sockets change nothing', () => {
    fc.assert(
      fc.property(setting, ({ steps, ...rest }) => {
        const world = new World(rest);
        for (const step of steps) {
          act(world, step);
          world.check();
          world.haunt(Math.max(0, world.server.links.length - 2)); // the one before this
          world.check();
        }
      }),
      settings,
    );
  });

  it('ends for good with close(), whatever is in flight and wherever it is called', () => {
    fc.assert(
      fc.property(setting, quitting, fc.nat(30), ({ steps, ...rest }, quits, closeAt) => {
        const world = new World({ ...rest, quitting: quits });
        for (const [index, step] of steps.entries()) {
          if (index === closeAt) world.socket.close();
          const isClosed = world.socket.readyState >= 2;
          const { story } = world;
          const dialled = world.dials.length;
          act(world, step);
          world.check();
          if (!isClosed) continue;
          expect([story, `${story}c`]).toContain(world.story);
          expect(world.dials.length).toBe(dialled);
        }
        world.socket.close();
        const dialled = world.dials.length;
        world.scheduler.advance(1_000);
        expect(world.socket.readyState).toBe(3);
        const { story } = world;
        world.server.last.mend(); // a handshake that hangs may end now
        world.scheduler.advance(2_000);
        world.check();
        expect(world.server.live).toBe(0);
        expect([world.story, world.dials.length]).toEqual([story, dialled]);
      }),
      settings,
    );
  });

  it('comes back when the server does', () => {
    fc.assert(
      fc.property(setting, ({ steps, ...rest }) => {
        const world = new World({ ...rest, maxAttempts: false });
        for (const step of steps) {
          act(world, step);
          if (world.socket.readyState === 3) return; // a fatal code
        }
        world.server.greeting = 'accept';
        world.server.answer = minimalPeer;
        // The longest way: a stall and its probe, a dead link, the longest wait.
        world.scheduler.advance(46_000 + 20_000 + 30_000 + 10_000);
        if (world.socket.readyState === 3) return;
        expect(world.socket.readyState).toBe(1);
        expect(world.socket.status).toBe('alive');
      }),
      settings,
    );
  });

  it('never loses, doubles or reorders what is sent over a link that holds', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), waits, fc.nat(2_000), (kind, all, refusedFor) => {
        const world = new World({
          kind,
          seed: refusedFor,
          maxAttempts: false,
          makeBeforeBreak: true,
        });
        const { server, scheduler } = world;
        scheduler.at(refusedFor, () => {
          server.greeting = 'accept';
        });
        if (refusedFor > 10) server.greeting = 'refuse';
        for (const wait of all) {
          world.send();
          scheduler.advance(wait);
        }
        scheduler.advance(60_000);
        const expected = all.map((_, index) => `message ${index + 1}`);
        expect(server.links.flatMap(({ received }) => received)).toEqual(expected);
      }),
      settings,
    );
  });
});

describe('law 13: nothing is left running', () => {
  it('has no timer and no listener on any socket once it has closed', () => {
    fc.assert(
      fc.property(setting, quitting, fc.boolean(), ({ steps, ...rest }, quits, disposes) => {
        const world = new World({ ...rest, quitting: quits });
        for (const step of steps) act(world, step);
        if (disposes) world.socket[Symbol.dispose]();
        else world.socket.close();
        world.scheduler.advance(3_000);
        expect(world.socket.readyState).toBe(3);
        expect(world.own.pending).toBe(0);
        for (const { client } of world.server.links) {
          // An abandoned socket keeps the one that hears its errors: `ws` throws them else.
          expect(client.listenerCount).toBeLessThanOrEqual(1);
          expect(Reflect.ownKeys(client)).not.toContain('send');
          expect(Reflect.ownKeys(client)).not.toContain('dispatchEvent');
        }
        const { state } = world;
        world.scheduler.advance(300_000);
        for (const index of world.server.links.keys()) world.haunt(index);
        expect(world.state).toEqual(state);
      }),
      settings,
    );
  });
});
