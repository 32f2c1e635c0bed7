import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import { type Snapshot, snapshotOf } from '../src/snapshot-store.ts';
import { FakeServer, KINDS } from './fake-server.ts';
import { reportedErrors } from './reported-errors.ts';
import { dial, dialOpen } from './stage.ts';

const IDLE = {
  readyState: 0,
  phase: 'dialling',
  status: 'idle',
  latency: undefined,
  lastReceived: undefined,
  retry: undefined,
  giveup: undefined,
};
const OPEN = {
  ...IDLE,
  readyState: 1,
  phase: 'open',
  status: 'alive',
  lastReceived: expect.any(Number),
};
const ANSWERED = { ...OPEN, latency: 20 };

describe('snapshotOf a ReconnectingWebSocket', () => {
  it('tells each change once, and the present at once', () => {
    const { scheduler, socket, server } = dial();
    const seen: Snapshot[] = [];
    const unsubscribe = snapshotOf(socket).subscribe((snapshot) => seen.push(snapshot));
    expect(seen).toEqual([IDLE]);
    scheduler.advance(30); // 10 ms: open, 30 ms: the first pong
    expect(seen.slice(1)).toEqual([OPEN, ANSWERED]);
    server.greeting = 'refuse';
    server.last.reset();
    const waiting = {
      readyState: 0,
      phase: 'waiting',
      status: 'idle',
      latency: undefined,
      giveup: undefined,
    };
    expect(seen.slice(3)).toEqual([
      { ...IDLE, phase: 'waiting' },
      { ...waiting, retry: { attempt: 1, delay: 250, cause: expect.anything() } },
    ]);
    scheduler.advance(260); // dialled and refused
    expect(seen.slice(5)).toMatchObject([
      { phase: 'dialling', retry: { attempt: 1 } },
      { phase: 'waiting', retry: { attempt: 2, delay: 500 } },
    ]);
    server.greeting = 'accept';
    scheduler.advance(530);
    expect(seen.slice(7)).toEqual([expect.objectContaining({ phase: 'dialling' }), OPEN, ANSWERED]);
    unsubscribe();
    socket.close();
    scheduler.advance(1_000);
    expect(seen).toHaveLength(10);
    expect(snapshotOf(socket).getSnapshot()).toEqual({ ...IDLE, readyState: 3, phase: 'closed' });
  });

  it('tells the wait and the attempt apart, also if `reconnect()` ends the wait', () => {
    const { scheduler, socket, server } = dialOpen();
    const phases: string[] = [];
    snapshotOf(socket).subscribe(({ phase }) => phases.push(phase));
    server.last.reset();
    expect(phases.at(-1)).toBe('waiting');
    socket.reconnect();
    expect(phases.at(-1)).toBe('dialling');
    scheduler.advance(30);
    server.last.reset();
    scheduler.advance(249);
    expect(phases.at(-1)).toBe('waiting');
    scheduler.advance(1);
    expect(phases.at(-1)).toBe('dialling');
    expect(snapshotOf(socket).getSnapshot().retry).toMatchObject({ attempt: 1 });
    socket.close();
    scheduler.advance(2_000);
    expect(phases.at(-1)).toBe('closed');
  });

  it('is `dialling` while a second connection that has taken over is still being opened', () => {
    const { scheduler, socket, server } = dialOpen();
    const attempts: number[] = [];
    socket.addEventListener('dial', ({ detail }) => attempts.push(detail.attempt));
    const { getSnapshot } = snapshotOf(socket);
    const [first] = server.links;
    first?.cut();
    server.greeting = 'ignore';
    scheduler.advance(27_000);
    expect(server.links).toHaveLength(2);
    expect(attempts).toEqual([]);
    first?.reset();
    expect(getSnapshot().phase).toBe('dialling');
    expect(attempts).toEqual([0]);
  });

  it('says when anything was last received, and brings that up to date with each pong, not each message', () => {
    const { scheduler, socket, server } = dialOpen();
    const seen: (number | undefined)[] = [];
    snapshotOf(socket).subscribe(({ lastReceived }) => seen.push(lastReceived));
    scheduler.advance(5_000);
    server.last.peer.send('text');
    scheduler.advance(1_000);
    expect(socket.lastReceived).toBe(5_040);
    expect(seen).toEqual([30]);
    void socket.ping();
    scheduler.advance(30);
    expect(seen).toEqual([30, 6_050]);
    socket.close();
    scheduler.advance(1_000);
    expect(seen.at(-1)).toBeUndefined();
    expect(socket.lastReceived).toBeUndefined();
  });

  it('gives the same frozen object until something changes, subscribed or not', () => {
    const { scheduler, socket } = dialOpen();
    const { getSnapshot, subscribe } = snapshotOf(socket);
    const first = getSnapshot();
    expect(Object.isFrozen(first)).toBe(true);
    scheduler.advance(25_030); // another ping, another pong, as quick as the first
    expect(getSnapshot()).toBe(first);
    subscribe((snapshot) => expect(snapshot).toBe(first))();
    socket.close();
    expect(getSnapshot()).not.toBe(first);
    expect(getSnapshot()).toMatchObject({ readyState: 2 });
    expect(first).toMatchObject({ readyState: 1 });
  });

  it('tells `suspect`, and the reason of an end for good', () => {
    const { scheduler, socket, server } = dialOpen('ws', { makeBeforeBreak: false });
    const store = snapshotOf(socket);
    const statuses = new Set<string>();
    store.subscribe(({ status }) => statuses.add(status));
    server.last.cut();
    scheduler.advance(26_500);
    expect(store.getSnapshot()).toMatchObject({ readyState: 1, status: 'suspect' });
    server.last.mend();
    scheduler.advance(40_000);
    expect(store.getSnapshot()).toMatchObject({ readyState: 1, status: 'alive' });
    expect([...statuses]).toContain('suspect');
    server.last.peer.close(4403, 'not yours');
    scheduler.advance(100);
    expect(store.getSnapshot()).toMatchObject({
      readyState: 3,
      retry: undefined,
      giveup: { attempts: 0, cause: { reason: 'fatal', code: 4403 } },
    });
  });

  it('keeps the reason why it has given up, also of an attempt that never opened', () => {
    const { scheduler, socket } = dial('ws', { maxAttempts: 0 }, 'refuse');
    const { getSnapshot } = snapshotOf(socket);
    scheduler.advance(100);
    expect(getSnapshot()).toMatchObject({
      readyState: 3,
      giveup: { cause: { reason: 'abnormal', wasOpen: false } },
    });
  });

  it('ends the wait that it tells of when it is closed', () => {
    const { scheduler, socket, server } = dialOpen();
    const store = snapshotOf(socket);
    server.last.reset();
    expect(store.getSnapshot().retry).toMatchObject({ attempt: 1 });
    socket.close();
    scheduler.advance(1_000);
    expect(store.getSnapshot()).toEqual({ ...IDLE, readyState: 3, phase: 'closed' });
  });

  it('is the same store each time: who comes late knows of the wait', () => {
    const { socket, server } = dialOpen();
    const store = snapshotOf(socket);
    server.last.reset();
    expect(snapshotOf(socket)).toBe(store);
    const seen: Snapshot[] = [];
    snapshotOf(socket).subscribe((snapshot) => seen.push(snapshot));
    expect(seen).toMatchObject([{ retry: { attempt: 1, delay: 250 } }]);
  });

  it('tells a listener what another has read before it', () => {
    const { scheduler, socket } = dial();
    const { getSnapshot, subscribe } = snapshotOf(socket);
    socket.addEventListener('open', getSnapshot);
    const states: number[] = [];
    subscribe(({ readyState }) => states.push(readyState));
    scheduler.advance(10);
    expect(states).toEqual([0, 1]);
  });

  it('counts each subscription by itself, also of one listener', () => {
    const { scheduler, socket } = dial();
    const { subscribe } = snapshotOf(socket);
    const states: number[] = [];
    const listener = ({ readyState }: Snapshot) => states.push(readyState);
    const first = subscribe(listener);
    subscribe(listener);
    first();
    first();
    scheduler.advance(10);
    expect(states).toEqual([0, 0, 1]);
  });

  it('goes on after a listener that throws, and reports its error', async () => {
    const errors = await reportedErrors(() => {
      const { scheduler, socket } = dial();
      const { subscribe } = snapshotOf(socket);
      subscribe(({ latency }) => {
        if (latency !== undefined) throw new Error('by a listener');
      });
      const latencies: unknown[] = [];
      subscribe(({ latency }) => latencies.push(latency));
      scheduler.advance(30);
      expect(latencies).toEqual([undefined, undefined, 20]);
    });
    expect(errors).toMatchObject([{ message: 'by a listener' }]);
  });
});

