import { describe, expect, it, vi } from 'vitest';
import { ReadyState, type SocketEvent } from '../../src/socket.ts';
import { FakeSocket, fakeSocketPair } from '../../src/testing/fake-socket.ts';
import { Link } from '../../src/testing/link.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';

/** What a socket tells its listeners, in order. */
function recorded(socket: FakeSocket, scheduler: VirtualScheduler): unknown[] {
  const log: unknown[] = [];
  const note = (event: SocketEvent) => {
    const { type, data, code, reason, wasClean } = event;
    const details = type === 'message' ? [data] : type === 'close' ? [code, reason, wasClean] : [];
    log.push([scheduler.now(), type, ...details]);
  };
  for (const type of ['open', 'message', 'error', 'close']) socket.addEventListener(type, note);
  return log;
}

function setUp({ open = true } = {}) {
  const scheduler = new VirtualScheduler();
  const [near, far] = fakeSocketPair(scheduler);
  if (open) scheduler.advance(0);
  return {
    scheduler,
    near,
    far,
    nearLog: recorded(near, scheduler),
    farLog: recorded(far, scheduler),
  };
}

describe('FakeSocket', () => {
  describe('while it connects', () => {
    it('opens after the latency of the path towards it', () => {
      const scheduler = new VirtualScheduler();
      const [near, far] = [new FakeSocket(scheduler), new FakeSocket(scheduler)];
      near.path.latency = 30;
      far.path.latency = 50;
      const [nearLog, farLog] = [recorded(near, scheduler), recorded(far, scheduler)];
      FakeSocket.join(near, far);
      expect([near.readyState, far.readyState]).toEqual([0, 0]);
      scheduler.advance(100);
      expect(nearLog).toEqual([[50, 'open']]);
      expect(farLog).toEqual([[30, 'open']]);
      expect([near.readyState, far.readyState]).toEqual([1, 1]);
    });

    it('throws at send, as every WebSocket does', () => {
      const { near } = setUp({ open: false });
      expect(() => near.send('early')).toThrow('not open yet');
      expect(near.sentMessages).toEqual([]);
    });

    it('does not open after close', () => {
      const { scheduler, near, nearLog } = setUp({ open: false });
      near.close();
      scheduler.advance(100);
      expect(nearLog).toEqual([[0, 'close', 1005, '', true]]);
    });

    it('has no listeners, no handlers and nothing in its buffer', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { listenerCount, bufferedAmount, onopen, onmessage, onerror, onclose } = socket;
      expect([listenerCount, bufferedAmount]).toEqual([0, 0]);
      expect([onopen, onmessage, onerror, onclose]).toEqual([null, null, null, null]);
    });

    it('stays alone without a peer', () => {
      const scheduler = new VirtualScheduler();
      const socket = new FakeSocket(scheduler);
      scheduler.advance(60_000);
      expect(socket.readyState).toBe(ReadyState.Connecting);
      socket.close();
      scheduler.advance(60_000);
      expect(socket.readyState).toBe(ReadyState.Closing);
    });
  });

  describe('send', () => {
    it('reaches the peer after the latency, in order and untouched', () => {
      const { scheduler, near, far, nearLog, farLog } = setUp();
      near.path.latency = 20;
      const bytes = new Uint8Array([5, 119, 98]);
      near.send('one');
      near.send(bytes);
      far.send('back');
      scheduler.advance(100);
      expect(farLog).toEqual([
        [20, 'message', 'one'],
        [20, 'message', bytes],
      ]);
      expect(nearLog).toEqual([[0, 'message', 'back']]);
      expect(near.sentMessages).toEqual(['one', bytes]);
    });

    it('never reaches the peer before it returns', () => {
      const { near, farLog } = setUp();
      near.send('one');
      expect(farLog).toEqual([]);
    });

    it('keeps the order also where the latency becomes less', () => {
      const { scheduler, near, farLog } = setUp();
      near.path.latency = 100;
      near.send('one');
      near.path.latency = 10;
      near.send('two');
      scheduler.advance(50);
      near.send('three');
      scheduler.advance(100);
      near.send('four');
      scheduler.advance(100);
      expect(farLog).toEqual([
        [100, 'message', 'one'],
        [100, 'message', 'two'],
        [100, 'message', 'three'],
        [160, 'message', 'four'],
      ]);
    });

    it('reaches nobody over a path that is cut, nor what is on the way then', () => {
      const { scheduler, near, far, nearLog, farLog } = setUp();
      near.path.latency = 20;
      near.send('on the way');
      scheduler.advance(10);
      near.path.cut = true;
      near.send('after');
      far.send('other direction');
      scheduler.advance(60_000);
      expect(farLog).toEqual([]);
      expect(nearLog).toEqual([[10, 'message', 'other direction']]);
      expect(near.sentMessages).toEqual(['on the way', 'after']);
      expect(near.readyState).toBe(ReadyState.Open);
    });

    it('does nothing once the socket closes', () => {
      const { scheduler, near, farLog } = setUp();
      near.close();
      near.send('late');
      scheduler.advance(0);
      near.send('later');
      scheduler.advance(0);
      expect(farLog).toEqual([[0, 'close', 1005, '', true]]);
      expect(near.sentMessages).toEqual([]);
    });

    it('does not reach a peer that is closing', () => {
      const { scheduler, near, far, farLog } = setUp();
      near.path.latency = 20;
      far.close();
      near.send('late');
      scheduler.advance(100);
      expect(farLog).toEqual([[20, 'close', 1005, '', true]]);
    });
  });

  describe('close', () => {
    it('ends both sides with code and reason, first the peer', () => {
      const { scheduler, near, far, nearLog, farLog } = setUp();
      near.path.latency = 20;
      far.path.latency = 30;
      near.send('last words');
      near.close(4000, 'bye');
      expect(near.readyState).toBe(ReadyState.Closing);
      scheduler.advance(100);
      expect(farLog).toEqual([
        [20, 'message', 'last words'],
        [20, 'close', 4000, 'bye', true],
      ]);
      expect(nearLog).toEqual([[50, 'close', 4000, 'bye', true]]);
      expect([near.readyState, far.readyState]).toEqual([3, 3]);
    });

    it('counts once', () => {
      const { scheduler, near, nearLog, farLog } = setUp();
      near.close(4000, 'first');
      const { pending } = scheduler;
      near.close(4001, 'second');
      expect(scheduler.pending).toBe(pending);
      scheduler.advance(0);
      near.close(4002, 'third');
      scheduler.advance(0);
      expect(near.readyState).toBe(ReadyState.Closed);
      expect(farLog).toEqual([[0, 'close', 4000, 'first', true]]);
      expect(nearLog).toEqual([[0, 'close', 4000, 'first', true]]);
    });

    it('ends each side once where both close at the same time', () => {
      const { scheduler, near, far, nearLog, farLog } = setUp();
      near.path.latency = far.path.latency = 10;
      near.close(4000);
      far.close(4001);
      scheduler.advance(100);
      expect(farLog).toEqual([[10, 'close', 4000, '', true]]);
      expect(nearLog).toEqual([[10, 'close', 4001, '', true]]);
    });

    it('never ends over a path that is cut, in either direction', () => {
      for (const cut of ['near', 'far'] as const) {
        const sockets = setUp();
        sockets[cut].path.cut = true;
        sockets.near.close();
        sockets.scheduler.advance(3_600_000);
        expect(sockets.nearLog).toEqual([]);
        expect(sockets.near.readyState).toBe(ReadyState.Closing);
      }
    });
  });

  describe('terminate', () => {
    it('ends this side at once, and tells the peer nothing', () => {
      const { scheduler, near, far, nearLog, farLog } = setUp();
      near.terminate();
      expect(nearLog).toEqual([[0, 'close', 1006, '', false]]);
      expect(near.readyState).toBe(ReadyState.Closed);
      scheduler.advance(3_600_000);
      expect(farLog).toEqual([]);
      expect(far.readyState).toBe(ReadyState.Open);
    });

    it('leaves the closing handshake of the peer unanswered', () => {
      const { scheduler, near, far, farLog } = setUp();
      near.terminate();
      far.close();
      scheduler.advance(3_600_000);
      expect(farLog).toEqual([]);
      expect(far.readyState).toBe(ReadyState.Closing);
    });

    it('ends a socket whose closing handshake does not', () => {
      const { near, nearLog } = setUp();
      near.path.cut = true;
      near.close();
      near.terminate();
      near.terminate();
      expect(nearLog).toEqual([[0, 'close', 1006, '', false]]);
    });

    it('keeps a socket from opening', () => {
      const { scheduler, near, nearLog } = setUp({ open: false });
      near.terminate();
      scheduler.advance(100);
      expect(nearLog).toEqual([[0, 'close', 1006, '', false]]);
    });
  });

  describe('listeners', () => {
    it('are called in the order in which they were added, the handler last', () => {
      const { scheduler, near, far } = setUp();
      const order: string[] = [];
      far.onmessage = () => order.push('handler');
      far.addEventListener('message', () => order.push('first'));
      far.addEventListener('message', () => order.push('second'));
      near.send('x');
      scheduler.advance(0);
      expect(order).toEqual(['first', 'second', 'handler']);
    });

    it('have a handler for each event', () => {
      const { scheduler, near, far } = setUp({ open: false });
      const [onopen, onmessage, onerror, onclose] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
      Object.assign(far, { onopen, onmessage, onerror, onclose });
      scheduler.advance(0);
      near.send('x');
      scheduler.advance(0);
      far.dispatchEvent({ type: 'error' });
      near.close();
      scheduler.advance(0);
      for (const handler of [onopen, onmessage, onerror, onclose]) {
        expect(handler).toHaveBeenCalledTimes(1);
      }
    });

    it('behind one that stops the event are not called, nor is the handler', () => {
      const { far } = setUp();
      const [before, behind] = [vi.fn(), vi.fn()];
      far.addEventListener('message', before);
      far.addEventListener('message', (event) => event.stopImmediatePropagation?.());
      far.addEventListener('message', behind);
      far.onmessage = behind;
      expect(far.dispatchEvent({ type: 'message', data: 'x' })).toBe(true);
      expect(before).toHaveBeenCalledTimes(1);
      expect(behind).not.toHaveBeenCalled();
      far.dispatchEvent({ type: 'message', data: 'y' });
      expect(before).toHaveBeenCalledTimes(2);
    });

    it('are there once however often they are added, and gone when removed', () => {
      const { far } = setUp();
      const listener = vi.fn();
      const count = far.listenerCount;
      far.addEventListener('message', listener);
      far.addEventListener('message', listener);
      far.addEventListener('close', listener);
      expect(far.listenerCount).toBe(count + 2);
      far.removeEventListener('message', listener);
      far.removeEventListener('message', listener);
      far.removeEventListener('pong', listener);
      expect(far.listenerCount).toBe(count + 1);
      far.dispatchEvent({ type: 'message' });
      expect(listener).not.toHaveBeenCalled();
      far.dispatchEvent({ type: 'close' });
      expect(listener).toHaveBeenCalledTimes(1);
    });
  });

  it('takes the paths of a link on its ends, and freezes with them', () => {
    const scheduler = new VirtualScheduler();
    const link = new Link(scheduler, { latency: 20 });
    const [near, far] = fakeSocketPair(link);
    expect([near.path, far.path]).toEqual(link.ends.map((end) => end.path));
    expect(near.path).toBe(link.ends[0].path);
    scheduler.advance(20);
    const farLog = recorded(far, scheduler);
    link.ends[1].freeze();
    near.send('x');
    scheduler.advance(60_000);
    expect(farLog).toEqual([]);
    link.ends[1].thaw();
    scheduler.advance(0);
    expect(farLog).toEqual([[60_020, 'message', 'x']]);
  });

  it('leaves nothing waiting once both sides are closed', () => {
    const { scheduler, near } = setUp();
    near.send('x');
    near.close();
    scheduler.advance(0);
    expect(scheduler.pending).toBe(0);
  });
});
