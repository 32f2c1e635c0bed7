import type { WebSocketLike } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LifecycleListener } from '../../src/page/page-lifecycle.ts';
import { logTo } from '../../src/reconnect/log.ts';
import { FakeServer, KINDS } from '../fake-server.ts';
import { reportedErrors } from '../reported-errors.ts';
import { dial, dialOpen, eventsOf, expectEnded, namesOf, type Stage } from '../stage.ts';

afterEach(() => vi.unstubAllGlobals());

function causesOf({ log }: Stage) {
  return eventsOf(log, 'retry').map(({ detail }) => detail.cause);
}

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
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
