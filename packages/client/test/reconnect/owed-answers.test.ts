// A server that answers pings, on a connection whose first pings it did not answer.
import { decodeBeat } from '@wirebeat/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../core/test/simulation.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { KINDS, minimalPeer, silentPeer } from '../fake-server.ts';
import { dial, eventsOf, namesOf, type Stage } from '../stage.ts';

const MINUTE = 60_000;
/** The longest pause between two standbys, and what the last one takes. */
const LONGEST = 17 * MINUTE;

/** How often `unanswered` was dispatched so far. */
function countUnanswered({ socket }: Stage): () => number {
  let count = 0;
  socket.addEventListener('unanswered', () => {
    count += 1;
  });
  return () => count;
}

/** Nothing on the connections that are open arrives any more, but new ones are well. */
function loseAll({ server }: Stage): void {
  for (const link of server.links) link.cut();
  server.answer = minimalPeer;
}

describe.each(KINDS)('a server that owes answers, over a class like that of %s', (kind) => {
  it('is asked on another connection if the first two had no answer, as messages wait for it', () => {
    const stage = dial(kind, { delivery: new Delivery({ resend: true }) });
    const { scheduler, server, socket, log } = stage;
    const unanswered = countUnanswered(stage);
    server.answer = silentPeer;
    socket.send('text');
    scheduler.advance(50_000);
    expect(unanswered()).toBe(1);
    expect(server.links).toHaveLength(2);
    loseAll(stage);
    scheduler.advance(2 * MINUTE);
    expect(socket.status).toBe('alive');
    expect(eventsOf(log, 'close')).toMatchObject([{ code: 3008, reason: 'unanswered' }]);
    expect(server.last.received).toEqual(['text']);
  });

  it('is asked on another connection if it has ever answered, though two had no answer since', () => {
    const stage = dial(kind, { makeBeforeBreak: false });
    const { scheduler, server, socket, log } = stage;
    const unanswered = countUnanswered(stage);
    scheduler.advance(MINUTE);
    server.answer = silentPeer;
    for (let wait = 0; unanswered() === 0 && wait < 300; wait += 1) scheduler.advance(1_000);
    expect(socket.detectionBound).toBe(Number.POSITIVE_INFINITY); // without pings from the start
    log.length = 0;
    loseAll(stage);
    scheduler.advance(MINUTE);
    expect(socket.status).toBe('alive');
    expect(namesOf(log)).toEqual(['close', 'open']);
    socket.send('text');
    scheduler.advance(20);
    expect(server.last.received).toEqual(['text']);
  });

  it('is asked no more often than every 16 minutes in the end, and never cut while it stays silent', () => {
    const stage = dial(kind, { delivery: new Delivery({ resend: true }) });
    const { scheduler, server, socket, log } = stage;
    const unanswered = countUnanswered(stage);
    server.answer = silentPeer;
    socket.send('text');
    scheduler.advance(60 * MINUTE);
    const dialled = server.links.length;
    scheduler.advance(16 * 60 * MINUTE);
    expect(server.links.length - dialled).toBe(60);
    expect([server.live, eventsOf(log, 'close').length]).toEqual([1, 0]);
    expect(unanswered()).toBe(1);
    socket.close();
    scheduler.advance(2_000);
    expect(scheduler.pending).toBe(0);
  });

  it('is not asked while it sends messages, and is asked within two minutes after the last one', () => {
    const stage = dial(kind, { delivery: new Delivery({ resend: true }) });
    const { scheduler, server, socket } = stage;
    server.answer = silentPeer;
    for (let count = 0; count < 120; count += 1) {
      scheduler.advance(MINUTE / 4);
      server.links[0]?.peer.send('news');
    }
    const dialled = server.links.length;
    expect(dialled).toBeLessThanOrEqual(2);
    loseAll(stage);
    scheduler.advance(2 * MINUTE);
    expect(server.links).toHaveLength(dialled + 1);
    expect(socket.status).toBe('alive');
  });

  it('is not asked on another connection once it answers on the first', () => {
    const { scheduler, server, socket } = dial(kind, { delivery: new Delivery({ resend: true }) });
    server.answer = silentPeer;
    socket.send('text');
    scheduler.advance(50_000);
    server.answer = minimalPeer;
    void socket.ping();
    scheduler.advance(60 * MINUTE);
    expect(server.links).toHaveLength(2);
    expect(socket.detectionBound).toBeLessThan(MINUTE);
  });

  it('gets no second connection again if it closed the first of them', () => {
    const { scheduler, server, socket } = dial(kind, { delivery: new Delivery({ resend: true }) });
    const [first] = server.links;
    server.answer = (text, link) => {
      if (decodeBeat(text) && link !== first) link.peer.close(4409, 'one at a time');
      return undefined;
    };
    socket.send('text');
    scheduler.advance(60 * MINUTE);
    expect(server.links).toHaveLength(2);
    expect(socket.readyState).toBe(1);
  });
});

/** For how long the server answers, and whether the links that are open then die, silently. */
const phase = fc.record({
  seconds: fc.integer({ min: 1, max: 300 }),
  answers: fc.boolean(),
  dies: fc.boolean(),
});

it('is found again, with all messages, whatever it answered before and whenever its links died', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), fc.array(phase, { maxLength: 8 }), (kind, phases) => {
      const stage = dial(kind, { delivery: new Delivery({ resend: true }) });
      const { scheduler, server, socket } = stage;
      const received = new Set<string>();
      let answers = true;
      server.answer = (text) => {
        if (decodeBeat(text) === undefined) received.add(text);
        return answers ? minimalPeer(text) : undefined;
      };
      for (const [index, each] of phases.entries()) {
        answers = each.answers;
        socket.send(`${index}`);
        scheduler.advance(each.seconds * 1_000);
        if (each.dies) for (const link of server.links) link.cut();
      }
      answers = true;
      socket.send('last');
      scheduler.advance(LONGEST);
      expect([...received].sort()).toEqual([...phases.keys(), 'last'].map(String).sort());
      expect([socket.status, server.live]).toEqual(['alive', 1]);
      expect(socket.detectionBound).toBeLessThan(2 * MINUTE);
    }),
    settings,
  );
});
