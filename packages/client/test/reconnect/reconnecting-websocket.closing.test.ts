import { describe, expect, it } from 'vitest';
import { KINDS } from '../fake-server.ts';
import { reportedErrors } from '../reported-errors.ts';
import {
  dial,
  dialOpen,
  eventsOf,
  expectEnded,
  NAMES,
  type Name,
  namesOf,
  type Stage,
} from '../stage.ts';

describe.each(KINDS)('ReconnectingWebSocket over a class like that of %s', (kind) => {
  describe('close()', () => {
    it('of an open connection does the closing handshake', () => {
      const stage = dialOpen(kind);
      const { scheduler, server, socket, log } = stage;
      const told: unknown[] = [];
      server.last.peer.addEventListener('close', ({ code, reason }) => told.push(code, reason));
      socket.close(4001, 'done');
      expect(socket.readyState).toBe(2);
      expect(namesOf(log)).toEqual(['open']);
      scheduler.advance(20);
      expect(told).toEqual([4001, 'done']);
      expect(eventsOf(log, 'close')[0]).toMatchObject({
        code: 4001,
        reason: 'done',
        wasClean: true,
      });
      expectEnded(stage, 1);
    });

    it('without a code closes without one', () => {
      const stage = dialOpen(kind);
      stage.socket.close();
      stage.scheduler.advance(20);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1005, wasClean: true });
      expectEnded(stage, 1);
    });

    it('on a dead link ends within a second', () => {
      const stage = dialOpen(kind);
      stage.server.last.cut();
      stage.socket.close(1000);
      stage.scheduler.advance(999);
      expect(stage.socket.readyState).toBe(2);
      stage.scheduler.advance(1);
      expect(stage.socket.readyState).toBe(3);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1006, wasClean: false });
      expectEnded(stage, 1);
    });

    it.each(['accept', 'ignore', 'refuse'] as const)(
      'while connecting (%s) abandons the attempt, after this turn',
      (greeting) => {
        const stage = dial(kind, {}, greeting);
        stage.scheduler.advance(5);
        stage.socket.close();
        expect(stage.socket.readyState).toBe(2);
        expect(stage.log).toEqual([]);
        stage.scheduler.advance(0);
        expect(stage.socket.readyState).toBe(3);
        expect(namesOf(stage.log)).toEqual(['close']);
        expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 1006, wasClean: false });
        expectEnded(stage, 1);
        expect(namesOf(stage.log)).toEqual(['close']);
      },
    );

    it('while waiting for the next attempt calls that off', () => {
      const stage = dialOpen(kind);
      stage.server.last.reset();
      stage.scheduler.advance(100);
      stage.socket.close(4001, 'done');
      expect(stage.socket.readyState).toBe(2);
      expectEnded(stage, 2); // the end of the connection, and the end for good
      expect(stage.server.links).toHaveLength(1);
    });

    it('wins over a loss that comes before its turn', () => {
      const stage = dial(kind);
      stage.scheduler.advance(5);
      stage.socket.close();
      stage.server.last.reset();
      expectEnded(stage, 1);
    });

    it('wins over an open that comes before its turn', () => {
      const stage = dial(kind);
      stage.socket.send('queued');
      stage.scheduler.advance(5);
      stage.socket.close();
      stage.server.last.wire.readyState = 1;
      stage.server.last.dispatch({ type: 'open' });
      expectEnded(stage, 1);
      expect(namesOf(stage.log)).toEqual(['drop', 'close']);
      expect(stage.server.last.received).toEqual([]);
    });

    it('wins over a peer that closes, dies or falls silent meanwhile', () => {
      for (const happen of ['close', 'reset', 'cut'] as const) {
        const stage = dialOpen(kind);
        stage.socket.close(1000);
        if (happen === 'close') stage.server.last.peer.close(1001);
        else stage.server.last[happen]();
        expectEnded(stage, 1);
        expect(namesOf(stage.log)).toEqual(['open', 'close']);
      }
    });

    it('twice is once', () => {
      const stage = dialOpen(kind);
      stage.socket.close(4001);
      stage.socket.close(4002);
      stage.scheduler.advance(100);
      stage.socket.close(4003);
      expect(eventsOf(stage.log, 'close')[0]).toMatchObject({ code: 4001 });
      expectEnded(stage, 1);
    });

    it('is what Symbol.dispose does', () => {
      const stage = dialOpen(kind);
      {
        using held = stage.socket;
        expect(held.readyState).toBe(1);
      }
      expect(stage.socket.readyState).toBe(2);
      expectEnded(stage, 1);
    });

    /** What makes an event of that name happen on an open connection. */
    const PROVOKE: Record<Exclude<Name, 'dial'>, (stage: Stage) => void> = {
      open: () => {},
      ping: () => {},
      pong: () => {},
      alive: () => {},
      message: ({ server }) => server.last.peer.send('text'),
      error: ({ server }) => server.last.dispatch({ type: 'error' }),
      close: ({ server }) => server.last.peer.close(1001),
      retry: ({ server }) => server.last.reset(),
      drop: ({ server, socket }) => {
        server.last.reset();
        socket.send('one');
        socket.send('too many');
      },
      giveup: ({ server }) => server.last.peer.close(4400),
      suspect: ({ server }) => server.last.cut(),
      dead: ({ server }) => server.last.cut(),
      stall: ({ scheduler }) => scheduler.stall(60_000),
      unanswered: () => {}, // takes two connections: see standby.test.ts
    };

    it.each(NAMES)('in a listener of %s wins over all that follows', (name) => {
      const stage = dial(kind, {
        maxQueuedMessages: 1,
        queuePolicy: 'drop-oldest',
        makeBeforeBreak: false,
      });
      const { scheduler, server, socket, log } = stage;
      let called = 0;
      socket.addEventListener(name, () => {
        called += 1;
        socket.close(4001, 'enough');
      });
      scheduler.advance(30);
      if (socket.readyState === 1) PROVOKE[name](stage);
      scheduler.advance(100_000);
      expect(called).toBeGreaterThan(0);
      expect(server.links).toHaveLength(1);
      // The end of the connection was told before these: the end for good is told as well.
      const twice = name === 'close' || name === 'retry' || name === 'drop';
      expectEnded(stage, twice ? 2 : 1);
      expect(eventsOf(log, 'open')).toHaveLength(1);
    });

    it('in a listener of error, of a connection that is refused, closes once', () => {
      const stage = dial(kind, {}, 'refuse');
      stage.socket.addEventListener('error', () => stage.socket.close());
      stage.scheduler.advance(1_000);
      expect(stage.server.links).toHaveLength(1);
      expectEnded(stage, 1);
    });
  });

  describe('what its listeners can rely on', () => {
    it('says open first, and then that the peer is alive and was pinged', () => {
      const { scheduler, socket, log } = dial(kind);
      const statuses: string[] = [];
      socket.addEventListener('open', () => statuses.push(socket.status));
      scheduler.advance(30);
      expect(log.slice(0, 3).map(({ name }) => name)).toEqual(['open', 'alive', 'ping']);
      expect(statuses).toEqual(['alive']);
    });

    it('shows the last readyState in the close event of an end for good', () => {
      const { scheduler, server, socket } = dialOpen(kind);
      const states: number[] = [];
      socket.addEventListener('close', () => states.push(socket.readyState));
      server.last.peer.close(4403);
      scheduler.advance(100);
      expect(states).toEqual([socket.CLOSED]);
    });

    it('drops what comes after close(), as the standard has it', () => {
      const { scheduler, server, socket, log } = dialOpen(kind);
      server.last.peer.send('late');
      socket.close();
      scheduler.advance(2_000);
      expect(eventsOf(log, 'message')).toEqual([]);
    });

    it('goes on when shouldReconnect throws, and reports the error', async () => {
      const shouldReconnect = () => {
        throw new Error('of shouldReconnect');
      };
      const { scheduler, server, socket } = dialOpen(kind, { shouldReconnect });
      const errors = await reportedErrors(() => {
        server.last.reset();
        scheduler.advance(2_000);
      });
      expect(socket.readyState).toBe(socket.OPEN);
      expect(errors).toMatchObject([{ message: 'of shouldReconnect' }]);
    });
  });
});
