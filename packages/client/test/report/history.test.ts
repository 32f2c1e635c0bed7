import type { WebSocketLike } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { Delivery } from '../../src/outbox/delivery.ts';
import type { LifecycleListener } from '../../src/page/page-lifecycle.ts';
import type { CreateWebSocket } from '../../src/reconnect/dialer.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { History } from '../../src/report/history.ts';
import { FakeServer, type Kind } from '../fake-server.ts';

interface Stage {
  readonly scheduler: VirtualScheduler;
  readonly server: FakeServer;
  readonly history: History;
  readonly socket: ReconnectingWebSocket;
  readonly page: Set<LifecycleListener>;
}

/** Dials with a history. The connection opens after 10 ms and is answered after 30 ms. */
function record(given: ReconnectOptions = {}, kind: Kind = 'ws'): Stage {
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler, kind);
  const page: Set<LifecycleListener> = new Set();
  const watch = (listener: LifecycleListener) => {
    page.add(listener);
    return () => page.delete(listener);
  };
  const history = new History({
    scheduler,
    WebSocket: server.WebSocket,
    lifecycle: { watch },
    jitter: 0,
    random: () => 0.5,
    ...given,
  });
  const socket = new ReconnectingWebSocket(
    'ws://test/path?token=abc',
    ['key.abc'],
    history.options,
  );
  scheduler.advance(30);
  return { scheduler, server, history, socket, page };
}

/** The sentences of the report, without their times. */
function sentencesOf({ history }: Stage): string[] {
  const [, list = ''] = history.report().split(/oldest first:\n?/);
  return list.split('\n').map((line) => line.replace(/^.* ago {2}/, ''));
}

function countsOf({ history }: Stage): string | undefined {
  return history.report().match(/Counted: (.*)/)?.[1];
}

