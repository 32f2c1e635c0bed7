import { describe, expect, it } from 'vitest';
import { KINDS } from '../fake-server.ts';
import { dial, dialOpen, eventsOf, expectEnded, namesOf } from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
  describe('with maxAge', () => {
    const maxAge = 60_000; // of which chance takes 3 s: half of a tenth

    it('replaces a connection before it is so old, at once', () => {
      const { scheduler, server, socket, log } = dialOpen(kind, { maxAge });
      log.length = 0;
      scheduler.advanceTo(10 + 57_000 - 1);
      const [old] = server.links;
      const codes: unknown[] = [];
      old?.peer.addEventListener('close', ({ code, reason }) => codes.push(code, reason));
      expect(old?.client.readyState).toBe(1);
      socket.send('just before');
      scheduler.advance(1);
      expect(old?.client.readyState).toBe(2);
      expect(socket.readyState).toBe(0);
      socket.send('in the meantime');
      scheduler.advance(20);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 1000, reason: 'rotation' });
      expect(eventsOf(log, 'retry')[0]?.detail).toMatchObject({
        attempt: 0,
        delay: 0,
        cause: { reason: 'rotation' },
      });
      expect(server.links.map(({ received }) => received)).toEqual([
        ['just before'],
        ['in the meantime'],
      ]);
      expect(codes).toEqual([1000, 'rotation']);
      expect(server.links).toHaveLength(2);
      expect(server.mostLive).toBe(1);
    });

    it('again and again, whatever shouldReconnect and maxAttempts say', () => {
      const options = { maxAge, maxAttempts: 0, shouldReconnect: () => false };
      const { scheduler, server } = dialOpen(kind, options);
      scheduler.advance(600_000);
      expect(server.links).toHaveLength(11);
    });

    it('waits while the link is suspect, and until what was sent is gone', () => {
      const stage = dialOpen(kind, {
        maxAge,
        pingInterval: 55_000,
        pingTimeout: 10_000,
        makeBeforeBreak: false,
      });
      const { scheduler, server, log } = stage;
      server.last.client.bufferedAmount = 5;
      scheduler.advanceTo(60_000);
      expect(server.links.map(({ client }) => client.readyState)).toEqual([1]);
      server.last.client.bufferedAmount = 0;
      scheduler.advance(1_500);
      expect(server.links).toHaveLength(2);
      server.last.cut();
      scheduler.advance(70_000);
      const causes = eventsOf(log, 'retry').map(({ detail }) => detail.cause.reason);
      expect(causes).toEqual(['rotation', 'ping-timeout']);
    });

    it('is off once it is closed, or lost', () => {
      const stage = dialOpen(kind, { maxAge });
      stage.scheduler.advanceTo(50_000);
      stage.server.last.reset();
      stage.scheduler.advanceTo(100_000);
      expect(stage.server.links).toHaveLength(2);
      stage.socket.close();
      expectEnded(stage, 2);
    });

    it('dials by the backoff when the new connection fails', () => {
      const { scheduler, server, log } = dialOpen(kind, { maxAge });
      server.greeting = 'refuse';
      scheduler.advanceTo(58_000);
      const delays = eventsOf(log, 'retry').map(({ detail }) => detail.delay);
      expect(delays.slice(0, 3)).toEqual([0, 250, 500]);
    });
  });

  describe('reconnect()', () => {
    it('leaves an open connection and dials at once', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      log.length = 0;
      socket.reconnect();
      expect(socket.readyState).toBe(0);
      scheduler.advance(10);
      expect(namesOf(log)).toEqual(['close', 'retry', 'open']);
      expect(eventsOf(log, 'retry')[0]?.detail).toMatchObject({
        delay: 0,
        cause: { reason: 'reconnect', wasOpen: true },
      });
      expect(socket.readyState).toBe(1);
      expect(server.mostLive).toBe(1);
    });

    it('leaves an attempt that hangs', () => {
      const { scheduler, server, socket } = dial(kind, {}, 'ignore');
      scheduler.advance(5_000);
      server.greeting = 'accept';
      socket.reconnect();
      scheduler.advance(10);
      expect(socket.readyState).toBe(1);
      expect(server.links).toHaveLength(2);
    });

    it('ends a wait, and begins the backoff anew', () => {
      const { scheduler, server, socket, log } = dial(kind, {}, 'refuse');
      scheduler.advanceTo(5_000);
      const { length } = server.links;
      const before = eventsOf(log, 'retry').length;
      socket.reconnect();
      expect(server.links).toHaveLength(length + 1);
      scheduler.advance(10);
      expect(eventsOf(log, 'retry')[before]?.detail).toMatchObject({ attempt: 1, delay: 250 });
      socket.reconnect();
      server.greeting = 'accept';
      socket.reconnect();
      scheduler.advance(60_000);
      expect(server.mostLive).toBe(1);
      expect(socket.readyState).toBe(1);
    });

    it('dials at once in a listener of close', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      socket.addEventListener('close', () => socket.reconnect(), { once: true });
      server.last.peer.close(1001);
      scheduler.advance(10);
      expect(server.links).toHaveLength(2);
      expect(namesOf(log)).toEqual(['open', 'close']); // nothing was waited for
      scheduler.advance(1_000);
      expect(server.mostLive).toBe(1);
      expect(socket.readyState).toBe(1);
    });

    it.each(['close', 'giveup'])('does nothing after %s', (end) => {
      const stage = dialOpen(kind);
      if (end === 'close') stage.socket.close();
      else stage.server.last.peer.close(4400);
      stage.socket.addEventListener('close', () => stage.socket.reconnect());
      if (end === 'close') stage.socket.reconnect();
      stage.scheduler.advance(100);
      stage.socket.reconnect();
      expectEnded(stage, 1);
      expect(stage.server.links).toHaveLength(1);
    });
  });
});
