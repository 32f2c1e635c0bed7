import { decodeBeat } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { KINDS, minimalPeer, silentPeer } from '../fake-server.ts';
import { dial, dialOpen, eventsOf, expectEnded } from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
  describe('a server that is lost twice right after the first ping', () => {
    it('without a Close frame is pinged as ever', () => {
      const { scheduler, server } = dial(kind);
      for (const _ of [1, 2]) {
        while (server.last.beats.length === 0) scheduler.advance(1);
        server.last.reset();
        scheduler.advance(2_000);
      }
      expect(server.last.beats.length).toBeGreaterThan(0);
    });

    it('by Close frames is pinged as ever if it has answered before', () => {
      const { scheduler, server } = dialOpen(kind);
      server.last.reset();
      server.answer = (_, { peer }) => void peer.close(1012);
      scheduler.advance(2_000);
      server.answer = minimalPeer;
      scheduler.advance(10_000);
      expect(server.links.length).toBeGreaterThan(3);
      expect(server.last.beats.length).toBeGreaterThan(0);
    });

    it.each([1003, 1012, 4000, 4400])(
      'by Close frames with %i, greeting or not, gets no more pings, and the third stays',
      (code) => {
        for (const greeting of [undefined, 'hello']) {
          const { scheduler, server, socket, log } = dial(kind);
          server.answer = (text, { peer }) => {
            if (greeting) peer.send(greeting);
            if (decodeBeat(text)) peer.close(code, 'unknown message');
            return undefined;
          };
          const told: unknown[] = [];
          socket.addEventListener('unanswered', ({ detail }) => told.push(detail));
          scheduler.advance(3_600_000);
          expect(server.links.map(({ beats }) => beats.length)).toEqual([1, 1, 0]);
          expect(socket.readyState).toBe(1);
          expect(told).toEqual([{ silentFor: 0, reason: 'refused' }]);
          expect(socket.detectionBound).toBe(Number.POSITIVE_INFINITY);
          const causes = eventsOf(log, 'retry').map(({ detail }) => detail.cause);
          expect(causes).toMatchObject([
            { reason: 'peer-close', code },
            { reason: 'peer-close', code },
          ]);
        }
      },
    );

    it('with a fatal code that has nothing to do with pings ends it for good at the third', () => {
      const stage = dial(kind);
      const { scheduler, server, log } = stage;
      server.answer = silentPeer;
      for (const connection of [1, 2, 3]) {
        while (server.links.length < connection || !server.last.peer.readyState)
          scheduler.advance(1);
        scheduler.advance(20);
        server.last.peer.close(4401, 'who are you');
        scheduler.advance(20);
      }
      const [giveup] = eventsOf(log, 'giveup');
      expect(giveup?.detail.cause).toMatchObject({ reason: 'fatal', code: 4401 });
      expectEnded(stage, 3);
    });
  });

  describe('a server of a foreign subprotocol', () => {
    it('is sent no ping, is dialled once, and that is told once', () => {
      const { scheduler, server, socket } = dial(kind, {}, 'accept', 'ws://test/', ['mqtt']);
      server.answer = silentPeer;
      const told: unknown[] = [];
      socket.addEventListener('unanswered', ({ detail }) => told.push(detail));
      socket.send('CONNECT');
      scheduler.advance(3_600_000);
      expect(server.links).toHaveLength(1);
      expect(server.last.wire.sentMessages).toEqual(['CONNECT']);
      expect(told).toEqual([{ silentFor: 0, reason: 'foreign-protocol' }]);
      expect([socket.readyState, socket.status]).toEqual([1, 'alive']);
    });

    it('that closes with a fatal code is taken at its word', () => {
      const { scheduler, server, log } = dial(kind, {}, 'accept', 'ws://test/', ['mqtt']);
      scheduler.advance(20);
      server.last.peer.close(4400);
      scheduler.advance(20);
      expect(eventsOf(log, 'giveup')[0]?.detail.cause).toMatchObject({ reason: 'fatal' });
    });
  });
});
