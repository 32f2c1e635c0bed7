import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Delivery } from '../../src/outbox/delivery.ts';
import { SharedSocket } from '../../src/shared/shared-socket.ts';
import { snapshotOf } from '../../src/snapshot-store.ts';
import { statusOf } from '../../src/status/status.ts';
import { rest, TabWorld } from './tab-world.ts';

let world: TabWorld;

beforeEach(() => {
  world = new TabWorld();
});

afterEach(() => world.end());

describe('SharedSocket', () => {
  it('has one connection for all tabs, and tells each that it is open', async () => {
    const first = await world.tab();
    expect(first.socket.readyState).toBe(0);
    await world.advance(30);
    const second = await world.tab();
    for (const { socket, log } of [first, second]) {
      expect(log).toEqual(['open']);
      expect(socket).toMatchObject({ readyState: 1, status: 'alive', url: 'ws://test/path' });
      expect(socket.latency).toBe(20);
      expect(socket.lastReceived).toBeTypeOf('number');
    }
    expect(world.stage.server.links).toHaveLength(1);
  });

  it('sends the messages of each tab, and gives each message of the server to all', async () => {
    const tabs = [await world.tab(), await world.tab()];
    for (const [index, { socket }] of tabs.entries()) socket.send(`from ${index}`);
    await world.advance(30);
    const { last } = world.stage.server;
    expect(last.received).toEqual(['from 0', 'from 1']);
    last.peer.send('hello');
    await world.advance(30);
    for (const { log } of tabs) expect(log).toEqual(['open', 'hello']);
  });

  it('copies bytes when they are sent, and makes what the tab wants of received ones', async () => {
    const [blobs, buffers] = [await world.tab(), await world.tab()];
    buffers.socket.binaryType = 'arraybuffer';
    buffers.socket.binaryType = 'nonsense';
    const bytes = new Uint8Array([1, 2, 3]);
    blobs.socket.send(bytes.subarray(1));
    bytes.fill(9);
    const data: unknown[] = [];
    for (const { socket } of [blobs, buffers]) {
      socket.addEventListener('message', (event) => data.push(event.data));
    }
    await world.advance(30);
    const { last } = world.stage.server;
    expect([...(last.received[0] as Uint8Array)]).toEqual([2, 3]);
    last.peer.send(new Uint8Array([4]).buffer);
    await world.advance(30);
    expect(data).toEqual([expect.any(Blob), expect.any(ArrayBuffer)]);
    expect([blobs.socket.binaryType, buffers.socket.binaryType]).toEqual(['blob', 'arraybuffer']);
  });

  it('is a source of snapshots and of a status, also for a tab that comes during a wait', async () => {
    const first = await world.tab();
    await world.advance(30);
    const status = statusOf(first.socket);
    const stop = status.subscribe(() => {});
    world.stage.server.greeting = 'refuse';
    world.stage.server.last.reset();
    await world.advance();
    expect(status.getSnapshot()).toMatchObject({
      phase: 'waiting',
      cause: 'The connection was interrupted.',
    });
    stop();
    const late = new SharedSocket(
      () => world.worker(),
      () => world.open(),
    );
    const store = snapshotOf(late);
    await rest();
    expect(store.getSnapshot()).toMatchObject({ phase: 'waiting', readyState: 0 });
    expect(store.getSnapshot().retry?.delay).toBeLessThanOrEqual(250);
  });

  it('closes for one tab alone, and with the last one for the server', async () => {
    const [first, second] = [await world.tab(), await world.tab()];
    await world.advance(30);
    const ends: unknown[] = [];
    first.socket.addEventListener('close', ({ code, reason, wasClean }) =>
      ends.push(code, reason, wasClean),
    );
    first.socket.close(3001, 'enough');
    expect(first.socket.readyState).toBe(2);
    await world.advance();
    expect(ends).toEqual([3001, 'enough', true]);
    expect(first.socket.readyState).toBe(3);
    expect(world.stage.server.live).toBe(1);
    first.socket.send('too late');
    second.socket.close();
    second.socket.close();
    await world.advance(2_000);
    expect(second.log).toEqual(['open', 'close']);
    expect(world.stage.server.live).toBe(0);
    expect(world.stage.server.last.received).toEqual([]);
    const third = await world.tab();
    await world.advance(30);
    expect(third.log).toEqual(['open']);
    expect(world.stages).toHaveLength(2);
  });

  it('forgets a tab whose page has ended, and closes after the last one', async () => {
    const [first, second] = [await world.tab(), await world.tab()];
    await world.advance(30);
    await world.kill(first.socket);
    world.stage.server.last.peer.send('hello');
    await world.advance(30);
    expect(first.log).not.toContain('hello');
    expect(second.log).toContain('hello');
    expect(world.stage.server.live).toBe(1);
    await world.kill(second.socket);
    await world.advance(2_000);
    expect(world.stage.server.live).toBe(0);
    expect(world.stage.scheduler.pending).toBe(0);
  });

  it('ends in all tabs with an end for good, and begins again in the next one', async () => {
    const tabs = [await world.tab(), await world.tab()];
    await world.advance(30);
    world.stage.server.last.peer.close(4401, 'signed out');
    await world.advance(30);
    for (const { socket, log } of tabs) {
      expect(log).toEqual(['open', 'close', 'giveup']);
      expect(socket.readyState).toBe(3);
    }
    const next = await world.tab();
    await world.advance(30);
    expect(next.log).toEqual(['open']);
    expect(world.stages).toHaveLength(2);
  });

  it('connects again if the owner of the socket ends', async () => {
    const tabs = [await world.tab(), await world.tab()];
    await world.advance(30);
    const asked = tabs[0]?.socket.ping();
    const expected = expect(asked).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
    await world.killWorker();
    await expected;
    expect(world.stages).toHaveLength(2);
    tabs[1]?.socket.send('hello again');
    await world.advance(30);
    for (const { socket, log } of tabs) {
      expect(log).toEqual(['open', 'close', 'open']);
      expect(socket.readyState).toBe(1);
    }
    expect(world.stage.server.last.received).toEqual(['hello again']);
  });

  it('releases its lock if the owner of the socket ends', async () => {
    await world.tab();
    await world.advance(30);
    const before = world.heldLocks;
    await world.killWorker();
    await world.advance(30);
    const after = world.heldLocks;
    expect(after).toHaveLength(before.length);
    for (const name of before) expect(after).not.toContain(name);
  });

  it('ends if the owner ends while it closes', async () => {
    const { socket, log } = await world.tab();
    await world.advance(30);
    socket.close();
    await world.killWorker();
    expect(log).toEqual(['open', 'close']);
    expect(socket.readyState).toBe(3);
  });

  it('pings and reconnects for all', async () => {
    const [first, second] = [await world.tab(), await world.tab()];
    await world.advance(30);
    const latency = first.socket.ping();
    await world.advance(30);
    expect(await latency).toBe(20);
    const signal = AbortSignal.abort('bored');
    await expect(first.socket.ping({ signal })).rejects.toBe('bored');
    const controller = new AbortController();
    const aborted = first.socket.ping({ signal: controller.signal });
    controller.abort('later');
    await expect(aborted).rejects.toBe('later');
    first.socket.probe();
    second.socket.reconnect();
    await world.advance(30);
    expect(world.stage.server.links).toHaveLength(2);
    await expect(first.socket.ping({ id: '_x' })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      option: 'id',
    });
    first.socket.close();
    await expect(first.socket.ping()).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
  });

  it('rejects what was asked when the tab closes', async () => {
    const [first] = [await world.tab(), await world.tab()];
    await world.advance(30);
    const asked = first.socket.ping();
    first.socket.close();
    const expected = expect(asked).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
    await world.advance();
    await expected;
  });

  it('carries the error of `dead`', async () => {
    const { socket } = await world.tab();
    await world.advance(30);
    const errors: unknown[] = [];
    socket.addEventListener('dead', ({ detail }) => errors.push(detail.error));
    world.stage.server.greeting = 'refuse';
    world.stage.server.last.cut();
    await world.advance(60_000);
    expect(errors[0]).toMatchObject({ code: 'ERR_PING_TIMEOUT', pingTimeout: 10_000 });
  });

  it('returns a message that does not fit into the queue to its tab alone', async () => {
    world.end();
    world = new TabWorld(() => world.open({ maxQueuedMessages: 1 }));
    const [first, second] = [await world.tab(), await world.tab()];
    const dropped: unknown[] = [];
    first.socket.addEventListener('drop', ({ detail }) => dropped.push(detail));
    first.socket.send('fits');
    first.socket.send('does not');
    await world.advance();
    expect(dropped).toEqual([{ messages: ['does not'], reason: 'overflow' }]);
    expect(second.log).toEqual([]);
  });

  it('resolves `flushed` if the owner has a delivery', async () => {
    await expect(
      Promise.all([(await world.tab()).socket.flushed(), world.advance()]),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option: 'delivery' });
    world.end();
    world = new TabWorld(() => {
      const delivery = new Delivery({ resend: true });
      return { socket: world.open({ delivery }), delivery };
    });
    const { socket } = await world.tab();
    socket.send('order');
    const flushed = socket.flushed();
    await world.advance(100);
    expect(await flushed).toEqual({ by: 'server' });
    expect(world.stage.server.last.received).toEqual(['order']);
  });

  it('reports that the owner could not open a socket', async () => {
    world.end();
    world = new TabWorld(() => {
      throw new RangeError('no such option');
    });
    const { socket, log } = await world.tab();
    expect(log).toEqual(['error', 'close']);
    expect(socket.readyState).toBe(3);
  });

  it.each([
    ['there is no SharedWorker', () => vi.stubGlobal('SharedWorker', undefined)],
    ['there are no locks', () => vi.stubGlobal('navigator', {})],
    [
      'the page may not start it',
      () => {
        world.worker = () => {
          throw new DOMException('by policy', 'SecurityError');
        };
      },
    ],
    [
      'its script fails',
      () => {
        const port1 = { ...new EventTarget(), addEventListener() {}, start() {} } as never;
        const addEventListener = (_: unknown, listener: () => void) => setImmediate(listener);
        world.worker = () => ({ port: port1, addEventListener: addEventListener as never });
      },
    ],
  ])('opens a socket of its own if %s', async (_, prepare) => {
    prepare();
    const tabs = [await world.tab(), await world.tab()];
    expect(world.stages).toHaveLength(2);
    for (const { scheduler } of world.stages) scheduler.advance(30);
    await rest();
    for (const { socket, log } of tabs) {
      expect(log).toEqual(['open']);
      socket.close();
    }
    await rest();
    for (const { scheduler } of world.stages) scheduler.advance(2_000);
    await rest();
    for (const { socket } of tabs) expect(socket.readyState).toBe(3);
  });
});
