import { ConnectionClosedError, PingTimeoutError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { KINDS } from '../fake-server.ts';
import { dial, dialOpen } from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
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
