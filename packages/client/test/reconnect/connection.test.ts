import { PeerMemory, type WebSocketLike } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { CloseRecord } from '../../src/reconnect/close-record.ts';
import {
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
} from '../../src/reconnect/connection.ts';
import { FakeServer, KINDS, type Kind, type Link, silentPeer } from '../fake-server.ts';
import { settle } from '../stage.ts';

interface Stage {
  readonly scheduler: VirtualScheduler;
  readonly server: FakeServer;
  readonly link: Link;
  readonly connection: Connection;
  /** What the owner was told, but for the routine of the heartbeat. */
  readonly told: unknown[];
  readonly records: CloseRecord[];
}

/** Dials. The connection opens after 10 ms. */
function connect(
  kind: Kind = 'ws',
  connectTimeout = 5_000,
  given: Partial<ConnectionOptions> = {},
): Stage {
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler, kind);
  const link = server.connect();
  const told: unknown[] = [];
  const records: CloseRecord[] = [];
  const owner: ConnectionOwner = {
    opened: () => {
      told.push('opened');
      connection.makeReady(() => {});
    },
    received: ({ data }) => told.push(['received', data]),
    failed: (error) => told.push(['failed', error]),
    ended: (record) => {
      told.push('ended');
      records.push(record);
    },
    beat: (name) => {
      if (!['ping', 'pong', 'alive'].includes(name)) told.push(name);
    },
  };
  const options = {
    heartbeat: { scheduler, jitter: 0, pingTimeout: 10_000 },
    scheduler,
    backoff: { random: () => 0.5 },
    connectTimeout,
    ...given,
  };
  const dial = () => link.client;
  const connection = new Connection(() => dial, options, new PeerMemory(), owner);
  return { scheduler, server, link, connection, told, records };
}

function connectOpen(kind?: Kind, given?: Partial<ConnectionOptions>): Stage {
  const stage = connect(kind, undefined, given);
  stage.scheduler.advance(30);
  return stage;
}

