import { SystemScheduler } from '@wirebeat/core';
import { FakeSocket, VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attachHeartbeat, type SocketHeartbeat } from '../src/index.ts';

const HOUR = 3_600_000;

describe('the time of messages on the clock of the runtime', () => {
  let now = 0;
  let socket: FakeSocket;
  let heartbeat: SocketHeartbeat;

  beforeEach(() => {
    now = HOUR;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    socket = new FakeSocket(new VirtualScheduler());
    heartbeat = attachHeartbeat(socket, { lifecycle: false, scheduler: new SystemScheduler() });
  });
  afterEach(() => {
    heartbeat.detach();
    vi.restoreAllMocks();
  });

  function receive(timeStamp?: number): void {
    const event = { type: 'message', data: 'news' };
    socket.dispatchEvent(timeStamp === undefined ? event : { ...event, timeStamp });
  }

  it('is that of their events, so that the clock is read at most once a second', () => {
    receive(now);
    const reads = vi.mocked(performance.now).mock.calls.length;
    for (let count = 0; count < 1_000; count += 1) {
      now += 0.5;
      receive(now);
    }
    expect(vi.mocked(performance.now).mock.calls.length).toBe(reads);
    expect(heartbeat.lastReceived).toBe(now);
    now += 1_000;
    receive(now);
    expect(vi.mocked(performance.now).mock.calls.length).toBeGreaterThan(reads);
  });

  it.each([
    ['count from another origin', () => Date.now()],
    ['are not there', () => undefined],
  ])('is that of the clock if the stamps of events %s', (_, stamp) => {
    for (let count = 0; count < 5; count += 1) {
      now += 700;
      receive(stamp());
      expect(heartbeat.lastReceived).toBe(now);
    }
  });

  it('is that of the given scheduler, which is not the clock of events', () => {
    const scheduler = new VirtualScheduler();
    const other = new FakeSocket(scheduler);
    const given = attachHeartbeat(other, { lifecycle: false, scheduler });
    for (let count = 0; count < 3; count += 1) {
      scheduler.advance(600);
      other.dispatchEvent({ type: 'message', data: 'news', timeStamp: HOUR });
      expect(given.lastReceived).toBe(scheduler.now());
    }
    given.detach();
  });
});

describe('pings of a server that does not read', () => {
  /** The pongs to a hundred of them, with or without what pages leave out. */
  async function pongs(isPage: boolean): Promise<number> {
    vi.resetModules();
    vi.doMock('../src/development.ts', () => ({ IS_PAGE: isPage }));
    const { Link } = await import('../src/link.ts');
    const { resolveAttachOptions } = await import('../src/options.ts');
    vi.doUnmock('../src/development.ts');
    vi.resetModules(); // other tests share the modules
    const scheduler = new VirtualScheduler();
    const socket = new FakeSocket(scheduler);
    socket.readyState = 1;
    socket.bufferedAmount = 1_000_000;
    const options = { scheduler, lifecycle: false, pingInterval: false } as const;
    const link = new Link(socket, resolveAttachOptions(options), () => {});
    link.open();
    for (let count = 0; count < 100; count += 1) link.receive({ type: 'ping' });
    link.release();
    return socket.sentMessages.length;
  }

  it('get one pong at a time, also from a page', async () => {
    expect(await pongs(false)).toBe(1);
    expect(await pongs(true)).toBe(1);
  });
});
