import type { WebSocketLike } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LifecycleListener } from '../../src/page/page-lifecycle.ts';
import type { Attempt } from '../../src/reconnect/dialer.ts';
import { logTo } from '../../src/reconnect/log.ts';
import type { ReadySocket, ReconnectOptions } from '../../src/reconnect/options.ts';
import { FakeServer, KINDS, type Link, silentPeer } from '../fake-server.ts';
import { reportedErrors } from '../reported-errors.ts';
import { dial, dialOpen, eventsOf, expectEnded, namesOf, type Stage, settle } from '../stage.ts';

afterEach(() => vi.unstubAllGlobals());

/** A promise and what settles it. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((one, other) => {
    resolve = one;
    reject = other;
  });
  return { promise, resolve, reject };
}

function causesOf({ log }: Stage) {
  return eventsOf(log, 'retry').map(({ detail }) => detail.cause);
}

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
  describe('with functions for its address', () => {
    it('asks them anew at each attempt, and tells how the last one ended', async () => {
      const asked: Attempt[] = [];
      const url = (attempt: Attempt) => {
        asked.push(attempt);
        return Promise.resolve(`ws://test/${asked.length}`);
      };
      const protocols = ({ attempt }: Attempt) => [`token.${attempt}`];
      const { scheduler, server, socket } = dial(kind, {}, 'accept', url, protocols);
      expect([socket.readyState, socket.url]).toEqual([0, '']);
      await settle();
      scheduler.advance(30);
      expect([socket.url, socket.protocol]).toEqual(['ws://test/1', 'token.0']);
      server.last.peer.close(4001, 'expired');
      scheduler.advance(10 + 250);
      await settle();
      scheduler.advance(30);
      expect([socket.url, socket.protocol]).toEqual(['ws://test/2', 'token.1']);
      const lastClose = expect.objectContaining({ reason: 'peer-close', code: 4001 });
      expect(asked).toMatchObject([
        { attempt: 0, lastClose: undefined },
        { attempt: 1, lastClose },
      ]);
    });

    it('takes an address from one and none from the other', async () => {
      const { scheduler, server } = dial(kind, {}, 'accept', 'ws://test/fixed', () => undefined);
      await settle();
      scheduler.advance(30);
      expect(server.last.protocols).toBeUndefined();
      expect(server.last.client.url).toBe('ws://test/fixed');
    });

    it('limits asking and dialling together by connectTimeout', async () => {
      const { promise, resolve } = deferred<string>();
      const signals: AbortSignal[] = [];
      const stage = dial(kind, {}, 'ignore', ({ signal }) => {
        signals.push(signal);
        return promise;
      });
      const { scheduler, server } = stage;
      await settle();
      scheduler.advance(6_000);
      resolve('ws://test/');
      await settle();
      expect(server.links).toHaveLength(1);
      scheduler.advance(3_999);
      expect(signals[0]?.aborted).toBe(false);
      scheduler.advance(1);
      expect(causesOf(stage)).toMatchObject([{ reason: 'connect-timeout', wasOpen: false }]);
      expect(signals[0]?.aborted).toBe(true);
    });

    it('does not dial what comes too late', async () => {
      const { promise, resolve } = deferred<string>();
      const stage = dial(kind, { connectTimeout: 1_000, maxAttempts: 1 }, 'accept', () => promise);
      const { scheduler, server, log } = stage;
      await settle();
      scheduler.advance(1_000);
      expect(namesOf(log)).toEqual(['retry']);
      resolve('ws://test/');
      await settle();
      expect(server.links).toEqual([]);
      scheduler.advance(250);
      await settle();
      expect(server.links).toHaveLength(1); // the second attempt
    });

    const mistake = new Error('no token');
    it.each([
      [
        'that throws',
        () => {
          throw mistake;
        },
        mistake,
      ],
      ['that rejects', () => Promise.reject(mistake), mistake],
      [
        'whose address is bad',
        () => 'ftp://test/',
        expect.objectContaining({ name: 'SyntaxError' }),
      ],
      ['that gives nothing', () => undefined as never, expect.any(TypeError)],
    ])('counts one %s as a failed attempt, with the error', async (_, broken, error) => {
      let isBroken = true;
      const url = () => (isBroken ? broken() : 'ws://test/');
      const stage = dial(kind, {}, 'accept', url);
      const { scheduler, server, log } = stage;
      await settle();
      expect(namesOf(log)).toEqual(['error', 'retry']);
      expect(eventsOf(log, 'error')[0]).toMatchObject({ error });
      expect(causesOf(stage)).toMatchObject([{ reason: 'abnormal', code: 1006, wasOpen: false }]);
      isBroken = false;
      scheduler.advance(250);
      await settle();
      scheduler.advance(30);
      expect(server.live).toBe(1);
    });

    it('closes while it asks, and is answered in vain', async () => {
      const { promise, resolve } = deferred<string>();
      let told: AbortSignal | undefined;
      const stage = dial(kind, {}, 'accept', ({ signal }) => {
        told = signal;
        return promise;
      });
      await settle();
      stage.socket.close();
      expect(stage.socket.readyState).toBe(2);
      stage.scheduler.advance(0);
      expect(told?.aborted).toBe(true);
      expect(namesOf(stage.log)).toEqual(['close']);
      resolve('ws://test/');
      await settle();
      expect(stage.server.links).toEqual([]);
      stage.scheduler.advance(2_000);
      expect(stage.scheduler.pending).toBe(0);
      expect(namesOf(stage.log)).toEqual(['close']);
    });

    it('may be closed or reconnected by what it asks', async () => {
      let asked = 0;
      const stage = dial(kind, {}, 'accept', () => {
        asked += 1;
        if (asked === 1) stage.socket.reconnect();
        if (asked === 3) stage.socket.close();
        return 'ws://test/';
      });
      await settle();
      stage.scheduler.advance(0);
      await settle();
      expect(stage.server.links).toHaveLength(1);
      stage.server.last.reset();
      stage.scheduler.advance(250);
      await settle();
      expect(stage.server.links).toHaveLength(1);
      stage.scheduler.advance(2_000);
      expect(stage.scheduler.pending).toBe(0);
      expect(stage.socket.readyState).toBe(3);
    });
  });

  describe('with ready', () => {
    /** Opens with a hook that waits to be told. */
    const dialReadying = (options: ReconnectOptions = {}) => {
      const { promise, resolve, reject } = deferred<void>();
      const given: { socket: ReadySocket; signal: AbortSignal }[] = [];
      const ready = (socket: ReadySocket, { signal }: { readonly signal: AbortSignal }) => {
        given.push({ socket, signal });
        socket.send('login');
        return promise;
      };
      const stage = dial(kind, { ready, ...options });
      return { ...stage, stage, given, resolve, reject };
    };

    it('sends what open listeners send, what ready sends, and then the queue', async () => {
      const { scheduler, server, socket, resolve } = dialReadying();
      socket.send('queued');
      socket.addEventListener('open', () => socket.send('of a listener'));
      scheduler.advance(10);
      socket.send('meanwhile');
      expect(socket.bufferedAmount).toBe(6 + 9);
      scheduler.advance(10);
      expect(server.last.received).toEqual(['of a listener', 'login']);
      resolve();
      await settle();
      socket.send('later');
      scheduler.advance(10);
      const all = ['of a listener', 'login', 'queued', 'meanwhile', 'later'];
      expect(server.last.received).toEqual(all);
      expect(socket.bufferedAmount).toBe(0);
      scheduler.advance(60_000);
      expect(server.links).toHaveLength(1); // its timeout has ended
    });

    it('gives it the socket of the connection without pings and pongs', async () => {
      const { scheduler, server, given } = dialReadying();
      scheduler.advance(10);
      const events: unknown[] = [];
      const [{ socket } = {}] = given;
      const removed = () => events.push('removed');
      socket?.addEventListener('message', removed);
      socket?.removeEventListener('message', removed);
      socket?.addEventListener('message', ({ data }) => events.push(data));
      socket?.addEventListener('close', ({ code }) => events.push(code));
      expect([socket?.url, socket?.protocol]).toEqual([server.last.client.url, '']);
      server.last.peer.send('welcome');
      scheduler.advance(20);
      server.last.peer.close(4001);
      scheduler.advance(20);
      expect(events).toEqual(['welcome', 4001]);
    });

    it('takes a rejection for the end of the attempt', async () => {
      const { scheduler, server, socket, stage, given, reject } = dialReadying();
      socket.send('patient');
      scheduler.advance(30);
      reject(new Error('wrong password'));
      await settle();
      expect(namesOf(stage.log)).toEqual(['open', 'error']);
      scheduler.advance(1_000); // the server might have closed meanwhile
      expect(namesOf(stage.log)).toEqual(['open', 'error', 'close', 'retry']);
      expect(eventsOf(stage.log, 'error')[0]).toMatchObject({ error: new Error('wrong password') });
      expect(causesOf(stage)).toMatchObject([{ reason: 'not-ready', wasOpen: true }]);
      expect(given[0]?.signal.aborted).toBe(true);
      expect(server.live).toBe(0);
      expect(socket.bufferedAmount).toBe('patient'.length);
    });

    it('takes an error that is thrown for the same', async () => {
      const ready = () => {
        throw new Error('no password');
      };
      const stage = dial(kind, { ready });
      stage.scheduler.advance(30);
      await settle();
      stage.scheduler.advance(1_000);
      expect(namesOf(stage.log)).toEqual(['open', 'error', 'close', 'retry']);
    });

    describe('once it has rejected', () => {
      /** A server that says `auth_invalid`; then it does what is asked for. */
      async function dialRejected(end: (link: Link) => void) {
        const all = dialReadying();
        const { scheduler, server, reject } = all;
        scheduler.advance(30);
        reject(new Error('auth_invalid'));
        await settle();
        all.socket.send('patient');
        scheduler.advance(300);
        end(server.last);
        scheduler.advance(20);
        return all;
      }

      it('gives up if the server closes with a fatal code', async () => {
        const { server, stage } = await dialRejected(({ peer }) =>
          peer.close(4401, 'auth_invalid'),
        );
        const [giveup] = eventsOf(stage.log, 'giveup');
        const cause = { reason: 'fatal', code: 4401, text: 'auth_invalid', wasOpen: true };
        expect(giveup?.detail.cause).toMatchObject(cause);
        expect(server.last.received).toEqual(['login']); // nothing that waited
        expectEnded(stage, 1);
      });

      it('gives up so even if the server never answered our ping', async () => {
        const all = dialReadying();
        const { scheduler, server, stage, reject } = all;
        server.answer = silentPeer;
        scheduler.advance(30);
        reject(new Error('auth_invalid'));
        await settle();
        server.last.peer.close(4401);
        scheduler.advance(20);
        expect(eventsOf(stage.log, 'giveup')).toHaveLength(1);
      });

      it.each([
        ['closes with 4001', (link: Link) => link.peer.close(4001, 'later'), 4001],
        ['is reset', (link: Link) => link.reset(), 1006],
      ] as const)('dials again, without more delay, if the connection %s', async (_, end, code) => {
        const { stage, scheduler, server } = await dialRejected(end);
        expect(causesOf(stage)).toMatchObject([{ reason: 'not-ready', code }]);
        scheduler.advance(1_000);
        expect(server.links).toHaveLength(2);
      });

      it('waits a second at most, and for nothing that is late', async () => {
        const { scheduler, server, stage } = await dialRejected(() => {});
        scheduler.advance(679);
        expect(causesOf(stage)).toEqual([]);
        scheduler.advance(1);
        expect(causesOf(stage)).toMatchObject([{ reason: 'not-ready', code: 1006 }]);
        server.links[0]?.dispatch({ type: 'close', code: 4401, reason: '', wasClean: true });
        expect(eventsOf(stage.log, 'giveup')).toEqual([]);
      });

      it('closes when the application does', async () => {
        const { scheduler, socket, stage } = await dialRejected(() => {});
        socket.close();
        scheduler.advance(20);
        expectEnded(stage, 1);
      });
    });

    it('waits for it no longer than readyTimeout', async () => {
      const { scheduler, server, stage, given, resolve } = dialReadying({ readyTimeout: 2_000 });
      scheduler.advance(10 + 1_999);
      expect(server.live).toBe(1);
      scheduler.advance(1);
      expect(causesOf(stage)).toMatchObject([{ reason: 'ready-timeout', code: 3008 }]);
      expect(given[0]?.signal.aborted).toBe(true);
      const log = [...stage.log];
      resolve();
      await settle();
      expect(stage.log).toEqual(log);
    });

    it('waits for ever with readyTimeout: false', () => {
      const { scheduler, server } = dialReadying({ readyTimeout: false });
      scheduler.advance(3_600_000);
      expect(server.links).toHaveLength(1);
    });

    it('closes meanwhile, and what was queued is told', async () => {
      const { scheduler, socket, stage, given, resolve } = dialReadying();
      scheduler.advance(20);
      socket.send('too late');
      socket.close(4001, 'enough');
      expect(given[0]?.signal.aborted).toBe(true);
      resolve();
      await settle();
      scheduler.advance(20);
      expect(eventsOf(stage.log, 'drop')[0]?.detail).toEqual({
        messages: ['too late'],
        reason: 'close',
      });
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 4001, wasClean: true });
      expect(stage.server.last.received).toEqual(['login']);
      expectEnded(stage, 1);
    });

    it('keeps the queue when the connection is lost meanwhile', async () => {
      const { scheduler, server, socket, resolve } = dialReadying();
      socket.send('patient');
      scheduler.advance(20);
      server.last.reset();
      resolve();
      await settle();
      scheduler.advance(260);
      await settle();
      scheduler.advance(10);
      expect(server.links.map(({ received }) => received)).toEqual([
        ['login'],
        ['login', 'patient'],
      ]);
    });

    it('is not asked of a connection that a listener of open closes', () => {
      const { scheduler, socket, given } = dialReadying();
      socket.addEventListener('open', () => socket.close());
      scheduler.advance(2_000);
      expect(given).toEqual([]);
    });

    it('counts stableFor from there, not from the open', async () => {
      const { scheduler, server, stage, resolve } = dialReadying({ stableFor: 1_000 });
      const lose = async (after: number) => {
        scheduler.advance(after);
        server.last.reset();
        scheduler.advance(10_000);
        await settle();
      };
      scheduler.advance(5_000);
      resolve();
      await settle();
      await lose(999);
      await lose(0);
      const attempts = eventsOf(stage.log, 'retry').map(({ detail }) => detail.attempt);
      expect(attempts).toEqual([1, 2]); // it was open for long, and ready for 999 ms and for none
    });

    it('counts stableFor from there: who never becomes ready is dialled ever later', async () => {
      const ready = () => new Promise(() => {});
      const stage = dial(kind, { ready, stableFor: 1_000 });
      stage.scheduler.advance(60_000);
      const attempts = eventsOf(stage.log, 'retry').map(({ detail }) => detail.attempt);
      expect(attempts.slice(0, 3)).toEqual([1, 2, 3]);
    });
  });

  describe('waits as long as the server asks', () => {
    const lose = (stage: Stage, beat: string, text = ''): number | undefined => {
      stage.server.last.peer.send(beat);
      stage.server.last.peer.close(1012, text);
      stage.scheduler.advance(10);
      return eventsOf(stage.log, 'retry')[0]?.detail.delay;
    };

    it.each([
      ['\u0005wb;retryAfter=5000', '', 5_000],
      ['\u0005wb;retryAfter=0', '', 250],
      ['\u0005wb;retryAfter=9999999', '', 600_000],
      ['\u0005wb;retryAfter=soon', '', 250],
      ['\u0005wb;pingInterval=20000', 'restart; retryAfter=3000', 3_000],
      ['\u0005wb', 'retryAfter=3000', 3_000],
      ['\u0005wb', 'retryAfter=', 250],
      ['\u0005wb;retryAfter=7000', 'retryAfter=3000', 7_000],
    ])('by %j and %j', (beat, text, delay) => {
      expect(lose(dialOpen(kind), beat, text)).toBe(delay);
    });

    it('tells it in the record', () => {
      const stage = dialOpen(kind);
      lose(stage, '\u0005wb;retryAfter=5000');
      expect(causesOf(stage)).toMatchObject([{ retryAfter: 5_000, code: 1012 }]);
    });

    it('by its last word', () => {
      const stage = dialOpen(kind);
      stage.server.last.peer.send('\u0005wb;retryAfter=5000');
      stage.server.last.peer.send('\u0005wb');
      expect(lose(stage, '\u0005wb;retryAfter=6000')).toBe(6_000);
    });

    it('not by what it answers: an echo asks for nothing', () => {
      expect(lose(dialOpen(kind), '\u0006wb;retryAfter=5000')).toBe(250);
    });

    it('and on the next connection no longer', () => {
      const stage = dialOpen(kind);
      lose(stage, '\u0005wb;retryAfter=5000');
      stage.scheduler.advance(5_020);
      stage.server.last.reset();
      expect(eventsOf(stage.log, 'retry')[1]?.detail.delay).toBe(500);
    });
  });

  describe('fatalCodes', () => {
    it('end it, and those of the default do not', () => {
      const fatal = dialOpen(kind, { fatalCodes: [1008] });
      fatal.server.last.peer.close(1008, 'flood');
      fatal.scheduler.advance(10);
      const giveup = eventsOf(fatal.log, 'giveup')[0];
      expect(giveup?.detail.cause).toMatchObject({ reason: 'fatal', code: 1008 });
      const other = dialOpen(kind, { fatalCodes: [1008] });
      other.server.last.peer.close(4400);
      other.scheduler.advance(1_000);
      expect(other.server.live).toBe(1);
    });
  });

  describe('drops by queuePolicy', () => {
    it.each([
      ['drop-oldest', ['b', 'c'], 'a'],
      ['drop-newest', ['a', 'b'], 'c'],
    ] as const)('%s, and says what', (queuePolicy, sent, dropped) => {
      const { scheduler, server, socket, log } = dial(kind, { queuePolicy, maxQueuedMessages: 2 });
      for (const message of ['a', 'b', 'c']) socket.send(message);
      expect(eventsOf(log, 'drop').map(({ detail }) => detail)).toEqual([
        { messages: [dropped], reason: 'overflow' },
      ]);
      expect(socket.bufferedAmount).toBe(2);
      scheduler.advance(30);
      expect(server.last.received).toEqual(sent);
    });

    it('tells at the end what was never sent, and counts it as the standard does', () => {
      const stage = dial(kind, { maxAttempts: 1 }, 'refuse');
      stage.socket.send('never');
      stage.scheduler.advance(1_000);
      expect(namesOf(stage.log).slice(-3)).toEqual(['drop', 'giveup', 'close']);
      expect(eventsOf(stage.log, 'drop')[0]?.detail).toEqual({
        messages: ['never'],
        reason: 'close',
      });
      expect(stage.socket.bufferedAmount).toBe(5);
      expectEnded(stage, 1);
    });
  });

  describe('with maxAge', () => {
    const maxAge = 60_000; // of which chance takes 3 s: half of a tenth

    it('replaces a connection before it is so old, at once', () => {
      const { scheduler, server, socket, log } = dialOpen(kind, { maxAge });
      log.length = 0;
      scheduler.advanceTo(10 + 57_000 - 1);
      const [old] = server.links;
      const codes: unknown[] = [];
      old?.peer.addEventListener('close', ({ code, reason }) => codes.push(code, reason));
      expect(old?.client.readyState).toBe(1);
      socket.send('just before');
      scheduler.advance(1);
      expect(old?.client.readyState).toBe(2);
      expect(socket.readyState).toBe(0);
      socket.send('in the meantime');
      scheduler.advance(20);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 1000, reason: 'rotation' });
      expect(eventsOf(log, 'retry')[0]?.detail).toMatchObject({
        attempt: 0,
        delay: 0,
        cause: { reason: 'rotation' },
      });
      expect(server.links.map(({ received }) => received)).toEqual([
        ['just before'],
        ['in the meantime'],
      ]);
      expect(codes).toEqual([1000, 'rotation']);
      expect(server.links).toHaveLength(2);
      expect(server.mostLive).toBe(1);
    });

    it('again and again, whatever shouldReconnect and maxAttempts say', () => {
      const options = { maxAge, maxAttempts: 0, shouldReconnect: () => false };
      const { scheduler, server } = dialOpen(kind, options);
      scheduler.advance(600_000);
      expect(server.links).toHaveLength(11);
    });

    it('waits while the link is suspect, and until what was sent is gone', () => {
      const stage = dialOpen(kind, {
        maxAge,
        pingInterval: 55_000,
        pingTimeout: 10_000,
        makeBeforeBreak: false,
      });
      const { scheduler, server, log } = stage;
      server.last.client.bufferedAmount = 5;
      scheduler.advanceTo(60_000);
      expect(server.links.map(({ client }) => client.readyState)).toEqual([1]);
      server.last.client.bufferedAmount = 0;
      scheduler.advance(1_500);
      expect(server.links).toHaveLength(2);
      server.last.cut();
      scheduler.advance(70_000);
      const causes = eventsOf(log, 'retry').map(({ detail }) => detail.cause.reason);
      expect(causes).toEqual(['rotation', 'ping-timeout']);
    });

    it('is off once it is closed, or lost', () => {
      const stage = dialOpen(kind, { maxAge });
      stage.scheduler.advanceTo(50_000);
      stage.server.last.reset();
      stage.scheduler.advanceTo(100_000);
      expect(stage.server.links).toHaveLength(2);
      stage.socket.close();
      expectEnded(stage, 2);
    });

    it('dials by the backoff when the new connection fails', () => {
      const { scheduler, server, log } = dialOpen(kind, { maxAge });
      server.greeting = 'refuse';
      scheduler.advanceTo(58_000);
      const delays = eventsOf(log, 'retry').map(({ detail }) => detail.delay);
      expect(delays.slice(0, 3)).toEqual([0, 250, 500]);
    });
  });

  describe('reconnect()', () => {
    it('leaves an open connection and dials at once', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      log.length = 0;
      socket.reconnect();
      expect(socket.readyState).toBe(0);
      scheduler.advance(10);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(eventsOf(log, 'retry')[0]?.detail).toMatchObject({
        delay: 0,
        cause: { reason: 'reconnect', wasOpen: true },
      });
      expect(socket.readyState).toBe(1);
      expect(server.mostLive).toBe(1);
    });

    it('leaves an attempt that hangs', () => {
      const { scheduler, server, socket } = dial(kind, {}, 'ignore');
      scheduler.advance(5_000);
      server.greeting = 'accept';
      socket.reconnect();
      scheduler.advance(10);
      expect(socket.readyState).toBe(1);
      expect(server.links).toHaveLength(2);
    });

    it('ends a wait, and begins the backoff anew', () => {
      const { scheduler, server, socket, log } = dial(kind, {}, 'refuse');
      scheduler.advanceTo(5_000);
      const { length } = server.links;
      const before = eventsOf(log, 'retry').length;
      socket.reconnect();
      expect(server.links).toHaveLength(length + 1);
      scheduler.advance(10);
      expect(eventsOf(log, 'retry')[before]?.detail).toMatchObject({ attempt: 1, delay: 250 });
      socket.reconnect();
      server.greeting = 'accept';
      socket.reconnect();
      scheduler.advance(60_000);
      expect(server.mostLive).toBe(1);
      expect(socket.readyState).toBe(1);
    });

    it('dials at once in a listener of close', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      socket.addEventListener('close', () => socket.reconnect(), { once: true });
      server.last.peer.close(1001);
      scheduler.advance(10);
      expect(server.links).toHaveLength(2);
      expect(namesOf(log)).toEqual(['open', 'close']); // nothing was waited for
      scheduler.advance(1_000);
      expect(server.mostLive).toBe(1);
      expect(socket.readyState).toBe(1);
    });

    it.each(['close', 'giveup'])('does nothing after %s', (end) => {
      const stage = dialOpen(kind);
      if (end === 'close') stage.socket.close();
      else stage.server.last.peer.close(4400);
      stage.socket.addEventListener('close', () => stage.socket.reconnect());
      if (end === 'close') stage.socket.reconnect();
      stage.scheduler.advance(100);
      stage.socket.reconnect();
      expectEnded(stage, 1);
      expect(stage.server.links).toHaveLength(1);
    });
  });
});

