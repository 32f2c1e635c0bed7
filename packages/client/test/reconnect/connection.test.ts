import type { WebSocketLike } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { resolveAttachOptions } from '../../src/options.ts';
import { Connection, type ResolveAddress } from '../../src/reconnect/connection.ts';
import type { ConnectionEnd } from '../../src/reconnect/machine/orders.ts';
import { FakeServer, KINDS, type Kind, type Link, silentPeer } from '../fake-server.ts';
import { settle } from '../stage.ts';

interface Stage {
  readonly scheduler: VirtualScheduler;
  readonly server: FakeServer;
  readonly connection: Connection;
  /** What it emitted, without the routine of the heartbeat. */
  readonly events: unknown[];
  readonly ends: ConnectionEnd[];
}

const ROUTINE = ['ping', 'pong', 'alive'];

function connect(kind: Kind = 'ws', resolve?: ResolveAddress): Stage {
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler, kind);
  const events: unknown[] = [];
  const ends: ConnectionEnd[] = [];
  const connection = new Connection(1, {
    emit(_, ...[name, detail]) {
      if (name === 'end') ends.push(detail);
      if (name === 'error') events.push([name, detail]);
      else if (!ROUTINE.includes(name)) events.push(name);
    },
    receive: (_, data) => events.push(['message', data]),
  });
  const options = { scheduler, lifecycle: false, jitter: 0, pingTimeout: 10_000 } as const;
  connection.dial(resolve ?? (() => () => server.connect().client), {
    ...resolveAttachOptions({ ...options, random: () => 0.5 }),
    session: undefined,
  });
  return { scheduler, server, connection, events, ends };
}

/** Open for 20 ms, and answered. */
function connectOpen(kind?: Kind): Stage & { readonly link: Link } {
  const stage = connect(kind);
  stage.scheduler.advance(30);
  return { ...stage, link: stage.server.last };
}

describe.each(KINDS)('Connection over a socket like that of %s', (kind) => {
  it('emits open, messages and errors, but no pings and pongs of the peer', () => {
    const { scheduler, link, events } = connectOpen(kind);
    link.peer.send('text');
    link.peer.send('\u0005wb');
    scheduler.advance(10);
    const error = new Error('ECONNRESET');
    link.dispatch({ type: 'error', error } as never);
    const isNode = kind === 'ws';
    expect(events).toEqual(['open', ['message', 'text'], ['error', isNode ? error : undefined]]);
  });

  it('emits what happens to its heartbeat, after open', () => {
    const { scheduler, link, connection, events } = connectOpen(kind);
    scheduler.stall(60_000);
    scheduler.advance(10);
    link.cut();
    connection.link?.probe();
    scheduler.advance(60_000);
    expect(events).toEqual(['open', 'stall', 'suspect', 'dead']);
  });

  it('ends when its socket closes, with what is known', () => {
    const { scheduler, link, ends } = connectOpen(kind);
    scheduler.advance(70);
    link.peer.close(4001, 'bye');
    scheduler.advance(10);
    expect(ends).toEqual([
      {
        code: 4001,
        text: 'bye',
        wasClean: true,
        isBound: false,
        isPingRefused: false,
        hasListened: false,
        evidence: {
          latency: 20,
          retryAfter: undefined,
          missedPings: 0,
          silentFor: 80,
          quietFor: 100,
          bufferedAmount: 0,
          hidden: undefined,
        },
      },
    ]);
  });

  it('records what was sent last, what is unanswered, and what is unsent', () => {
    const { scheduler, link, connection, ends } = connectOpen(kind);
    link.cut();
    scheduler.advance(1_000);
    connection.send('text');
    link.client.bufferedAmount = 4;
    scheduler.advance(5_000);
    connection.end('');
    const evidence = { missedPings: 1, bufferedAmount: 4, quietFor: 5_000, silentFor: 6_000 };
    expect(ends[0]?.evidence).toMatchObject(evidence);
  });

  it('records that this side did not run, until a pong comes', () => {
    const survived = connectOpen(kind);
    const { scheduler, link, ends } = connectOpen(kind);
    for (const stage of [survived, { scheduler }]) stage.scheduler.stall(60_000);
    scheduler.advance(0);
    link.reset();
    expect(ends).toMatchObject([{ code: 1006, evidence: { lateBy: 35_020 } }]);
    survived.scheduler.advance(100);
    survived.link.reset();
    expect(survived.ends[0]?.evidence).toMatchObject({ missedPings: 0 });
    expect(survived.ends[0]?.evidence).not.toHaveProperty('lateBy');
  });

  it('ends with 1006 if the close event has no code', () => {
    const { link, ends } = connectOpen(kind);
    link.dispatch({ type: 'close' });
    expect(ends).toMatchObject([{ code: 1006, text: '', wasClean: false }]);
  });

  it('records no silence if it was never open', () => {
    const { server, ends } = connect(kind);
    server.last.reset();
    expect(ends[0]?.evidence).toEqual({ latency: undefined, retryAfter: undefined });
  });

  it.each([
    ['\u0005wb;retryAfter=5000', '', 5_000],
    ['\u0005wb;retryAfter=', '', undefined],
    ['\u0005wb', 'come back: retryAfter=7000', 7_000],
    ['\u0005wb', 'retryAfter', undefined],
    ['\u0005wb', 'noretryAfter=1', undefined],
  ])('records after %j and %j how long the server asks to wait', (beat, text, retryAfter) => {
    const { scheduler, link, ends } = connectOpen(kind);
    link.peer.send(beat);
    link.peer.close(1012, text);
    scheduler.advance(20);
    expect(ends[0]?.evidence?.retryAfter).toBe(retryAfter);
  });

  it('starts the closing handshake, with a code or without', () => {
    const { scheduler, link, connection, ends } = connectOpen(kind);
    connection.close(4001, 'done');
    expect(link.client.readyState).toBe(2);
    scheduler.advance(20);
    expect(ends).toMatchObject([{ code: 4001, text: 'done', wasClean: true }]);
    const without = connectOpen(kind);
    without.connection.close();
    without.scheduler.advance(20);
    expect(without.ends).toMatchObject([{ code: 1005, wasClean: true }]);
    expect(without.scheduler.pending).toBe(0);
  });

  it('leaves an open socket, which completes its closing handshake', () => {
    const { scheduler, link, connection, ends } = connectOpen(kind);
    const codes: unknown[] = [];
    link.peer.addEventListener('close', ({ code }) => codes.push(code));
    connection.close(1000, 'rotation');
    connection.end();
    expect([ends.length, link.client.readyState]).toEqual([1, 2]);
    scheduler.advance(20);
    expect([codes, ends.length, scheduler.pending]).toEqual([[1000], 1, 0]);
  });

  it('terminates a socket: it ends first, and then the socket closes', () => {
    const { link, connection, events, ends } = connectOpen(kind);
    link.client.addEventListener('close', () => events.push('closed'));
    link.cut();
    connection.end('ping timeout');
    expect(ends).toHaveLength(1);
    expect(events.slice(0, 2)).toEqual(['open', 'end']);
    expect(link.client.readyState).toBeGreaterThanOrEqual(2);
  });

  it('drops an attempt with a text or without', () => {
    for (const text of [undefined, '']) {
      const { server, connection, ends } = connect(kind);
      connection.close(1000, '');
      expect(server.last.client.readyState).toBe(0);
      connection.end(text);
      expect([ends.length, server.last.client.readyState >= 2]).toEqual([1, true]);
    }
  });

  it('emits nothing after the end, whatever the socket does, and leaves no trace on it', () => {
    const { scheduler, link, connection, events } = connectOpen(kind);
    link.peer.close(1001);
    scheduler.advance(20);
    expect(link.client.listenerCount).toBe(0);
    expect(Reflect.ownKeys(link.client)).not.toContain('send');
    expect(scheduler.pending).toBe(0);
    events.length = 0;
    connection.end();
    connection.link?.probe();
    for (const type of ['open', 'message', 'error', 'close']) link.dispatch({ type, code: 1000 });
    scheduler.advance(60_000);
    expect(events).toEqual([]);
  });
});

