import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import { type ConnectionStatus, type QualityChange, statusOf } from '../../src/status/status.ts';
import { FakeServer } from '../fake-server.ts';
import { dial, dialOpen, type Stage } from '../stage.ts';

function watched({ socket, scheduler }: Stage, lostAfter?: number) {
  const seen: ConnectionStatus[] = [];
  const changes: QualityChange[] = [];
  const store = statusOf(socket, { scheduler, ...(lostAfter !== undefined && { lostAfter }) });
  const unsubscribe = store.subscribe((status) => seen.push(status));
  const unsubscribeToo = store.onQuality((change) => changes.push(change));
  const stop = () => {
    unsubscribe();
    unsubscribeToo();
  };
  return { seen, changes, store, stop };
}

describe('statusOf', () => {
  it('is `connecting` at first, and good once it is open', () => {
    const stage = dial();
    const { store, changes } = watched(stage);
    expect(store.getSnapshot()).toMatchObject({
      phase: 'dialling',
      quality: 'lost',
      shown: 'connecting',
      cause: undefined,
    });
    stage.scheduler.advance(30);
    expect(store.getSnapshot()).toMatchObject({
      phase: 'open',
      quality: 'good',
      shown: 'good',
      latency: 20,
      latencies: [20],
    });
    expect(changes).toEqual([{ quality: 'good', before: 'lost' }]);
  });

  it('shows a loss only when it has lasted, and says why and when the next attempt is', () => {
    const stage = dialOpen();
    const { scheduler, server } = stage;
    const { store } = watched(stage, 1_000);
    server.greeting = 'refuse';
    const lostAt = scheduler.now();
    server.last.reset();
    expect(store.getSnapshot()).toMatchObject({
      phase: 'waiting',
      quality: 'lost',
      shown: 'good',
      retryAt: lostAt + 250,
      cause: 'The connection was interrupted.',
      reason: 'abnormal',
    });
    scheduler.advance(999);
    expect(store.getSnapshot()).toMatchObject({ quality: 'lost', shown: 'good' });
    expect(store.getSnapshot().cause).toBe('The server could not be reached.');
    scheduler.advance(1);
    expect(store.getSnapshot()).toMatchObject({ quality: 'lost', shown: 'lost' });
    server.greeting = 'accept';
    scheduler.advance(10_000);
    expect(store.getSnapshot()).toMatchObject({
      phase: 'open',
      shown: 'good',
      retryAt: undefined,
      cause: undefined,
      reason: undefined,
    });
  });

  it('never shows a loss that is over in time', () => {
    const stage = dialOpen();
    const { seen } = watched(stage);
    stage.server.last.reset();
    stage.scheduler.advance(20_000);
    expect(new Set(seen.map(({ shown }) => shown))).toEqual(new Set(['good']));
    expect(seen.map(({ quality }) => quality)).toContain('lost');
  });

  it('is `dialling` as soon as the wait is over, also by `reconnect()`', () => {
    const stage = dialOpen();
    const { store } = watched(stage);
    stage.server.last.reset();
    stage.scheduler.advance(250);
    expect(store.getSnapshot()).toMatchObject({ phase: 'dialling', retryAt: undefined });
    stage.scheduler.advance(30);
    stage.server.last.reset();
    expect(store.getSnapshot().phase).toBe('waiting');
    stage.socket.reconnect();
    expect(store.getSnapshot().phase).toBe('dialling');
  });

  it('is poor while an answer is overdue, and slow after two of the last twenty were', () => {
    const stage = dialOpen('ws', { makeBeforeBreak: false, pingTimeout: 30_000 });
    const { scheduler, server } = stage;
    const { store, changes } = watched(stage);
    for (const quality of ['good', 'slow']) {
      server.last.cut();
      scheduler.advance(26_500);
      expect(store.getSnapshot()).toMatchObject({
        status: 'suspect',
        quality: 'poor',
        shown: 'poor',
      });
      server.last.mend();
      scheduler.advance(25_000);
      expect(store.getSnapshot()).toMatchObject({ status: 'alive', quality });
    }
    expect(changes.map(({ quality }) => quality)).toEqual(['poor', 'good', 'poor', 'slow']);
  });

  it('shows an end for good at once', () => {
    const stage = dialOpen();
    const { store } = watched(stage);
    stage.server.last.peer.close(4403, 'not yours');
    stage.scheduler.advance(100);
    expect(store.getSnapshot()).toMatchObject({
      phase: 'closed',
      shown: 'lost',
      cause: 'The server refused the connection.',
      reason: 'fatal',
    });
  });

  it('leaves no timer and no listener behind', () => {
    const stage = dialOpen();
    const { scheduler, socket } = stage;
    const pending = scheduler.pending;
    const { seen, stop } = watched(stage);
    stage.server.last.reset();
    expect(scheduler.pending).toBeGreaterThan(pending);
    stop();
    const told = seen.length;
    scheduler.advance(60_000);
    expect(seen).toHaveLength(told);
    socket.close();
    scheduler.advance(2_000);
    expect(scheduler.pending).toBe(0);
  });

  it('returns the same frozen object until something changes, subscribed or not', () => {
    const stage = dialOpen();
    const { getSnapshot, subscribe } = statusOf(stage.socket, { scheduler: stage.scheduler });
    const first = getSnapshot();
    expect(Object.isFrozen(first)).toBe(true);
    expect(getSnapshot()).toBe(first);
    subscribe((status) => expect(status).toBe(first))();
    stage.socket.close();
    expect(getSnapshot()).not.toBe(first);
  });

  it('works for any socket with a heartbeat', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler, 'browser');
    const socket = new server.WebSocket('ws://test/');
    const heartbeat = attachHeartbeat(socket, { scheduler });
    const store = statusOf(socket, heartbeat, { scheduler });
    const seen: ConnectionStatus[] = [];
    const unsubscribe = store.subscribe((status) => seen.push(status));
    scheduler.advance(30);
    expect(seen.at(-1)).toMatchObject({ phase: 'open', quality: 'good', latencies: [20] });
    server.last.reset();
    expect(seen.at(-1)).toMatchObject({ phase: 'closed', quality: 'lost', shown: 'lost' });
    unsubscribe();
    expect(server.last.client.listenerCount).toBe(0);
  });

  it.each([
    ['lostAfter', -1],
    ['lostAfter', Number.NaN],
    ['lostAfter', '1'],
    ['scheduler', null],
    ['scheduler', {}],
  ])('refuses as `%s` %o', (option, value) => {
    const { socket } = dial();
    expect(() => statusOf(socket, { [option]: value })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`\`${option}\``) }),
    );
  });
});
