import { ReadyState } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { Stage, VirtualServer, type VirtualSocket } from '../virtual-server.ts';

/** What promises do that are settled has been done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const PING = '\u0005wb';
const HOUR = 3_600_000;

type Send = (socket: VirtualSocket) => void;
const kinds: [string, Send][] = [
  ['application pings', (socket) => socket.receive(`${PING}.1`)],
  ['bare application pings', (socket) => socket.receive(PING)],
  ['protocol Pings', (socket) => socket.receivePing('x')],
];

describe('a client that floods', () => {
  it.each(kinds)('with %s is closed with 1008, no longer read, and then terminated', (_, send) => {
    const stage = new Stage({}, new VirtualServer({ clientTracking: false }));
    const { socket, connection } = stage.connect();
    const bare = Reflect.ownKeys(stage.socket());
    for (let count = 0; count < 50; count += 1) send(socket);
    expect(connection.status).toBe('alive');
    const { length } = stage.log;
    send(socket);
    stage.log.length = length + 3; // a protocol Ping itself is the last that is seen
    for (let count = 0; count < 1_000; count += 1) send(socket);
    socket.receive('text');
    socket.receivePong('x');
    expect(stage.log.slice(length)).toEqual([
      '0 closes 1008 too many pings',
      '0 pauses',
      '0 end: flood 1008 too many pings',
    ]);
    expect(stage.heartbeat.connections.size).toBe(0);
    stage.advanceTo(HOUR);
    expect(stage.log.slice(length + 3)).toEqual(['1000 terminates']);
    expect(socket.readyState).toBe(ReadyState.Closed);
    expect(Reflect.ownKeys(socket)).toEqual(bare);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('is not terminated once it has closed', () => {
    const stage = new Stage({ pingLimit: { burst: 1 } });
    const { socket } = stage.connect({ answersPings: false });
    for (let count = 0; count < 2; count += 1) socket.receive(PING);
    socket.end(1008);
    expect(stage.scheduler.pending).toBe(0);
  });

  it('is counted over both kinds of pings, and apart from other clients', () => {
    const stage = new Stage({ pingLimit: { burst: 4, interval: 1_000 } });
    const [one, other] = [stage.connect(), stage.connect()];
    for (const { socket } of [one, other]) {
      for (let count = 0; count < 2; count += 1)
        for (const [, send] of kinds.slice(1)) send(socket);
    }
    expect(stage.lines(/flood/)).toEqual([]);
    stage.advanceTo(1_000);
    one.socket.receive(PING);
    expect(stage.lines(/flood/)).toEqual([]);
    one.socket.receivePing();
    expect([...stage.heartbeat.connections.keys()]).toEqual([other.socket]);
  });

  it('is not closed for messages, pongs, Pongs, or as many pings as it may send', () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect();
    for (let count = 0; count < 1_000; count += 1) {
      socket.receive('text');
      socket.receive('\u0006wb');
      socket.receivePong('');
    }
    for (let at = 0; at < 600_000; at += 200) stage.scheduler.at(at, () => socket.receive(PING));
    stage.advanceTo(600_000);
    expect(connection.status).toBe('alive');
  });

  it('is not closed if there is no limit', () => {
    const stage = new Stage({ pingLimit: false });
    const { socket, connection } = stage.connect();
    for (let count = 0; count < 10_000; count += 1) socket.receivePing();
    expect(connection.status).toBe('alive');
  });

  it.each([
    [{ burst: 0 }, '`burst` to be a whole number >= 1'],
    [{ interval: 0 }, '`interval` to be a number > 0'],
    [{ rate: 1 }, 'Unknown option `rate`'],
    [5, '`pingLimit` to be an object'],
  ])('cannot be limited by %o', (pingLimit, message) => {
    expect(() => new Stage({ pingLimit } as never)).toThrow(message);
  });
});

describe('lastSeen', () => {
  it('is when a message, ping or pong arrived, or when the connection opened', () => {
    const stage = new Stage();
    stage.advanceTo(100);
    const { socket, connection } = stage.connect();
    expect(connection.lastSeen).toBe(100);
    const comes: [number, Send][] = [
      [1_000, (to) => to.receive('text')],
      [2_000, (to) => to.receive(PING)],
      [3_000, (to) => to.receive('\u0006wb')],
      [4_000, (to) => to.receivePing()],
    ];
    for (const [at, send] of comes) {
      stage.advanceTo(at);
      send(socket);
      expect(connection.lastSeen).toBe(at);
    }
    stage.advanceTo(5_000);
    socket.receivePong('');
    expect([connection.lastSeen, connection.lastReceived]).toEqual([4_000, 5_000]);
  });

  it('ignores pings and pongs of a client that is not authenticated yet', () => {
    const passed = new WeakSet<VirtualSocket>();
    const stage = new Stage({ authenticated: (socket) => passed.has(socket) });
    const { socket, connection } = stage.connect();
    stage.advanceTo(1_000);
    for (const [, send] of kinds) send(socket);
    socket.receive('\u0006wb');
    expect(connection.lastSeen).toBe(0);
    expect(connection.lastReceived).toBe(1_000);
    expect(stage.lines(/sends !/)).toHaveLength(2); // it is answered all the same
    passed.add(socket);
    socket.receive(PING);
    expect(connection.lastSeen).toBe(1_000);
  });

  it('ignores a ping whose client the hook refuses, in whatever way', async () => {
    const error = new Error('not logged in');
    const throws = () => {
      throw error;
    };
    for (const authenticated of [throws, async () => throws(), async () => false]) {
      const stage = new Stage({ authenticated });
      const failures: unknown[] = [];
      stage.heartbeat.on('error', (failure) => failures.push(failure));
      const { socket, connection } = stage.connect();
      stage.advanceTo(1_000);
      socket.receive(PING);
      await settled();
      expect(connection.lastSeen).toBe(0);
      expect(stage.lines(/sends !/)).toHaveLength(1); // it is answered all the same
      for (const failure of failures) {
        expect(failure).toEqual({ hook: 'authenticated', error, socket });
      }
    }
  });

  it('moves to the last ping when the promise of the hook resolves; only one call is pending', async () => {
    const answers: ((is: boolean) => void)[] = [];
    const authenticated = () => new Promise<boolean>((resolve) => answers.push(resolve));
    const stage = new Stage({ authenticated });
    const { socket, connection } = stage.connect();
    for (const time of [1_000, 2_000]) {
      stage.advanceTo(time);
      socket.receive(PING);
    }
    expect([answers.length, connection.lastSeen]).toEqual([1, 0]);
    answers[0]?.(true);
    await settled();
    expect(connection.lastSeen).toBe(2_000);
    stage.advanceTo(3_000);
    socket.receive(PING);
    expect(answers).toHaveLength(2); // it may have logged out
    socket.end(1000);
    answers[1]?.(true);
    await settled();
    expect(connection.lastSeen).toBe(2_000);
  });

  it('must be a function', () => {
    expect(() => new Stage({ authenticated: true } as never)).toThrow('`authenticated`');
  });
});
