import { PingTimeoutError } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { CloseRecord } from '../../src/reconnect/close-record.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { FakeServer, KINDS, silentPeer } from '../fake-server.ts';
import { BEATS, dial, dialOpen, eventsOf, expectEnded, namesOf } from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
  describe('reconnects', () => {
    it.each([
      [1000, 'bye'],
      [1001, 'going away'],
      [1008, ''],
      [1012, 'restart'],
      [4399, ''],
      [4500, ''],
    ])('after the peer closed with %i', (code, reason) => {
      const { scheduler, server, log } = dialOpen(kind);
      log.length = 0;
      server.last.peer.close(code, reason);
      scheduler.advance(1_000);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(log.map(({ at }) => at).slice(0, 2)).toEqual([40, 40]);
      const [close] = eventsOf(log, 'close');
      expect(close).toMatchObject({ code, reason, wasClean: true });
      const [retry] = eventsOf(log, 'retry');
      expect(retry?.detail).toEqual({
        attempt: 1,
        delay: 250,
        cause: {
          reason: 'peer-close',
          code,
          text: reason,
          wasClean: true,
          wasOpen: true,
          silentFor: 10,
          latency: 20,
          age: 30,
          quietFor: 30,
          missedPings: 0,
          bufferedAmount: 0,
        },
      });
      expect(log.find(({ name }) => name === 'open')?.at).toBe(40 + 250 + 10);
      expect(server.links).toHaveLength(2);
    });

    it('after the connection was reset', () => {
      const { scheduler, server, log, socket } = dialOpen(kind);
      log.length = 0;
      server.last.reset();
      scheduler.advance(1_000);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 1006, reason: '', wasClean: false });
      expect(eventsOf(log, 'retry')[0]?.detail.cause).toMatchObject({
        reason: 'abnormal',
        code: 1006,
        wasOpen: true,
      });
      expect(socket.readyState).toBe(1);
    });

    it('after the first connection was refused, without a close event', () => {
      const { scheduler, server, log } = dial(kind, {}, 'refuse');
      scheduler.advance(20);
      server.greeting = 'accept';
      scheduler.advance(1_000);
      expect(namesOf(log)).toEqual(['error', 'retry', 'open']);
      expect(eventsOf(log, 'retry')[0]?.detail).toEqual({
        attempt: 1,
        delay: 250,
        cause: {
          reason: 'abnormal',
          code: 1006,
          text: '',
          wasClean: false,
          wasOpen: false,
          silentFor: undefined,
          latency: undefined,
        },
      });
    });

    it('after connectTimeout, when nothing comes of the dialling', () => {
      const { scheduler, server, log } = dial(kind, { connectTimeout: 3_000 }, 'ignore');
      scheduler.advance(2_999);
      expect(log).toEqual([]);
      server.greeting = 'accept';
      scheduler.advance(1);
      expect(server.links[0]?.client.readyState).toBeGreaterThanOrEqual(2);
      scheduler.advance(1_000);
      expect(namesOf(log)).toEqual(['retry', 'open']);
      expect(eventsOf(log, 'retry')[0]?.detail.cause).toEqual({
        reason: 'connect-timeout',
        code: 3008,
        text: '',
        wasClean: false,
        wasOpen: false,
        silentFor: undefined,
        latency: undefined,
      });
      expect(log.find(({ name }) => name === 'open')?.at).toBe(3_000 + 250 + 10);
    });

    it('not at all from a dialling without an end, with connectTimeout: false', () => {
      const { scheduler, server, log } = dial(kind, { connectTimeout: false }, 'ignore');
      scheduler.advance(3_600_000);
      expect(server.links).toHaveLength(1);
      expect(log).toEqual([]);
    });

    it('and the connect timeout ends with the open', () => {
      const { scheduler, server } = dial(kind, { connectTimeout: 3_000 });
      scheduler.advance(60_000);
      expect(server.links).toHaveLength(1);
    });

    it('at once when the link is dead: nobody waits for a closing handshake', () => {
      const { scheduler, server, log } = dialOpen(kind, { makeBeforeBreak: false });
      log.length = 0;
      server.last.cut();
      scheduler.advance(60_000);
      // 25 010 a ping into the cut, 25 410 suspect
      // 35 260 dead, and left: the rest is the wait of the backoff and the handshake
      expect(namesOf(log)).toEqual(['suspect', 'dead', 'close', 'retry', 'open']);
      const times = log.filter(({ name }) => !BEATS.includes(name)).map(({ at }) => at);
      expect(times).toEqual([25_410, 35_260, 35_260, 35_260, 35_260 + 250 + 10]);
      expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 3008, reason: '', wasClean: false });
      expect(eventsOf(log, 'dead')[0]?.detail).toEqual({
        reason: 'ping-timeout',
        silentFor: 35_230,
        error: expect.any(PingTimeoutError),
      });
      expect(eventsOf(log, 'retry')[0]?.detail.cause).toEqual({
        reason: 'ping-timeout',
        code: 3008,
        text: '',
        wasClean: false,
        wasOpen: true,
        silentFor: 35_230,
        latency: 20,
        age: 35_250,
        quietFor: 10_250,
        missedPings: 1,
        bufferedAmount: 0,
      });
      expect(server.mostLive).toBe(1);
    });

    it('and the first ping of the new connection tells the version again', () => {
      const { scheduler, server } = dialOpen(kind);
      server.last.reset();
      scheduler.advance(1_000);
      expect(server.links[1]?.wire.sentMessages[0]).toMatch('\u0005wb.1;v=1;');
    });

    it('when the class throws at a later attempt, as it does for a forbidden address', () => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler, kind);
      let attempts = 0;
      const Moody = class extends server.WebSocket {
        constructor(url: string, protocols?: string[]) {
          attempts += 1;
          if (attempts === 2) throw new Error('not allowed now');
          super(url, protocols);
        }
      };
      const options = { scheduler, random: () => 0.5, WebSocket: Moody };
      const socket = new ReconnectingWebSocket('ws://test/', [], options);
      const told: unknown[] = [];
      socket.addEventListener('error', (event) => told.push((event as { error?: unknown }).error));
      socket.addEventListener('retry', ({ detail }) => told.push(detail.attempt, detail.cause));
      let closes = 0;
      socket.addEventListener('close', () => {
        closes += 1;
      });
      scheduler.advance(30);
      server.last.peer.close(1001);
      scheduler.advance(5_000);
      const cause = expect.objectContaining({ reason: 'peer-close', wasOpen: true });
      const failed = expect.objectContaining({ reason: 'abnormal', wasOpen: false });
      expect(told).toEqual([1, cause, new Error('not allowed now'), 2, failed]);
      expect(socket.readyState).toBe(1);
      expect(closes).toBe(1);
    });
  });

  describe('the old socket', () => {
    it('changes nothing any more, whatever comes of it', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      const [old] = server.links;
      old?.cut();
      scheduler.advance(40_000);
      expect(server.links).toHaveLength(2);
      log.length = 0;
      old?.mend();
      old?.peer.send('late');
      for (const event of [
        { type: 'open' },
        { type: 'message', data: 'late' },
        { type: 'message', data: '\u0006wb' },
        { type: 'error' },
        { type: 'close', code: 4400, reason: 'late', wasClean: true },
      ]) {
        old?.dispatch(event);
      }
      scheduler.advance(1_000);
      expect(log).toEqual([]);
      expect(socket.readyState).toBe(1);
      expect(server.links).toHaveLength(2);
    });

    it('is left without a trace of ours', () => {
      const { scheduler, server } = dial(kind);
      const [old] = server.links;
      scheduler.advance(30);
      old?.peer.close(1001);
      scheduler.advance(1_000);
      expect(server.links).toHaveLength(2);
      expect(Reflect.ownKeys(old?.client ?? {})).not.toContain('send');
      expect(old?.client.listenerCount).toBe(0);
    });

    it('is closed as well as it goes: terminated, or with 3008', () => {
      const { scheduler, server } = dialOpen(kind, { makeBeforeBreak: false });
      const [old] = server.links;
      const codes: unknown[] = [];
      old?.peer.addEventListener('close', ({ code, reason }) => codes.push(code, reason));
      old?.cut();
      scheduler.advance(35_229);
      old?.mend();
      scheduler.advance(20_000);
      expect(codes).toEqual(kind === 'ws' ? [] : [3008, 'ping timeout']);
      expect(old?.client.readyState).toBe(3);
    });
  });

  describe('the wait between attempts', () => {
    it.each([
      [0, 0],
      [0.25, 125],
      [0.999_999, 499.9995],
    ])('is chance %d of minDelay at first: %d ms', (chance, delay) => {
      const { scheduler, server, log } = dialOpen(kind, { random: () => chance });
      server.last.reset();
      expect(eventsOf(log, 'retry')[0]?.detail.delay).toBeCloseTo(delay, 6);
      scheduler.advance(delay + 10.001);
      expect(server.live).toBe(1);
      expect(server.links).toHaveLength(2);
    });

    it('doubles with each attempt that fails, up to maxDelay', () => {
      const { scheduler, log } = dial(kind, {}, 'refuse');
      scheduler.advance(200_000);
      const retries = eventsOf(log, 'retry').map(({ detail }) => detail);
      expect(retries.map(({ attempt }) => attempt).slice(0, 9)).toEqual([
        1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
      expect(retries.map(({ delay }) => delay).slice(0, 9)).toEqual([
        250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000,
      ]);
    });

    it('obeys the options of backoff', () => {
      const backoff = { minDelay: 100, maxDelay: 800, factor: 3, jitter: 'none' } as const;
      const { scheduler, log } = dial(kind, { backoff }, 'refuse');
      scheduler.advance(3_000);
      const delays = eventsOf(log, 'retry').map(({ detail }) => detail.delay);
      expect(delays.slice(0, 5)).toEqual([100, 300, 800, 800, 800]);
    });

    it('is waited to its end', () => {
      const { scheduler, server } = dialOpen(kind);
      server.last.reset();
      scheduler.advance(249);
      expect(server.links).toHaveLength(1);
      scheduler.advance(1);
      expect(server.links).toHaveLength(2);
    });

    /** Loses three connections, each after `lifetime` of being open. */
    const attemptsOf = (lifetime: number, options: ReconnectOptions, silent = false): number[] => {
      const { scheduler, server, log } = dial(kind, options);
      if (silent) server.answer = silentPeer;
      for (let times = 0; times < 3; times += 1) {
        scheduler.advance(10);
        for (let left = lifetime; left > 0; left -= 1_000) {
          server.last.peer.send('not a pong');
          scheduler.advance(Math.min(left, 1_000));
        }
        server.last.reset();
        scheduler.advance(250 * 2 ** times);
      }
      return eventsOf(log, 'retry').map(({ detail }) => detail.attempt);
    };

    it('grows on while connections are lost before stableFor', () => {
      expect(attemptsOf(4_999, {})).toEqual([1, 2, 3]);
      expect(attemptsOf(999, { stableFor: 1_000 })).toEqual([1, 2, 3]);
    });

    it('grows on while no ping is answered, however long the connections last', () => {
      expect(attemptsOf(20_000, { pingTimeout: false }, true)).toEqual([1, 2, 3]);
    });

    it('begins anew after a connection that answered a ping and lasted stableFor', () => {
      const { scheduler, server, log } = dial(kind, { stableFor: 1_000 }, 'refuse');
      scheduler.advance(1_000); // two are refused
      server.greeting = 'accept';
      scheduler.advance(1_000);
      expect(server.links).toHaveLength(4);
      scheduler.advance(1_000);
      server.last.reset();
      expect(eventsOf(log, 'retry').map(({ detail }) => detail.attempt)).toEqual([1, 2, 3, 1]);
      expect(attemptsOf(1_000, { stableFor: 1_000, backoff: { factor: 1 } })[1]).toBe(1);
    });
  });

  describe('gives up', () => {
    it('after maxAttempts in vain', () => {
      const stage = dial(kind, { maxAttempts: 3 }, 'refuse');
      stage.scheduler.advance(60_000);
      const { log, server } = stage;
      expect(server.links).toHaveLength(4);
      const [error, retry] = ['error', 'retry'];
      expect(namesOf(log)).toEqual([
        error,
        retry,
        error,
        retry,
        error,
        retry,
        error,
        'giveup',
        'close',
      ]);
      expect(eventsOf(log, 'giveup')[0]?.detail).toEqual({
        attempts: 3,
        cause: expect.objectContaining({ reason: 'abnormal', wasOpen: false }),
      });
      expect(log.slice(-2).map(({ readyState }) => readyState)).toEqual([3, 3]);
      expectEnded(stage, 1);
    });

    it('at the first loss with maxAttempts: 0', () => {
      const stage = dialOpen(kind, { maxAttempts: 0 });
      stage.server.last.reset();
      expect(namesOf(stage.log)).toEqual(['open', 'close', 'giveup']);
      expectEnded(stage, 1);
    });

    it('never with maxAttempts: false', () => {
      const { scheduler, log } = dial(kind, { maxAttempts: false }, 'refuse');
      scheduler.advance(3_600_000);
      expect(namesOf(log)).not.toContain('giveup');
      expect(eventsOf(log, 'retry').length).toBeGreaterThan(200);
    });

    it.each([4400, 4401, 4499])('when the peer closes with %i, which is fatal', (code) => {
      const stage = dialOpen(kind);
      stage.server.last.peer.close(code, 'no');
      stage.scheduler.advance(10);
      expect(namesOf(stage.log)).toEqual(['open', 'close', 'giveup']);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code, reason: 'no', wasClean: true });
      expect(eventsOf(stage.log, 'giveup')[0]?.detail).toEqual({
        attempts: 0,
        cause: expect.objectContaining({ reason: 'fatal', code, text: 'no' }),
      });
      expectEnded(stage, 1);
    });

    it('when `close()` is called in a listener of `dial`', () => {
      const stage = dialOpen(kind);
      const { scheduler, server, socket } = stage;
      const attempts: number[] = [];
      socket.addEventListener('dial', ({ detail }) => {
        attempts.push(detail.attempt);
        if (detail.attempt === 2) socket.close();
      });
      server.greeting = 'refuse';
      server.last.reset();
      scheduler.advance(10_000);
      expect(attempts).toEqual([1, 2]);
      expectEnded(stage, 2);
    });

    it('when shouldReconnect says no to the record of the end', () => {
      const records: CloseRecord[] = [];
      const shouldReconnect = (record: CloseRecord) => {
        records.push(record);
        return record.code !== 1001;
      };
      const stage = dialOpen(kind, { shouldReconnect });
      stage.server.last.reset();
      stage.scheduler.advance(1_000);
      stage.server.last.peer.close(1001);
      stage.scheduler.advance(10);
      expect(namesOf(stage.log)).toEqual(['open', 'close', 'retry', 'open', 'close', 'giveup']);
      expect(records).toMatchObject([{ reason: 'abnormal' }, { reason: 'peer-close', code: 1001 }]);
      expectEnded(stage, 2);
    });

    it('not on a fatal code when shouldReconnect says yes', () => {
      const { scheduler, server } = dialOpen(kind, { shouldReconnect: () => true });
      server.last.peer.close(4400);
      scheduler.advance(1_000);
      expect(server.live).toBe(1);
    });
  });
});