describe('ReconnectingWebSocket', () => {
  describe('with a signal', () => {
    /** A signal that counts its listeners. */
    const countingSignal = () => {
      const controller = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = controller.signal;
      const signal = Object.assign(controller.signal, {
        addEventListener(...args: never[]) {
          listeners += 1;
          Reflect.apply(addEventListener, signal, args);
        },
        removeEventListener(...args: never[]) {
          listeners -= 1;
          Reflect.apply(removeEventListener, signal, args);
        },
      });
      return { controller, signal, count: () => listeners };
    };

    it('closes for good when that is aborted', () => {
      for (const at of [5, 30, 100]) {
        const { controller, signal, count } = countingSignal();
        const stage = dial('ws', { signal });
        stage.scheduler.advance(at);
        if (at === 100) stage.server.last.reset();
        expect(count()).toBe(1);
        controller.abort();
        expect(stage.socket.readyState).toBe(2);
        expectEnded(stage, at === 100 ? 2 : 1);
        expect(count()).toBe(0);
      }
    });

    it('dials nobody when that is aborted already', () => {
      const stage = dial('ws', { signal: AbortSignal.abort() });
      expect(stage.socket.readyState).toBe(2);
      stage.scheduler.advance(0);
      expect(namesOf(stage.log)).toEqual(['close']);
      expect(stage.server.links).toEqual([]);
      expect(stage.scheduler.pending).toBe(0);
    });

    it.each(['close', 'giveup'])('lets go of it after %s', (end) => {
      const { signal, count } = countingSignal();
      const stage = dialOpen('ws', { signal });
      if (end === 'close') stage.socket.close();
      else stage.server.last.peer.close(4400);
      stage.scheduler.advance(100);
      expect(stage.socket.readyState).toBe(3);
      expect(count()).toBe(0);
    });
  });

  describe('with a function that creates the sockets', () => {
    it('makes its sockets by that', () => {
      const made: unknown[][] = [];
      const { WebSocket } = dial().server;
      const stage = dial(
        'ws',
        {
          WebSocket: (url, protocols) => {
            made.push([url, protocols]);
            return new WebSocket(url, protocols);
          },
        },
        'accept',
        'http://TEST/',
        'chat',
      );
      stage.socket.binaryType = 'arraybuffer';
      expect(made).toEqual([['ws://test/', ['chat']]]);
      expect(stage.socket.url).toBe('ws://test/');
    });
  });

  describe('with a function that closes what it creates', () => {
    it.each(['returns a socket', 'throws'])('and %s', (then) => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler);
      let calls = 0;
      const made: WebSocketLike[] = [];
      const stage = dial('ws', {
        scheduler,
        WebSocket: (url, protocols) => {
          calls += 1;
          if (calls === 2) stage.socket.close();
          if (calls === 2 && then === 'throws') throw new Error('closed');
          made.push(new server.WebSocket(url, protocols));
          return made.at(-1) as WebSocketLike;
        },
      });
      scheduler.advance(30);
      server.last.reset();
      scheduler.advance(5_000);
      expect(stage.socket.readyState).toBe(3);
      expect(namesOf(stage.log).filter((name) => name === 'close')).toHaveLength(2);
      expect(server.live).toBe(0);
      expect(calls).toBe(2);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('with observe', () => {
    it('logs each event before its listeners, and no message', () => {
      const entries: unknown[][] = [];
      const logger = {
        debug: (...entry: unknown[]) => entries.push(['debug', ...entry]),
        warn: (...entry: unknown[]) => entries.push(['warn', ...entry]),
      };
      const stage = dialOpen('ws', {
        observe: logTo(logger),
        queuePolicy: 'drop-newest',
        maxQueuedMessages: 1,
      });
      stage.server.last.peer.send('secret');
      stage.server.last.peer.close(1001);
      stage.scheduler.advance(10);
      stage.socket.send('secret');
      stage.socket.send('secret');
      stage.socket.close();
      stage.scheduler.advance(2_000);
      const told = entries.map(([level, text]) => `${level} ${text}`);
      expect(told).toEqual([
        'debug wirebeat: open',
        'debug wirebeat: alive',
        'debug wirebeat: ping',
        'debug wirebeat: pong',
        'debug wirebeat: close',
        'debug wirebeat: retry',
        'warn wirebeat: drop',
        'warn wirebeat: drop',
        'debug wirebeat: close',
      ]);
      expect(JSON.stringify(entries)).not.toContain('secret');
      expect(entries[4]?.[2]).toMatchObject({ reason: 'peer-close', code: 1001 });
    });

    it('reports what the observer throws, and emits the event', async () => {
      const observe = () => {
        throw new Error('of the observer');
      };
      const errors = await reportedErrors(() => {
        const { scheduler, server, socket } = dialOpen('ws', { observe });
        server.last.cut();
        scheduler.advance(40_000);
        expect(socket.readyState).toBe(1);
      });
      expect(errors.length).toBeGreaterThan(3);
      expect(new Set(errors.map(String))).toEqual(new Set(['Error: of the observer']));
    });
  });

  describe('by the hints of its lifecycle', () => {
    const watched = () => {
      const listeners = new Set<LifecycleListener>();
      const lifecycle = {
        watch(listener: LifecycleListener) {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      };
      const hint = () => {
        for (const listener of [...listeners]) listener.hint();
      };
      return { lifecycle, hint, listeners };
    };

    it('ends a wait: each wait once', () => {
      const { lifecycle, hint, listeners } = watched();
      const { scheduler, server } = dial('ws', { lifecycle }, 'refuse');
      scheduler.advance(10);
      expect(server.links).toHaveLength(1);
      hint();
      expect(server.links).toHaveLength(2);
      hint();
      hint();
      expect(server.links).toHaveLength(2);
      scheduler.advance(10);
      hint();
      expect(server.links).toHaveLength(3);
      server.greeting = 'accept';
      scheduler.advance(10);
      hint();
      scheduler.advance(30);
      expect(server.links).toHaveLength(4);
      expect(listeners.size).toBe(1); // that of the heartbeat
    });

    it('does not hurry while offline', () => {
      const { lifecycle, hint } = watched();
      const { scheduler, server } = dial('ws', { lifecycle }, 'refuse');
      vi.stubGlobal('navigator', { onLine: false });
      scheduler.advance(10);
      hint();
      expect(server.links).toHaveLength(1);
      vi.stubGlobal('navigator', { onLine: true });
      hint();
      expect(server.links).toHaveLength(2);
    });

    it('does not hurry when the server asked to wait', () => {
      const { lifecycle, hint } = watched();
      const { scheduler, server } = dialOpen('ws', { lifecycle });
      server.last.peer.close(1012, 'retryAfter=5000');
      scheduler.advance(10);
      hint();
      expect(server.links).toHaveLength(1);
      scheduler.advance(4_999);
      expect(server.links).toHaveLength(1);
      scheduler.advance(1);
      expect(server.links).toHaveLength(2);
    });

    it('lets go of it when it is closed, and asks for none with lifecycle: false', () => {
      const { lifecycle, listeners } = watched();
      const stage = dial('ws', { lifecycle }, 'refuse');
      stage.scheduler.advance(10);
      expect(listeners.size).toBe(1);
      stage.socket.close();
      expect(listeners.size).toBe(0);
      const without = dial('ws', { lifecycle: false }, 'refuse');
      without.scheduler.advance(1_000);
      expect(without.server.links.length).toBeGreaterThan(1);
    });
  });

  describe('while offline', () => {
    it('goes on at maxDelay, and counts nothing', () => {
      vi.stubGlobal('navigator', { onLine: false });
      const options = { maxAttempts: 2, backoff: { maxDelay: 8_000 } };
      const { scheduler, log } = dial('ws', options, 'refuse');
      scheduler.advance(60_000);
      const retries = eventsOf(log, 'retry').map(({ detail }) => [detail.attempt, detail.delay]);
      expect(retries).toEqual(Array(8).fill([0, 8_000]));
      vi.stubGlobal('navigator', { onLine: true });
      scheduler.advance(60_000);
      expect(namesOf(log)).toContain('giveup');
    });

    it('does not give up where it would have', () => {
      const { scheduler, log } = dial('ws', { maxAttempts: 1 }, 'refuse');
      scheduler.advance(10);
      vi.stubGlobal('navigator', { onLine: false });
      scheduler.advance(1_000);
      expect(namesOf(log)).not.toContain('giveup');
    });

    it('dials no second time with maxAttempts: 0', () => {
      vi.stubGlobal('navigator', { onLine: false });
      const stage = dialOpen('ws', { maxAttempts: 0 });
      stage.server.last.reset();
      expect(namesOf(stage.log)).toEqual(['open', 'close', 'giveup']);
      expectEnded(stage, 1);
    });
  });
});