describe('History', () => {
  it('gives the same text for the same story at the same time', () => {
    const report = () => {
      const stage = record({ pingInterval: 20_000 });
      stage.server.last.reset();
      stage.scheduler.advance(1_000);
      return stage.history.report();
    };
    expect(report()).toBe(report());
    expect(report()).toBe(
      [
        'wirebeat, heartbeat protocol 1',
        'Address: ws://test/path',
        'Options: pingInterval 20 s, pingTimeout 20 s, maxSilence off, probeAfter 1 s, suspectAfter 400 ms, connectTimeout 10 s, readyTimeout 10 s, stableFor 5 s, maxAge off, jitter 0, maxAttempts off, maxQueuedMessages 10000, maxQueuedBytes 1048576, queuePolicy error, confirm false, resend false, makeBeforeBreak true',
        'Counted: 2 connections dialled, 2 opened, 0 found dead, 0 false suspicions, 0 late timers, 0 sockets left behind and not closed yet, 2 pongs to 2 pings',
        'Latency: median 20 ms, 95 % within 20 ms, longest 20 ms (last 2 pongs)',
        'Diagnosis: no pattern in how connections ended.',
        '',
        'The last 6 facts, oldest first:',
        '   1 s ago  A connection was dialled.',
        '   1 s ago  It opened.',
        '   1 s ago  The connection ended without a Close frame (open for 20 ms, last received 0 ms before, last sent 20 ms before, last latency 20 ms).',
        '   1 s ago  Attempt 1 follows in 250 ms.',
        '750 ms ago  A connection was dialled.',
        '740 ms ago  It opened.',
      ].join('\n'),
    );
  });

  it('tells a false suspicion from a death', () => {
    const stage = record({ pingTimeout: 10_000, makeBeforeBreak: false });
    const { scheduler, server, history } = stage;
    server.last.cut();
    stage.socket.probe();
    scheduler.advance(2_000);
    server.last.mend();
    stage.socket.probe();
    server.last.peer.send('text');
    scheduler.advance(1_000);
    server.last.cut();
    scheduler.advance(60_000);
    expect(countsOf(stage)).toContain('1 found dead, 1 false suspicion,');
    expect(sentencesOf(stage).slice(2)).toEqual([
      expect.stringMatching(/^Suspect: /),
      'Alive again: the suspicion was false.',
      expect.stringMatching(/^Suspect: /),
      expect.stringMatching(/^Dead: /),
      expect.stringMatching(/^The link was dead: .*1 ping without a pong|pings without a pong/),
      'Attempt 1 follows in 250 ms.',
      'A connection was dialled.',
      'It opened.',
    ]);
    expect(history.diagnosis).toBeUndefined();
  });

  it('tells an end once, whether it was open or not, and gave up after it or not', () => {
    const stage = record({ maxAttempts: 1 });
    stage.server.greeting = 'refuse';
    stage.server.last.peer.close(4000, 'bye');
    stage.scheduler.advance(5_000);
    expect(sentencesOf(stage).slice(2)).toEqual([
      expect.stringMatching(/^The peer closed with 4000 "bye" \(open for /),
      'Attempt 1 follows in 250 ms.',
      'A connection was dialled.',
      'The connection could not be opened.',
      'Given up after 1 attempt.',
    ]);
  });

  it('diagnoses what connections keep ending of', () => {
    const stage = record({ pingInterval: false, lifecycle: false });
    for (let times = 0; times < 4; times += 1) {
      stage.scheduler.advance(60_000 + times * 50);
      stage.server.last.reset();
      stage.scheduler.advance(1_000);
    }
    expect(stage.history.diagnosis).toMatchObject({ type: 'idle-timeout', times: 4 });
    expect(stage.history.report()).toContain('Diagnosis: Looks like an idle timeout of about 6');
  });

  it('keeps the last 100 facts, and counts all', () => {
    const stage = record();
    for (let times = 0; times < 60; times += 1) {
      stage.server.last.reset();
      stage.scheduler.advance(40_000);
    }
    expect(sentencesOf(stage)).toHaveLength(100);
    expect(countsOf(stage)).toContain('61 connections dialled, 61 opened');
    expect(stage.history.report()).toContain('(last 100 pongs)');
  });

  it('leaves out latencies that are not those of the link', () => {
    const { history } = record();
    history.options.observe?.('pong', { id: undefined, latency: 9_000, sampled: false });
    expect(history.report()).toContain('longest 20 ms (last 1 pong)');
  });

  it('keeps a flood as one fact', () => {
    const stage = record({ maxQueuedMessages: 1, queuePolicy: 'drop-oldest' });
    stage.server.greeting = 'ignore';
    stage.server.last.reset();
    stage.scheduler.advance(1_000);
    for (let times = 0; times < 300; times += 1) stage.socket.send(`secret ${times}`);
    expect(sentencesOf(stage).at(-1)).toBe('1 message dropped: the queue is full. (299 times)');
    expect(stage.history.report()).not.toContain('secret');
  });

  it('begins with whatever comes first', () => {
    const scheduler = new VirtualScheduler();
    const history = new History({ scheduler, lifecycle: false, maxQueuedMessages: 1 });
    const options = { ...history.options, queuePolicy: 'drop-newest' } as const;
    const socket = new ReconnectingWebSocket(() => new Promise(() => {}), [], options);
    for (const message of ['1', '2']) socket.send(message);
    expect(history.report()).toContain('fact, oldest first:\n0 ms ago  1 message dropped');
    socket.close();
  });

  it('holds no address query, no protocol and no message of an error', async () => {
    const url = () => Promise.reject(new Error('no token abc'));
    const scheduler = new VirtualScheduler();
    const history = new History({ scheduler, lifecycle: false });
    const socket = new ReconnectingWebSocket(url, 'key.abc', history.options);
    await new Promise((resolve) => setImmediate(resolve));
    expect(history.report()).toContain('Error: Error.');
    expect(history.report()).not.toContain('abc');
    expect(record().history.report()).not.toContain('abc');
    socket.close();
  });

  describe('of the page', () => {
    it('tells what it became and what hinted, to however many connections', () => {
      const stage = record();
      const all = (act: (listener: LifecycleListener) => void) => [...stage.page].forEach(act);
      const told: string[] = [];
      const { lifecycle } = stage.history.options;
      if (lifecycle) {
        lifecycle.watch({ state: (state) => told.push(state), hint: () => told.push('hint') });
      }
      all(({ state }) => state('hidden'));
      all(({ hint }) => hint());
      expect(sentencesOf(stage).slice(2)).toEqual([
        'The page became hidden.',
        'The page or the network changed: a ping was sent to check the link.',
      ]);
      expect(told).toEqual(['hidden', 'hint']);
      stage.scheduler.advance(10);
      all(({ hint }) => hint());
      expect(sentencesOf(stage).at(-1)).toMatch(/\(2 times\)$/);
    });

    it('learns from the next connection that the page is visible again', () => {
      const stage = record();
      for (const { state } of stage.page) state('hidden');
      stage.server.last.reset();
      stage.scheduler.advance(1_000);
      expect(sentencesOf(stage)).toContain('The page became visible.');
    });

    it('puts into the ends what the page was, and for how long', () => {
      const stage = record();
      for (let times = 0; times < 4; times += 1) {
        for (const { state } of stage.page) state('hidden');
        stage.scheduler.advance(300_000 + times * 3_000);
        stage.server.last.reset();
        stage.scheduler.advance(5_000);
      }
      expect(stage.history.diagnosis).toMatchObject({ type: 'hidden', times: 4 });
    });
  });

  describe('of sockets that were left', () => {
    it('counts those that do not close', () => {
      const stage = record({ pingTimeout: 5_000 }, 'browser');
      const { scheduler, server } = stage;
      expect(countsOf(stage)).toContain('0 sockets left behind');
      server.last.cut();
      scheduler.advance(60_000);
      expect(server.links).toHaveLength(2);
      expect(countsOf(stage)).toContain('1 socket left behind and not closed yet');
      server.links[0]?.dispatch({ type: 'close' });
      expect(countsOf(stage)).toContain('0 sockets left behind');
    });

    it('forgets those that closed without a word', () => {
      const silent = { readyState: 2, send() {}, close() {} };
      const deaf = { addEventListener() {}, removeEventListener() {} };
      const createSocket = (): WebSocketLike => Object.assign(silent, deaf);
      const history = new History({
        scheduler: new VirtualScheduler(),
        lifecycle: false,
        WebSocket: createSocket,
      });
      (history.options.WebSocket as CreateWebSocket)('ws://test/');
      expect(history.report()).toContain('1 socket left behind');
      silent.readyState = 3;
      (history.options.WebSocket as CreateWebSocket)('ws://test/');
      expect(history.report()).toContain('0 sockets left behind');
    });
  });

  it('passes events on to the observer in its options', () => {
    const names: string[] = [];
    const stage = record({ observe: (...[name]) => void names.push(name) });
    stage.server.last.cut();
    stage.socket.probe();
    stage.scheduler.advance(3_000);
    expect(names.slice(0, 4)).toEqual(['open', 'alive', 'ping', 'pong']);
    expect(names).toContain('suspect');
    expect(sentencesOf(stage)).toContain('It opened.');
  });

  it('dials by the function that was given, or by the class, as the socket does', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler);
    const asked: string[] = [];
    const createSocket = (url: string, protocols?: string[]) => {
      asked.push(url);
      return new server.WebSocket(url, protocols) as WebSocketLike;
    };
    const history = new History({ scheduler, WebSocket: createSocket, lifecycle: false });
    const socket = new ReconnectingWebSocket('ws://test/', [], history.options);
    expect(asked).toEqual(['ws://test/']);
    socket.close();
  });

  it('leaves nothing behind', () => {
    const stage = record();
    stage.socket.close();
    stage.scheduler.advance(2_000);
    expect(stage.page.size).toBe(0);
    expect(stage.scheduler.pending).toBe(0);
    expect(stage.server.links.map(({ client }) => client.listenerCount)).toEqual([0]);
    expect(sentencesOf(stage).at(-1)).toMatch(/^`close\(\)` was called/);
  });

  it('states the defaults that the connection really has', () => {
    const { options } = new History({ lifecycle: false });
    const states = (text: string) => new History(options).report().includes(text);
    expect(states('pingInterval 25 s, pingTimeout 20 s, maxSilence off, probeAfter 1 s')).toBe(
      true,
    );
    expect(states('jitter 0.1, ')).toBe(true);
    const report = (given: ReconnectOptions) => new History(given).report();
    expect(report({ pingInterval: false })).toContain('pingInterval off, ');
    expect(report({ pingInterval: false })).toContain('probeAfter off, ');
    expect(report({ delivery: new Delivery({ confirm: true }) })).toContain('probeAfter off, ');
    expect(report({ probeAfter: 3_000, jitter: 0 })).toMatch(/probeAfter 3 s, .*jitter 0, /);
  });

  it('refuses what the socket refuses', () => {
    expect(() => new History({ pingInterval: -1 })).toThrow(/pingInterval/);
    expect(() => new History({ unknown: 1 } as ReconnectOptions)).toThrow(/unknown/);
  });
});