describe.each(KINDS)('snapshotOf a socket like that of %s, with its heartbeat', (kind) => {
  function attach() {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler, kind);
    const link = server.connect();
    const heartbeat = attachHeartbeat(link.client, { scheduler, jitter: 0, lifecycle: false });
    return { scheduler, link, heartbeat };
  }

  it('tells of the socket what the socket tells, and of the peer what the heartbeat does', () => {
    const { scheduler, link, heartbeat } = attach();
    const seen: Snapshot[] = [];
    snapshotOf(link.client, heartbeat).subscribe((snapshot) => seen.push(snapshot));
    scheduler.advance(30);
    link.peer.close(1001);
    scheduler.advance(30);
    expect(seen).toEqual([
      IDLE,
      OPEN,
      ANSWERED,
      { ...IDLE, readyState: 3, phase: 'closed', latency: 20 },
    ]);
  });

  it('listens only while somebody is subscribed', () => {
    const { scheduler, link, heartbeat } = attach();
    const before = link.client.listenerCount;
    const store = snapshotOf(link.client, heartbeat);
    const ends = [store.subscribe(() => {}), store.subscribe(() => {})];
    expect(link.client.listenerCount).toBeGreaterThan(before);
    for (const end of ends) end();
    expect(link.client.listenerCount).toBe(before);
    scheduler.advance(30);
    expect(store.getSnapshot()).toMatchObject({ readyState: 1, latency: 20 });
    heartbeat.detach();
  });
});