describe('Connection', () => {
  /** A connection whose address comes later. */
  function asking() {
    let answer: (dial: () => WebSocketLike) => void = () => {};
    let refuse: (error: unknown) => void = () => {};
    const stage = connect('ws', () => {
      return new Promise((resolve, reject) => {
        answer = resolve;
        refuse = reject;
      });
    });
    const answerIt = async (dial = (): WebSocketLike => stage.server.connect().client) => {
      answer(dial);
      await settle();
    };
    const refuseIt = async (error: unknown) => {
      refuse(error);
      await settle();
    };
    return { ...stage, answerIt, refuseIt };
  }

  it('has no socket until the address is known', async () => {
    const { scheduler, server, connection, events, answerIt } = asking();
    expect([connection.socket, connection.readyState, connection.heartbeat]).toEqual([
      undefined,
      0,
      undefined,
    ]);
    await answerIt();
    expect(connection.socket).toBe(server.last.client);
    scheduler.advance(30);
    expect(events).toEqual(['open']);
  });

  it('emits why there is no address, or what dialling throws', async () => {
    const error = new Error('no');
    const refused = asking();
    await refused.refuseIt(error);
    const thrown = asking();
    await thrown.answerIt(() => {
      throw error;
    });
    for (const { events } of [refused, thrown]) expect(events).toEqual([['error', error]]);
  });

  it.each([undefined, 'reconnect'])(
    'does not dial after its end with the text %s',
    async (text) => {
      const { server, connection, events, answerIt, refuseIt } = asking();
      connection.end(text);
      expect(connection.signal.aborted).toBe(true);
      await answerIt();
      await refuseIt(new Error('too late'));
      expect([server.links, events]).toEqual([[], ['end']]);
    },
  );

  it('throws what dialling throws if the address is known', () => {
    const attempt = () =>
      connect('ws', () => () => {
        throw new Error('not here');
      });
    expect(attempt).toThrow('not here');
  });

  it('counts a refused ping only if the peer closed', () => {
    for (const byUser of [true, false]) {
      const stage = connect();
      stage.server.answer = silentPeer;
      stage.scheduler.advance(30);
      if (byUser) stage.connection.close(1000, '');
      else stage.server.last.peer.close(1003);
      stage.scheduler.advance(30);
      expect(stage.ends).toMatchObject([{ isPingRefused: !byUser }]);
    }
  });
});
