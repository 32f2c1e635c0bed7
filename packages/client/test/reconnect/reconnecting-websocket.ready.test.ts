import { describe, expect, it } from 'vitest';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { prepareWith, type ReadySocket } from '../../src/reconnect/prepare-with.ts';
import { KINDS, type Link, silentPeer } from '../fake-server.ts';
import { dial, eventsOf, expectEnded, namesOf, type Stage, settle } from '../stage.ts';

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
  describe('with ready', () => {
    /** Opens with a hook that waits to be told. */
    const dialReadying = (options: ReconnectOptions = {}) => {
      const { promise, resolve, reject } = deferred<void>();
      const given: { socket: ReadySocket; signal: AbortSignal }[] = [];
      const ready = prepareWith((socket, { signal }) => {
        given.push({ socket, signal });
        socket.send('login');
        return promise;
      });
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
      const ready = prepareWith(() => {
        throw new Error('no password');
      });
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
      const ready = prepareWith(() => new Promise(() => {}));
      const stage = dial(kind, { ready, stableFor: 1_000 });
      stage.scheduler.advance(60_000);
      const attempts = eventsOf(stage.log, 'retry').map(({ detail }) => detail.attempt);
      expect(attempts.slice(0, 3)).toEqual([1, 2, 3]);
    });
  });
});