describe.each(KINDS)('Connection over a socket like that of %s', (kind) => {
  it('tells of the open, the messages and the errors, and keeps the beats', () => {
    const { scheduler, link, told } = connectOpen(kind);
    link.peer.send('text');
    link.peer.send('\u0005wb');
    scheduler.advance(10);
    link.dispatch({ type: 'error' });
    expect(told).toEqual(['opened', ['received', 'text'], ['failed', undefined]]);
  });

  it('forwards every event of the heartbeat', () => {
    const { scheduler, link, connection, told } = connectOpen(kind);
    scheduler.stall(60_000);
    scheduler.advance(10);
    link.cut();
    connection.heartbeat?.probe();
    scheduler.advance(60_000);
    expect(told).toEqual(['opened', 'stall', 'suspect', 'dead', 'ended']);
  });

  it('ends with the close of its socket', () => {
    const { scheduler, link, records } = connectOpen(kind);
    scheduler.advance(70);
    link.peer.close(4001, 'bye');
    scheduler.advance(10);
    expect(records).toEqual([
      {
        reason: 'peer-close',
        code: 4001,
        text: 'bye',
        wasClean: true,
        wasOpen: true,
        silentFor: 80,
        latency: 20,
        age: 100,
        quietFor: 100,
        missedPings: 0,
        bufferedAmount: 0,
      },
    ]);
  });

  it('records what we sent last, what went unanswered, and what had not left', () => {
    const { scheduler, link, connection, records } = connectOpen(kind);
    link.cut();
    scheduler.advance(1_000);
    connection.socket?.send('text' as never);
    link.client.bufferedAmount = 4;
    scheduler.advance(60_000);
    const [record] = records;
    expect(record).toMatchObject({ reason: 'ping-timeout', missedPings: 1, bufferedAmount: 4 });
    expect(record?.quietFor).toBe((record?.age ?? 0) - 1_020);
    expect(record?.silentFor).toBe((record?.age ?? 0) - 20);
  });

  it('records that we did not run, until a pong says that this was survived', () => {
    const survived = connectOpen(kind);
    const { scheduler, link, records } = connectOpen(kind);
    for (const stage of [survived, { scheduler, link }]) stage.scheduler.stall(60_000);
    scheduler.advance(0);
    link.reset();
    expect(records).toMatchObject([{ reason: 'abnormal', lateBy: 35_020 }]);
    survived.scheduler.advance(100);
    survived.link.reset();
    expect(survived.records).toMatchObject([{ reason: 'abnormal', missedPings: 0 }]);
    expect(survived.records[0]).not.toHaveProperty('lateBy');
  });

  it('records as abnormal a close event without a code', () => {
    const { link, records } = connectOpen(kind);
    link.client.addEventListener('close', () => {});
    link.dispatch({ type: 'close' });
    expect(records).toMatchObject([{ reason: 'abnormal', code: 1006, text: '', wasClean: false }]);
  });

  it('does not call 1006 clean on its own, whatever the socket calls it', () => {
    const { link, records } = connectOpen(kind);
    link.dispatch({ type: 'close', code: 1006, wasClean: true });
    expect(records).toMatchObject([{ reason: 'abnormal', code: 1006 }]);
  });

  it('records that it never opened, with no silence', () => {
    const { link, records } = connect(kind);
    link.reset();
    expect(records).toMatchObject([{ wasOpen: false, latency: undefined }]);
    expect(records[0]).not.toHaveProperty('silentFor');
  });

  it('takes an error before the open for the end, whether or not a close follows', () => {
    const { scheduler, link, told, records } = connect(kind);
    link.dispatch({ type: 'error' });
    expect(told).toEqual([['failed', undefined], 'ended']);
    expect(records).toMatchObject([{ reason: 'abnormal', code: 1006, wasOpen: false }]);
    expect(link.client.readyState).toBeGreaterThanOrEqual(2);
    scheduler.advance(60_000);
    expect(told).toHaveLength(2);
    expect(scheduler.pending).toBe(0);
  });

  it('takes an error after the open for nothing: the close tells', () => {
    const { scheduler, link, told } = connectOpen(kind);
    link.dispatch({ type: 'error' });
    scheduler.advance(10);
    expect(told).toEqual(['opened', ['failed', undefined]]);
    expect(link.client.readyState).toBe(1);
  });

  it('ends at the timeout of its heartbeat, in the same turn, and leaves the socket', () => {
    const { scheduler, link, told, records } = connectOpen(kind);
    link.cut();
    scheduler.advanceTo(35_259);
    expect(records).toEqual([]);
    scheduler.advance(1);
    expect(told).toEqual(['opened', 'suspect', 'dead', 'ended']);
    expect(records).toMatchObject([
      { reason: 'ping-timeout', code: 3008, text: '', wasClean: false, silentFor: 35_230 },
    ]);
    expect(link.client.readyState).toBeGreaterThanOrEqual(2);
  });

  it('records that the peer sent but did not answer any more', () => {
    const { scheduler, server, link, records } = connectOpen(kind);
    server.answer = silentPeer;
    for (let second = 0; second < 150; second += 1) {
      link.peer.send('not a pong');
      scheduler.advance(1_000);
    }
    expect(records).toMatchObject([{ reason: 'one-way', code: 3008, wasClean: false }]);
  });

  it('ends when it did not open within connectTimeout, and no later', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler, kind);
    server.greeting = 'ignore';
    const link = server.connect();
    const records: CloseRecord[] = [];
    const closes: unknown[][] = [];
    if (kind === 'browser') link.client.close = (...args) => closes.push(args);
    const owner = { opened() {}, received() {}, failed() {}, beat() {} };
    const options = {
      heartbeat: { scheduler },
      scheduler,
      backoff: { random: () => 0.5 },
      connectTimeout: 700,
    };
    new Connection(() => () => link.client, options, new PeerMemory(), {
      ...owner,
      ended: (record) => records.push(record),
    });
    scheduler.advance(699);
    expect(records).toEqual([]);
    scheduler.advance(1);
    expect(records).toMatchObject([{ reason: 'connect-timeout', code: 3008, wasOpen: false }]);
    if (kind === 'ws') expect(link.client.readyState).toBe(3);
    else expect(closes).toEqual([[3008, 'connect timeout']]);
    scheduler.advance(1_000);
    expect(scheduler.pending).toBe(0);
  });

  it('does not blame an attempt for the time in which the page did not run', () => {
    const { scheduler, told, records } = connect(kind, 5);
    scheduler.stall(60_000);
    scheduler.advance(1_000);
    expect([told, records]).toEqual([['opened'], []]);
  });

  it('ends an attempt that did not open within connectTimeout where every timer is late', () => {
    const { scheduler, link, records } = connect(kind, 700);
    link.cut();
    for (let late = 0; late < 2; late += 1) {
      scheduler.stall(60_000);
      scheduler.runDue();
    }
    expect(records).toMatchObject([{ reason: 'connect-timeout' }]);
  });

  it('has no connect timeout once it is open', () => {
    const { scheduler, records } = connect(kind, 15);
    scheduler.advance(60_000);
    expect(records).toEqual([]);
  });

  it('abandons on demand: the owner is told first, then the socket is closed', () => {
    const { link, connection, told, records } = connectOpen(kind);
    link.client.addEventListener('close', () => told.push('closed'));
    link.cut();
    connection.abandon('user');
    expect(records).toMatchObject([{ reason: 'user', code: 1006, wasClean: false }]);
    expect(told.slice(0, 2)).toEqual(['opened', 'ended']);
    expect(link.client.readyState).toBeGreaterThanOrEqual(2);
  });

  describe('close()', () => {
    it('does the closing handshake, with the code and the reason', () => {
      const { scheduler, link, connection, records } = connectOpen(kind);
      connection.close(4001, 'done');
      expect(link.client.readyState).toBe(2);
      scheduler.advance(20);
      const end = { reason: 'user', code: 4001, text: 'done', wasClean: true };
      expect(records).toMatchObject([end]);
      expect(scheduler.pending).toBe(0);
    });

    it('sends no code when there is none', () => {
      const { scheduler, link, connection, records } = connectOpen(kind);
      const { close } = link.client;
      const calls: unknown[][] = [];
      link.client.close = (...args) => {
        calls.push(args);
        close.apply(link.client, args);
      };
      connection.close();
      expect(calls).toEqual([[]]);
      scheduler.advance(20);
      expect(records).toMatchObject([{ code: 1005, wasClean: true }]);
    });

    it('waits for the handshake no longer than a second', () => {
      const { scheduler, link, connection, records } = connectOpen(kind);
      link.cut();
      connection.close(1000, '');
      scheduler.advance(999);
      expect(records).toEqual([]);
      scheduler.advance(1);
      expect(records).toMatchObject([{ reason: 'user', code: 1006, wasClean: false }]);
      expect(scheduler.pending).toBe(0);
    });
  });

  it('tells nothing after the end, whatever becomes of the socket, and leaves no trace on it', () => {
    const { scheduler, link, connection, told } = connectOpen(kind);
    link.peer.close(1001);
    scheduler.advance(20);
    expect(link.client.listenerCount).toBe(0);
    expect(Reflect.ownKeys(link.client)).not.toContain('send');
    expect(scheduler.pending).toBe(0);
    told.length = 0;
    connection.abandon('user');
    connection.heartbeat?.probe();
    for (const type of ['open', 'message', 'error', 'close']) link.dispatch({ type, code: 1000 });
    scheduler.advance(60_000);
    expect(told).toEqual([]);
  });
});

