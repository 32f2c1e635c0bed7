import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/reconnect/dialer.ts';
import { KINDS } from '../fake-server.ts';
import { dial, eventsOf, namesOf, type Stage, settle } from '../stage.ts';

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
      expect(causesOf(stage)).toMatchObject([{ reason: 'no-address', code: 1006, wasOpen: false }]);
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
});
