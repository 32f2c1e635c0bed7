import {
  ConnectionClosedError,
  decodeBeat,
  InvalidOptionError,
  PingTimeoutError,
} from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { CloseRecord } from '../../src/reconnect/close-record.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { FakeServer, KINDS, minimalPeer, silentPeer } from '../fake-server.ts';
import { reportedErrors } from '../reported-errors.ts';
import {
  BEATS,
  dial,
  dialOpen,
  eventsOf,
  expectEnded,
  NAMES,
  type Name,
  namesOf,
  type Stage,
} from '../stage.ts';

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

  describe('close()', () => {
    it('of an open connection does the closing handshake', () => {
      const stage = dialOpen(kind);
      const { scheduler, server, socket, log } = stage;
      const told: unknown[] = [];
      server.last.peer.addEventListener('close', ({ code, reason }) => told.push(code, reason));
      socket.close(4001, 'done');
      expect(socket.readyState).toBe(2);
      expect(namesOf(log)).toEqual(['open']);
      scheduler.advance(20);
      expect(told).toEqual([4001, 'done']);
      expect(eventsOf(log, 'close')[0]).toMatchObject({
        code: 4001,
        reason: 'done',
        wasClean: true,
      });
      expectEnded(stage, 1);
    });

    it('without a code closes without one', () => {
      const stage = dialOpen(kind);
      stage.socket.close();
      stage.scheduler.advance(20);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1005, wasClean: true });
      expectEnded(stage, 1);
    });

    it('on a dead link ends within a second', () => {
      const stage = dialOpen(kind);
      stage.server.last.cut();
      stage.socket.close(1000);
      stage.scheduler.advance(999);
      expect(stage.socket.readyState).toBe(2);
      stage.scheduler.advance(1);
      expect(stage.socket.readyState).toBe(3);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1006, wasClean: false });
      expectEnded(stage, 1);
    });

    it.each(['accept', 'ignore', 'refuse'] as const)(
      'while connecting (%s) abandons the attempt, after this turn',
      (greeting) => {
        const stage = dial(kind, {}, greeting);
        stage.scheduler.advance(5);
        stage.socket.close();
        expect(stage.socket.readyState).toBe(2);
        expect(stage.log).toEqual([]);
        stage.scheduler.advance(0);
        expect(stage.socket.readyState).toBe(3);
        expect(namesOf(stage.log)).toEqual(['close']);
        expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1006, wasClean: false });
        expectEnded(stage, 1);
        expect(namesOf(stage.log)).toEqual(['close']);
      },
    );

    it('while waiting for the next attempt calls that off', () => {
      const stage = dialOpen(kind);
      stage.server.last.reset();
      stage.scheduler.advance(100);
      stage.socket.close(4001, 'done');
      expect(stage.socket.readyState).toBe(2);
      expectEnded(stage, 2); // the end of the connection, and the end for good
      expect(stage.server.links).toHaveLength(1);
    });

    it('wins over a loss that comes before its turn', () => {
      const stage = dial(kind);
      stage.scheduler.advance(5);
      stage.socket.close();
      stage.server.last.reset();
      expectEnded(stage, 1);
    });

    it('wins over an open that comes before its turn', () => {
      const stage = dial(kind);
      stage.socket.send('queued');
      stage.scheduler.advance(5);
      stage.socket.close();
      stage.server.last.wire.readyState = 1;
      stage.server.last.dispatch({ type: 'open' });
      expectEnded(stage, 1);
      expect(namesOf(stage.log)).toEqual(['drop', 'close']);
      expect(stage.server.last.received).toEqual([]);
    });

    it('wins over a peer that closes, dies or falls silent meanwhile', () => {
      for (const happen of ['close', 'reset', 'cut'] as const) {
        const stage = dialOpen(kind);
        stage.socket.close(1000);
        if (happen === 'close') stage.server.last.peer.close(1001);
        else stage.server.last[happen]();
        expectEnded(stage, 1);
        expect(namesOf(stage.log)).toEqual(['open', 'close']);
      }
    });

    it('twice is once', () => {
      const stage = dialOpen(kind);
      stage.socket.close(4001);
      stage.socket.close(4002);
      stage.scheduler.advance(100);
      stage.socket.close(4003);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 4001 });
      expectEnded(stage, 1);
    });

    it('is what Symbol.dispose does', () => {
      const stage = dialOpen(kind);
      {
        using held = stage.socket;
        expect(held.readyState).toBe(1);
      }
      expect(stage.socket.readyState).toBe(2);
      expectEnded(stage, 1);
    });

    /** What makes an event of that name happen on an open connection. */
    const PROVOKE: Record<Name, (stage: Stage) => void> = {
      open: () => {},
      ping: () => {},
      pong: () => {},
      alive: () => {},
      message: ({ server }) => server.last.peer.send('text'),
      error: ({ server }) => server.last.dispatch({ type: 'error' }),
      close: ({ server }) => server.last.peer.close(1001),
      retry: ({ server }) => server.last.reset(),
      drop: ({ server, socket }) => {
        server.last.reset();
        socket.send('one');
        socket.send('too many');
      },
      giveup: ({ server }) => server.last.peer.close(4400),
      suspect: ({ server }) => server.last.cut(),
      dead: ({ server }) => server.last.cut(),
      stall: ({ scheduler }) => scheduler.stall(60_000),
      unanswered: () => {}, // takes two connections: see standby.test.ts
    };

    it.each(NAMES)('in a listener of %s wins over all that follows', (name) => {
      const stage = dial(kind, {
        maxQueuedMessages: 1,
        queuePolicy: 'drop-oldest',
        makeBeforeBreak: false,
      });
      const { scheduler, server, socket, log } = stage;
      let called = 0;
      socket.addEventListener(name, () => {
        called += 1;
        socket.close(4001, 'enough');
      });
      scheduler.advance(30);
      if (socket.readyState === 1) PROVOKE[name](stage);
      scheduler.advance(100_000);
      expect(called).toBeGreaterThan(0);
      expect(server.links).toHaveLength(1);
      // The end of the connection was told before these: the end for good is told as well.
      const twice = name === 'close' || name === 'retry' || name === 'drop';
      expectEnded(stage, twice ? 2 : 1);
      expect(eventsOf(log, 'open')).toHaveLength(1);
    });

    it('in a listener of error, of a connection that is refused, closes once', () => {
      const stage = dial(kind, {}, 'refuse');
      stage.socket.addEventListener('error', () => stage.socket.close());
      stage.scheduler.advance(1_000);
      expect(stage.server.links).toHaveLength(1);
      expectEnded(stage, 1);
    });
  });

  describe('what its listeners can rely on', () => {
    it('says open first, and then that the peer is alive and was pinged', () => {
      const { scheduler, socket, log } = dial(kind);
      const statuses: string[] = [];
      socket.addEventListener('open', () => statuses.push(socket.status));
      scheduler.advance(30);
      expect(log.slice(0, 3).map(({ name }) => name)).toEqual(['open', 'alive', 'ping']);
      expect(statuses).toEqual(['alive']);
    });

    it('shows the last readyState in the close event of an end for good', () => {
      const { scheduler, server, socket } = dialOpen(kind);
      const states: number[] = [];
      socket.addEventListener('close', () => states.push(socket.readyState));
      server.last.peer.close(4403);
      scheduler.advance(100);
      expect(states).toEqual([socket.CLOSED]);
    });

    it('drops what comes after close(), as the standard has it', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      server.last.peer.send('late');
      socket.close();
      scheduler.advance(2_000);
      expect(eventsOf(log, 'message')).toEqual([]);
    });

    it('goes on when shouldReconnect throws, and reports the error', async () => {
      const shouldReconnect = () => {
        throw new Error('of shouldReconnect');
      };
      const { scheduler, server, socket } = dialOpen(kind, { shouldReconnect });
      const errors = await reportedErrors(() => {
        server.last.reset();
        scheduler.advance(2_000);
      });
      expect(socket.readyState).toBe(socket.OPEN);
      expect(errors).toMatchObject([{ message: 'of shouldReconnect' }]);
    });
  });

  describe('a server that is lost twice right after the first ping', () => {
    it('without a Close frame is pinged as ever', () => {
      const { scheduler, server } = dial(kind);
      for (const _ of [1, 2]) {
        while (server.last.beats.length === 0) scheduler.advance(1);
        server.last.reset();
        scheduler.advance(2_000);
      }
      expect(server.last.beats.length).toBeGreaterThan(0);
    });

    it('by Close frames is pinged as ever if it has answered before', () => {
      const { scheduler, server } = dialOpen(kind);
      server.last.reset();
      server.answer = (_, { peer }) => void peer.close(1012);
      scheduler.advance(2_000);
      server.answer = minimalPeer;
      scheduler.advance(10_000);
      expect(server.links.length).toBeGreaterThan(3);
      expect(server.last.beats.length).toBeGreaterThan(0);
    });

    it.each([1003, 1012, 4000, 4400])(
      'by Close frames with %i, greeting or not, gets no more pings, and the third stays',
      (code) => {
        for (const greeting of [undefined, 'hello']) {
          const { scheduler, server, socket, log } = dial(kind);
          server.answer = (text, { peer }) => {
            if (greeting) peer.send(greeting);
            if (decodeBeat(text)) peer.close(code, 'unknown message');
            return undefined;
          };
          const told: unknown[] = [];
          socket.addEventListener('unanswered', ({ detail }) => told.push(detail));
          scheduler.advance(3_600_000);
          expect(server.links.map(({ beats }) => beats.length)).toEqual([1, 1, 0]);
          expect(socket.readyState).toBe(1);
          expect(told).toEqual([{ silentFor: 0, reason: 'refused' }]);
          expect(socket.detectionBound).toBe(Number.POSITIVE_INFINITY);
          const causes = eventsOf(log, 'retry').map(({ detail }) => detail.cause);
          expect(causes).toMatchObject([
            { reason: 'peer-close', code },
            { reason: 'peer-close', code },
          ]);
        }
      },
    );

    it('with a fatal code that has nothing to do with pings ends it for good at the third', () => {
      const stage = dial(kind);
      const { scheduler, server, log } = stage;
      server.answer = silentPeer;
      for (const connection of [1, 2, 3]) {
        while (server.links.length < connection || !server.last.peer.readyState)
          scheduler.advance(1);
        scheduler.advance(20);
        server.last.peer.close(4401, 'who are you');
        scheduler.advance(20);
      }
      const [giveup] = eventsOf(log, 'giveup');
      expect(giveup?.detail.cause).toMatchObject({ reason: 'fatal', code: 4401 });
      expectEnded(stage, 3);
    });
  });

  describe('a server of a foreign subprotocol', () => {
    it('is sent no ping, is dialled once, and that is told once', () => {
      const { scheduler, server, socket } = dial(kind, {}, 'accept', 'ws://test/', ['mqtt']);
      server.answer = silentPeer;
      const told: unknown[] = [];
      socket.addEventListener('unanswered', ({ detail }) => told.push(detail));
      socket.send('CONNECT');
      scheduler.advance(3_600_000);
      expect(server.links).toHaveLength(1);
      expect(server.last.wire.sentMessages).toEqual(['CONNECT']);
      expect(told).toEqual([{ silentFor: 0, reason: 'foreign-protocol' }]);
      expect([socket.readyState, socket.status]).toEqual([1, 'alive']);
    });

    it('that closes with a fatal code is taken at its word', () => {
      const { scheduler, server, log } = dial(kind, {}, 'accept', 'ws://test/', ['mqtt']);
      scheduler.advance(20);
      server.last.peer.close(4400);
      scheduler.advance(20);
      expect(eventsOf(log, 'giveup')[0]?.detail.cause).toMatchObject({ reason: 'fatal' });
    });
  });

  describe('the queue', () => {
    it('keeps what is sent while connecting, and sends it after what open listeners send', () => {
      const { scheduler, server, socket } = dial(kind);
      socket.send('queued 1');
      socket.addEventListener('open', () => socket.send('first'));
      socket.send('queued 2');
      scheduler.advance(10);
      socket.send('later');
      scheduler.advance(10);
      expect(server.last.received).toEqual(['first', 'queued 1', 'queued 2', 'later']);
      expect(socket.bufferedAmount).toBe(0);
    });

    it('keeps what is sent between connections', () => {
      const { scheduler, server, socket } = dialOpen(kind, { makeBeforeBreak: false });
      socket.send('to the first');
      scheduler.advance(10);
      server.last.cut();
      scheduler.advanceTo(910 + 10_000 + 249); // the message brought a ping
      expect(socket.readyState).toBe(1);
      socket.send('into the cut, lost');
      scheduler.advance(1);
      expect(socket.readyState).toBe(0);
      socket.send('to the second');
      scheduler.advance(10_000);
      expect(server.links.map(({ received }) => received)).toEqual([
        ['to the first'],
        ['to the second'],
      ]);
    });

    it('outlives attempts that fail, and is sent once', () => {
      const { scheduler, server, socket } = dial(kind, {}, 'refuse');
      socket.send('patient');
      scheduler.advance(1_000);
      server.greeting = 'accept';
      scheduler.advance(3_000);
      server.last.reset();
      scheduler.advance(10_000);
      const received = server.links.map((link) => link.received);
      expect(received.flat()).toEqual(['patient']);
    });

    it('keeps messages as they were when sent', () => {
      const { scheduler, server, socket } = dial(kind);
      const bytes = new Uint8Array([1, 2, 3]);
      socket.send(bytes.subarray(1));
      socket.send(bytes.buffer);
      bytes.fill(9);
      scheduler.advance(20);
      const [view, buffer] = server.last.received;
      expect(view).toEqual(new Uint8Array([2, 3]));
      expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3]));
    });

    it('throws QueueOverflowError for what does not fit, and keeps the rest', () => {
      const { scheduler, server, socket } = dial(kind, { maxQueuedBytes: 4 });
      socket.send('abc');
      expect(() => socket.send('de')).toThrow(
        expect.objectContaining({ code: 'ERR_QUEUE_OVERFLOW', maxQueuedBytes: 4 }),
      );
      socket.send('d');
      scheduler.advance(10);
      socket.send('longer than the queue'); // open: nothing is queued
      scheduler.advance(10);
      expect(server.last.received).toEqual(['abc', 'd', 'longer than the queue']);
    });

    it('holds 1 MiB by default, and any amount with maxQueuedBytes: false', () => {
      const mebibyte = 'x'.repeat(1_048_576);
      const bounded = dial(kind).socket;
      bounded.send(mebibyte);
      expect(() => bounded.send('x')).toThrow(
        expect.objectContaining({ code: 'ERR_QUEUE_OVERFLOW' }),
      );
      const unbounded = dial(kind, { maxQueuedBytes: false }).socket;
      for (let times = 0; times < 3; times += 1) unbounded.send(mebibyte);
      expect(unbounded.bufferedAmount).toBe(3 * 1_048_576);
    });

    it('is not sent by a connection that an open listener closes', () => {
      const stage = dial(kind);
      stage.socket.send('queued');
      stage.socket.addEventListener('open', () => stage.socket.close());
      stage.scheduler.advance(100);
      expect(stage.server.last.received).toEqual([]);
      expectEnded(stage, 1);
    });

    it('outlives a connection that is lost while its open listeners run', () => {
      const { scheduler, server, socket } = dial(kind);
      socket.send('queued');
      socket.addEventListener('open', () => server.last.reset(), { once: true });
      scheduler.advance(1_000);
      expect(server.links.map(({ received }) => received)).toEqual([[], ['queued']]);
    });

    it('takes nothing after close(): the message is dropped without a word', () => {
      const stage = dialOpen(kind, { maxQueuedBytes: 1 });
      stage.socket.close();
      stage.socket.send('while closing');
      stage.scheduler.advance(100);
      stage.socket.send('when closed');
      stage.scheduler.advance(1_000);
      expect(stage.server.last.received).toEqual([]);
      expectEnded(stage, 1);
    });
  });

  describe('ping()', () => {
    it('resolves to the latency', async () => {
      const { scheduler, socket } = dialOpen(kind);
      const pong = socket.ping();
      scheduler.advance(20);
      expect(await pong).toBe(20);
    });

    it('rejects without an open connection', async () => {
      const { scheduler, server, socket } = dial(kind);
      await expect(socket.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
      scheduler.advance(30);
      server.last.reset();
      await expect(socket.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
      socket.close();
      scheduler.advance(0);
      await expect(socket.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
    });

    it('rejects when the connection is lost', async () => {
      const { scheduler, server, socket } = dialOpen(kind, { makeBeforeBreak: false });
      const closed = socket.ping();
      server.last.peer.terminate();
      server.last.dispatch({ type: 'close', code: 1001, reason: 'gone', wasClean: true });
      await expect(closed).rejects.toMatchObject({ closeCode: 1001, reason: 'gone' });
      scheduler.advance(1_000);
      const timedOut = socket.ping({ timeout: false });
      server.last.cut();
      scheduler.advance(60_000);
      await expect(timedOut).rejects.toBeInstanceOf(PingTimeoutError);
    });

    it('rejects when the user closes and no handshake comes', async () => {
      const { scheduler, server, socket } = dialOpen(kind);
      server.last.cut();
      const pong = socket.ping();
      socket.close();
      scheduler.advance(1_000);
      await expect(pong).rejects.toBeInstanceOf(ConnectionClosedError);
    });
  });
});

describe('ReconnectingWebSocket', () => {
  describe('as a WebSocket', () => {
    it('is an EventTarget with the constants of the standard', () => {
      const { socket } = dial();
      expect(socket).toBeInstanceOf(EventTarget);
      for (const holder of [ReconnectingWebSocket, socket]) {
        const { CONNECTING, OPEN, CLOSING, CLOSED } = holder;
        expect([CONNECTING, OPEN, CLOSING, CLOSED]).toEqual([0, 1, 2, 3]);
      }
    });

    it('has the readyState of its connection, and is CONNECTING between connections', () => {
      const { scheduler, server, socket, log } = dial();
      expect(socket.readyState).toBe(0);
      scheduler.advance(9);
      expect(socket.readyState).toBe(0);
      scheduler.advance(1);
      expect(socket.readyState).toBe(1);
      server.last.reset();
      expect(socket.readyState).toBe(0);
      scheduler.advance(255);
      expect(socket.readyState).toBe(0);
      scheduler.advance(5);
      expect(socket.readyState).toBe(1);
      socket.close();
      expect(socket.readyState).toBe(2);
      scheduler.advance(20);
      expect(socket.readyState).toBe(3);
      const seen = log.filter(({ name }) => ['open', 'close', 'retry'].includes(name));
      expect(seen.map(({ name, readyState }) => [name, readyState])).toEqual([
        ['open', 1],
        ['close', 0],
        ['retry', 0],
        ['open', 1],
        ['close', 3],
      ]);
    });

    it('has the url as its socket spells it', () => {
      const scheduler = new VirtualScheduler();
      const options = { scheduler, WebSocket: new FakeServer(scheduler).WebSocket };
      expect(new ReconnectingWebSocket('ws://TEST', [], options).url).toBe('ws://test/');
      expect(new ReconnectingWebSocket(new URL('ws://test/a?b'), [], options).url).toBe(
        'ws://test/a?b',
      );
    });

    it('has the url also where the class has none', () => {
      const scheduler = new VirtualScheduler();
      const { WebSocket } = new FakeServer(scheduler);
      const Nameless = class extends WebSocket {
        constructor(url: string, protocols?: string[]) {
          super(url, protocols);
          Object.defineProperty(this, 'url', { value: undefined });
        }
      };
      const options = { scheduler, WebSocket: Nameless };
      expect(new ReconnectingWebSocket('ws://TEST', [], options).url).toBe('ws://test/');
    });

    it('offers the protocols at every attempt: a string, an array, or what can be iterated once', () => {
      const once = function* () {
        yield 'a';
        yield 'b';
      };
      for (const [given, offered] of [
        [undefined, undefined],
        ['a', ['a']],
        [
          ['a', 'b'],
          ['a', 'b'],
        ],
        [new Set(['a', 'b']), ['a', 'b']],
        [once(), ['a', 'b']],
      ] as const) {
        const scheduler = new VirtualScheduler();
        const server = new FakeServer(scheduler);
        const socket = new ReconnectingWebSocket('ws://test/', given, {
          scheduler,
          WebSocket: server.WebSocket,
        });
        scheduler.advance(30);
        server.last.reset();
        scheduler.advance(1_000);
        expect(server.links.map(({ protocols }) => protocols)).toEqual([offered, offered]);
        expect(socket.protocol).toBe(offered?.[0] ?? '');
      }
    });

    it('has protocol and extensions from the open on, and of the last connection after it', () => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler);
      const socket = new ReconnectingWebSocket('ws://test/', 'chat', {
        scheduler,
        WebSocket: server.WebSocket,
      });
      expect([socket.protocol, socket.extensions]).toEqual(['', '']);
      scheduler.advance(10);
      expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-fake']);
      server.last.reset();
      expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-fake']);
    });

    it('has the binaryType of its class until it is set, and keeps that across connections', () => {
      for (const [kind, initial] of [
        ['ws', 'nodebuffer'],
        ['browser', 'blob'],
      ] as const) {
        const { scheduler, server, socket } = dialOpen(kind);
        expect(socket.binaryType).toBe(initial);
        socket.binaryType = 'arraybuffer';
        expect(server.last.client.binaryType).toBe('arraybuffer');
        server.last.reset();
        expect(socket.binaryType).toBe('arraybuffer');
        scheduler.advance(1_000);
        expect(server.links).toHaveLength(2);
        expect(server.last.client.binaryType).toBe('arraybuffer');
      }
    });

    it('sets the binaryType that was set between connections', () => {
      const { scheduler, server, socket } = dialOpen();
      server.last.reset();
      expect(socket.binaryType).toBe('blob');
      socket.binaryType = 'arraybuffer';
      scheduler.advance(1_000);
      expect(server.last.client.binaryType).toBe('arraybuffer');
    });

    it('counts in bufferedAmount what is queued here and in the socket', () => {
      const { scheduler, server, socket } = dial();
      expect(socket.bufferedAmount).toBe(0);
      socket.send('né'); // 3 bytes in UTF-8
      socket.send(new Uint8Array(4));
      server.last.client.bufferedAmount = 100;
      expect(socket.bufferedAmount).toBe(107);
      scheduler.advance(10);
      expect(socket.bufferedAmount).toBe(100);
      server.last.reset();
      expect(socket.bufferedAmount).toBe(0);
    });

    it('passes messages on in order and untouched, with the origin of the server', () => {
      const { scheduler, server, log } = dialOpen();
      log.length = 0;
      const messages = ['', 'a', '\u0005', '\u0005wbx', new ArrayBuffer(2), new Blob(['x'])];
      for (const message of messages) server.last.peer.send(message);
      server.last.peer.send('\u0005wb.1');
      scheduler.advance(10);
      const events = eventsOf(log, 'message');
      expect(events).toHaveLength(messages.length);
      for (const [index, message] of messages.entries()) expect(events[index]?.data).toBe(message);
      expect(events[0]?.origin).toBe('ws://test');
      expect(log[0]?.event).toBeInstanceOf(MessageEvent);
    });

    it('dispatches events of its own: it is their target, and each is an Event', () => {
      const { scheduler, server, socket, log } = dialOpen();
      server.last.peer.send('text');
      server.last.dispatch({ type: 'error' });
      server.last.peer.close(1001);
      scheduler.advance(10);
      expect(log.length).toBeGreaterThan(6);
      for (const { event, name } of log) {
        expect(event).toBeInstanceOf(Event);
        expect(event.type).toBe(name);
        expect(event.target).toBe(socket);
      }
      for (const event of eventsOf(log, 'pong')) expect(event).toBeInstanceOf(CustomEvent);
    });

    it('carries the error that a socket of Node tells', () => {
      const { server, log } = dialOpen();
      const error = new Error('ECONNRESET');
      server.last.dispatch({ type: 'error', error } as never);
      expect(eventsOf(log, 'error')[0]).toMatchObject({ error });
      server.last.dispatch({ type: 'error' });
      expect(eventsOf(log, 'error')[1]).not.toHaveProperty('error');
    });

    it.each([
      ['open', 'onopen'],
      ['message', 'onmessage'],
      ['error', 'onerror'],
      ['close', 'onclose'],
    ] as const)(
      'calls its handler of %s, which may be replaced and taken away',
      (name, property) => {
        const { scheduler, server, socket } = dial();
        const calls: unknown[] = [];
        expect(socket[property]).toBeNull();
        const first = (event: Event) => calls.push('first', event.type);
        const second = function (this: unknown, event: Event) {
          calls.push('second', event.type, this === socket);
        };
        const happen = () => {
          server.last.peer.send('text');
          server.last.dispatch({ type: 'error' });
          scheduler.advance(10);
          server.last.reset();
          scheduler.advance(10_000);
        };
        socket[property] = first;
        expect(socket[property]).toBe(first);
        scheduler.advance(10);
        happen();
        const count = name === 'open' ? 2 : 1;
        expect(calls).toEqual(Array(count).fill(['first', name]).flat());
        calls.length = 0;
        socket[property] = second;
        expect(socket[property]).toBe(second);
        happen();
        expect(calls).toEqual(['second', name, true]);
        calls.length = 0;
        socket[property] = null;
        expect(socket[property]).toBeNull();
        happen();
        expect(calls).toEqual([]);
        socket[property] = 'not a function' as never;
        expect(socket[property]).toBeNull();
      },
    );

    it('calls a function twice that is both handler and listener', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: unknown[] = [];
      const both = (event: { data: unknown }) => calls.push(event.data);
      socket.addEventListener('message', both);
      socket.onmessage = both;
      server.last.peer.send(1);
      scheduler.advance(10);
      expect(calls).toEqual([1, 1]);
      socket.onmessage = null;
      server.last.peer.send(2);
      scheduler.advance(10);
      expect(calls).toEqual([1, 1, 2]);
    });

    it('calls a handler in its turn among the listeners: where it was first set', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: string[] = [];
      socket.addEventListener('message', () => calls.push('before'));
      socket.onmessage = () => calls.push('replaced');
      socket.addEventListener('message', () => calls.push('after'));
      socket.onmessage = () => calls.push('handler');
      server.last.peer.send('text');
      scheduler.advance(10);
      expect(calls).toEqual(['before', 'handler', 'after']);
    });

    it('takes listeners with once, with a signal, as objects, and takes them off', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: string[] = [];
      const controller = new AbortController();
      const gone = () => calls.push('gone');
      const object = {
        handleEvent(event: Event) {
          calls.push(`object ${event.type} ${this === object}`);
        },
      };
      socket.addEventListener('message', () => calls.push('once'), { once: true });
      socket.addEventListener('message', () => calls.push('signal'), { signal: controller.signal });
      socket.addEventListener('message', object);
      socket.addEventListener('message', object);
      socket.addEventListener('message', gone);
      socket.removeEventListener('message', gone);
      server.last.peer.send('1');
      scheduler.advance(10);
      expect(calls).toEqual(['once', 'signal', 'object message true']);
      controller.abort();
      socket.removeEventListener('message', object);
      socket.addEventListener('message', () => calls.push('left'));
      server.last.peer.send('2');
      scheduler.advance(10);
      expect(calls.slice(3)).toEqual(['left']);
    });

    it('takes no harm from a listener that throws; the error is reported', async () => {
      const { scheduler, server, socket, log } = dial();
      for (const name of ['open', 'close', 'retry', 'message'] as const) {
        socket.addEventListener(name, () => {
          throw new Error(`a listener of ${name}`);
        });
      }
      socket.send('queued');
      const errors = await reportedErrors(() => {
        scheduler.advance(30);
        server.last.peer.send('text');
        scheduler.advance(10);
        server.last.reset();
        scheduler.advance(1_000);
      });
      const of = (name: string) => `Error: a listener of ${name}`;
      expect(errors.map(String)).toEqual(['open', 'message', 'close', 'retry', 'open'].map(of));
      expect(namesOf(log)).toEqual(['open', 'message', 'close', 'retry', 'open']);
      expect(server.links[0]?.received).toEqual(['queued']);
    });
  });

  describe('close() refuses, as the standard has it,', () => {
    it.each([0, 999, 1001, 1005, 1006, 2999, 5000, 65_536, -1, Number.NaN])(
      'the code %d',
      (code) => {
        const { scheduler, socket } = dialOpen();
        expect(() => socket.close(code)).toThrow(DOMException);
        expect(() => socket.close(code)).toThrow(
          expect.objectContaining({ name: 'InvalidAccessError' }),
        );
        expect(socket.readyState).toBe(1);
        scheduler.advance(100);
        expect(socket.readyState).toBe(1);
      },
    );

    it.each([
      ['124 letters', 'x'.repeat(124)],
      ['62 letters of two bytes', 'é'.repeat(62)],
      ['42 letters of three bytes', '€'.repeat(42)],
    ])('a reason of %s', (_, reason) => {
      const { socket } = dialOpen();
      expect(() => socket.close(1000, reason)).toThrow(
        expect.objectContaining({ name: 'SyntaxError' }),
      );
      expect(socket.readyState).toBe(1);
    });

    it('also when it is closed already', () => {
      const { scheduler, socket } = dialOpen();
      socket.close();
      expect(() => socket.close(1)).toThrow(DOMException);
      scheduler.advance(100);
      expect(() => socket.close(1)).toThrow(DOMException);
    });
  });

  it.each([1000, 3000, 4999])('closes with the code %i and a reason of 123 bytes', (code) => {
    const { scheduler, socket, log } = dialOpen();
    const reason = `é${'x'.repeat(121)}`;
    socket.close(code, reason);
    scheduler.advance(20);
    expect(eventsOf(log, 'close')[0]).toMatchObject({ code, reason, wasClean: true });
  });

  it.each([
    ['no url', []],
    ['ws://test/', ['a', 'A']],
  ])('throws SyntaxError for %s and %j, and leaves nothing behind', (url, protocols) => {
    const scheduler = new VirtualScheduler();
    const { WebSocket, links } = new FakeServer(scheduler);
    const attempt = () => new ReconnectingWebSocket(url, protocols, { scheduler, WebSocket });
    expect(attempt).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    expect(attempt).toThrow(DOMException);
    expect(links).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('throws what its class throws at the first attempt, and leaves nothing behind', () => {
    const scheduler = new VirtualScheduler();
    const { signal } = new AbortController();
    const attempt = () =>
      new ReconnectingWebSocket('ws://test/', [], {
        scheduler,
        signal,
        WebSocket: () => {
          throw new Error('not here');
        },
      });
    expect(attempt).toThrow('not here');
    expect(scheduler.pending).toBe(0);
  });

  it.each([
    [{ pingInterval: 0 }, 'pingInterval'],
    [{ jitter: 1 }, 'jitter'],
    [{ backoff: { minDelay: 10, maxDelay: 5 } }, 'minDelay'],
    [{ random: 1 }, 'random'],
    [{ connectTimeout: -1 }, 'connectTimeout'],
    [{ retries: 5 }, 'retries'],
  ])('throws InvalidOptionError for %j before any socket is made', (options, option) => {
    const scheduler = new VirtualScheduler();
    const { WebSocket, links } = new FakeServer(scheduler);
    const attempt = () =>
      new ReconnectingWebSocket('ws://test/', [], { scheduler, WebSocket, ...options } as never);
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(expect.objectContaining({ option }));
    expect(links).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('tells status, latency and detectionBound of its connection', () => {
    const { scheduler, server, socket } = dial();
    const told = () => [socket.status, socket.latency, socket.detectionBound];
    expect(told()).toEqual(['idle', undefined, 36_000]);
    scheduler.advance(10);
    expect(told()).toEqual(['alive', undefined, 36_000]);
    scheduler.advance(20);
    expect(told()).toEqual(['alive', 20, 36_000]);
    server.last.reset();
    expect(told()).toEqual(['idle', undefined, undefined]);
  });

  it('passes its timing on to the heartbeat', () => {
    const { scheduler, server, socket } = dial('ws', { pingInterval: 5_000, pingTimeout: 2_000 });
    expect(socket.detectionBound).toBe(5_000 + 2_000 + 250 + 750);
    scheduler.advance(10 + 5_000);
    expect(server.last.beats).toHaveLength(2);
  });

  it('probes on demand, and without a connection nothing', () => {
    const { scheduler, server, socket } = dialOpen();
    socket.probe();
    expect(server.last.beats).toHaveLength(2);
    server.last.reset();
    expect(() => socket.probe()).not.toThrow();
    scheduler.advance(1_000);
    expect(server.links).toHaveLength(2);
  });

  it('goes on for a thousand losses', () => {
    const { scheduler, server, log } = dial();
    for (let times = 0; times < 1_000; times += 1) {
      scheduler.advance(40_000);
      server.last.reset();
    }
    expect(eventsOf(log, 'close')).toHaveLength(1_000);
    expect(server.mostLive).toBe(1);
  });
});