describe('Connection', () => {
  describe('asks where to dial', () => {
    /** A connection that is told later. */
    const asking = (connectTimeout?: number) => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler);
      let answer: (dial: () => WebSocketLike) => void = () => {};
      let refuse: (error: unknown) => void = () => {};
      const signals: AbortSignal[] = [];
      const told: unknown[] = [];
      const options = {
        heartbeat: { scheduler, jitter: 0, pingTimeout: 10_000 },
        scheduler,
        backoff: { random: () => 0.5 },
        ...(connectTimeout !== undefined && { connectTimeout }),
      };
      const prepare = (signal: AbortSignal) => {
        signals.push(signal);
        return new Promise<() => WebSocketLike>((resolve, reject) => {
          answer = resolve;
          refuse = reject;
        });
      };
      const connection = new Connection(prepare, options, new PeerMemory(), {
        opened: () => told.push('opened'),
        received: () => told.push('received'),
        failed: (error) => told.push(error),
        ended: ({ reason }) => told.push(reason),
        beat: () => {},
      });
      const dial = () => server.connect().client;
      const answerIt = async (by: () => WebSocketLike = dial) => {
        answer(by);
        await settle();
      };
      const refuseIt = async (error: unknown) => {
        refuse(error);
        await settle();
      };
      return { scheduler, server, connection, told, signals, answerIt, refuseIt };
    };

    it('and has neither socket nor heartbeat until it knows', async () => {
      const { scheduler, connection, told, answerIt, server } = asking();
      expect([connection.socket, connection.heartbeat]).toEqual([undefined, undefined]);
      expect(connection.isOpen).toBe(false);
      await answerIt();
      expect(connection.socket).toBe(server.last.client);
      scheduler.advance(30);
      expect(told).toEqual(['opened']);
      expect(connection.isOpen).toBe(true);
    });

    it('and fails with what it is told, or what dialling throws', async () => {
      for (const way of ['refused', 'thrown'] as const) {
        const { scheduler, told, signals, answerIt, refuseIt } = asking();
        const error = new Error(way);
        if (way === 'refused') await refuseIt(error);
        else {
          await answerIt(() => {
            throw error;
          });
        }
        expect(told).toEqual([error, 'abnormal']);
        expect(signals[0]?.aborted).toBe(true);
        expect(scheduler.pending).toBe(0);
      }
    });

    it.each(['abandon', 'discard', 'close'] as const)(
      'in vain once it has ended: %s',
      async (how) => {
        const { scheduler, server, connection, told, signals, answerIt, refuseIt } = asking();
        if (how === 'abandon') connection.abandon('user');
        else connection[how]();
        expect(signals[0]?.aborted).toBe(true);
        scheduler.advance(0);
        expect(told).toEqual(['user']);
        await answerIt();
        await refuseIt(new Error('too late'));
        expect(server.links).toEqual([]);
        expect(told).toEqual(['user']);
        expect(scheduler.pending).toBe(0);
      },
    );

    it('no longer than connectTimeout', async () => {
      const { scheduler, server, told, answerIt } = asking(500);
      scheduler.advance(500);
      expect(told).toEqual(['connect-timeout']);
      await answerIt();
      expect(server.links).toEqual([]);
    });
  });

  it('throws what dialling throws where nothing is asked, and leaves no timer', () => {
    const scheduler = new VirtualScheduler();
    const dial = () => {
      throw new Error('not here');
    };
    const options = { heartbeat: { scheduler }, scheduler, backoff: { random: () => 0.5 } };
    const owner = { opened() {}, received() {}, failed() {}, ended() {}, beat() {} };
    const attempt = () =>
      new Connection(() => dial, { ...options, connectTimeout: 5 }, new PeerMemory(), owner);
    expect(attempt).toThrow('not here');
    expect(scheduler.pending).toBe(0);
  });

  it('is opening until it is made ready, and open until it has ended', async () => {
    let makeReady = () => {};
    const ready = () =>
      new Promise<void>((resolve) => {
        makeReady = resolve;
      });
    const seen: boolean[] = [];
    const { scheduler, connection } = connect('ws', undefined, { ready });
    const { owner } = connection;
    connection.owner = {
      ...owner,
      opened: () => seen.push(connection.isOpening) && owner.opened(),
    };
    scheduler.advance(30);
    expect(seen).toEqual([true]);
    expect([connection.isOpen, connection.isOpening]).toEqual([true, false]);
    makeReady();
    await settle();
    expect([connection.isOpen, connection.isOpening]).toEqual([true, false]);
    connection.close();
    scheduler.advance(30);
    expect([connection.isOpen, connection.isOpening]).toEqual([false, false]);
  });

  it('discards a socket with 1000, and tells at once', () => {
    const { scheduler, link, connection, told, records } = connectOpen();
    const codes: unknown[] = [];
    link.peer.addEventListener('close', ({ code }) => codes.push(code));
    connection.discard('rotation');
    expect(told.at(-1)).toBe('ended');
    expect(records).toMatchObject([{ reason: 'rotation', code: 1000, text: 'rotation' }]);
    expect(link.client.readyState).toBe(2);
    scheduler.advance(20);
    expect(codes).toEqual([1000]);
    expect(scheduler.pending).toBe(0);
  });

  it('is over at maxAge, less what chance takes', () => {
    const { scheduler, records } = connect('ws', undefined, { maxAge: 10_000 });
    scheduler.advanceTo(10 + 9_499);
    expect(records).toEqual([]);
    scheduler.advance(1);
    expect(records).toMatchObject([{ reason: 'rotation' }]);
  });

  it.each([
    ['\u0005wb;retryAfter=5000', '', 5_000],
    ['\u0005wb;retryAfter=', '', undefined],
    ['\u0005wb', 'come back: retryAfter=7000', 7_000],
    ['\u0005wb', 'retryAfter', undefined],
    ['\u0005wb', 'noretryAfter=1', undefined],
  ])('records after %j and %j the wait that was asked for', (beat, text, retryAfter) => {
    const { scheduler, link, records } = connectOpen();
    link.peer.send(beat);
    link.peer.close(1012, text);
    scheduler.advance(20);
    expect(records[0]?.retryAfter).toBe(retryAfter);
  });

  it('is stable when it answered a ping and was open for stableFor', () => {
    const { scheduler, connection } = connect();
    expect(connection.isStable(1)).toBe(false);
    scheduler.advance(10);
    expect(connection.isStable(0)).toBe(false); // no pong yet
    scheduler.advance(20);
    expect(connection.isStable(20)).toBe(true);
    expect(connection.isStable(21)).toBe(false);
    scheduler.advance(1);
    expect(connection.isStable(21)).toBe(true);
  });

  it('is never stable without a pong, however long it lasts and whatever it receives', () => {
    const { scheduler, server, link, connection } = connect();
    server.answer = silentPeer;
    for (let second = 0; second < 60; second += 1) {
      scheduler.advance(1_000);
      link.peer.send('not a pong');
    }
    expect(connection.isStable(1)).toBe(false);
  });

  it('carries the error that a socket of Node tells', () => {
    const { link, told } = connectOpen();
    const error = new Error('ECONNRESET');
    link.dispatch({ type: 'error', error } as never);
    expect(told.at(-1)).toEqual(['failed', error]);
  });
});
