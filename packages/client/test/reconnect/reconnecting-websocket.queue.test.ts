import { describe, expect, it } from 'vitest';
import { KINDS } from '../fake-server.ts';
import { dial, dialOpen, expectEnded } from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
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
});
