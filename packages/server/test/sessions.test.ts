import { describe, expect, it } from 'vitest';
import { unhandledRejections } from '../../core/test/unhandled-rejections.ts';
import { type SessionHolder, Sessions } from '../src/sessions.ts';
import { Stage, VirtualServer, type VirtualSocket } from './virtual-server.ts';

const PING = '\u0005wb';
const SECRET = 'AbCdEfGhIjKlMnOpQrSt-_';
const OTHER = '0123456789012345678901';
const HOUR = 3_600_000;

const ping = (session: string, id = '1') => `${PING}.${id};v=1;session=${session}`;

/** Whose a socket is, is said in the test by this. */
const USERS: WeakMap<object, unknown> = new WeakMap();
const ONE_USER = { session: { user: () => 'ann' } };

function open(stage: Stage, user: unknown = 'ann') {
  const { socket, connection } = stage.connect();
  USERS.set(socket, user);
  return { socket, connection };
}

const byMap = { session: { user: (socket: VirtualSocket) => USERS.get(socket) } };

describe('a session', () => {
  it('is answered, and its older connection ended before that', () => {
    const stage = new Stage(ONE_USER);
    const { socket: older } = stage.connect();
    older.receive(ping(SECRET));
    stage.advanceTo(1_000);
    const { socket: newer, connection } = stage.connect();
    newer.receive(ping(SECRET));
    newer.receive('text');
    stage.advanceTo(2_000);
    expect(stage.log).toEqual([
      '0 alive',
      '0 Ping wb-0.1',
      '0 sends !wb.1;session=ok',
      '0 sends ?wb.1',
      '1000 alive',
      '1000 Ping wb-0.1',
      '1000 terminates',
      '1000 end: replaced  a newer connection took its place',
      '1000 sends !wb.1;session=ok',
      '1000 sends ?wb.1',
      '1000 application: message text',
    ]);
    expect([...stage.heartbeat.connections.values()]).toEqual([connection]);
  });

  it('tells who took the place of whom, and then the end', () => {
    const stage = new Stage(ONE_USER);
    const told: unknown[] = [];
    stage.heartbeat.on('replaced', ({ socket, by, connection }) => {
      told.push('replaced', socket, by, connection);
    });
    stage.heartbeat.on('end', ({ socket }) => told.push('end', socket));
    const older = stage.connect();
    const newer = stage.connect();
    older.socket.receive(ping(SECRET));
    newer.socket.receive(ping(SECRET));
    const { socket, connection } = older;
    expect(told).toEqual(['replaced', socket, newer.socket, connection, 'end', socket]);
  });

  it('lets nothing of the older connection reach the application any more', () => {
    const stage = new Stage(ONE_USER, new VirtualServer({ clientTracking: false }));
    const older = stage.connect().socket;
    const closed: number[] = [];
    older.on('close', (code) => closed.push(code));
    older.receive(ping(SECRET));
    const traces = Reflect.ownKeys(stage.socket());
    stage.connect().socket.receive(ping(SECRET));
    const { length } = stage.log;
    for (const late of ['text', PING, ping(SECRET, '2'), Buffer.from('binary')]) {
      older.receive(late);
    }
    older.receivePing('x');
    older.receivePong('x');
    expect(stage.log).toHaveLength(length);
    stage.advanceTo(1);
    expect(closed).toEqual([1006]);
    expect(Reflect.ownKeys(older)).toEqual(traces);
  });

  it("is one user's: the same secret of another is another session", () => {
    const stage = new Stage(byMap);
    const connections = ['ann', 'bob', 0, '0', Number.NaN, false].map((user) => open(stage, user));
    for (const { socket } of connections) socket.receive(ping(SECRET));
    expect(stage.heartbeat.connections.size).toBe(6);
    expect(stage.lines(/session=ok/)).toHaveLength(6);
    // Each of them has its own, also once another's has ended.
    connections[0]?.socket.end(1000);
    for (const user of ['bob', Number.NaN]) open(stage, user).socket.receive(ping(SECRET));
    expect(stage.lines(/end: replaced/)).toHaveLength(2);
  });

  it("is one secret's: a user may have several", () => {
    const stage = new Stage(ONE_USER);
    stage.connect().socket.receive(ping(SECRET));
    stage.connect().socket.receive(ping(OTHER));
    expect(stage.heartbeat.connections.size).toBe(2);
  });

  it('goes on from connection to connection', () => {
    const stage = new Stage(ONE_USER);
    for (let count = 0; count < 5; count += 1) stage.connect().socket.receive(ping(SECRET));
    expect(stage.heartbeat.connections.size).toBe(1);
    expect(stage.lines(/session=ok/)).toHaveLength(5);
  });

  it('stays with the newer connection where the ping of the older comes late', () => {
    const stage = new Stage(ONE_USER);
    const older = stage.connect();
    const newer = stage.connect();
    newer.socket.receive(ping(SECRET));
    older.socket.receive(ping(SECRET));
    expect([...stage.heartbeat.connections.values()]).toEqual([newer.connection]);
    expect(stage.lines(/sends !/)).toHaveLength(1);
    expect(stage.lines(/end: replaced/)).toHaveLength(1);
  });

  it('is answered again to who asks again, and does not end its own connection', () => {
    const stage = new Stage(ONE_USER);
    const { socket } = stage.connect();
    socket.receive(ping(SECRET, '1'));
    socket.receive(ping(SECRET, '2'));
    socket.receive(`${PING}.3`);
    expect(stage.lines(/sends !/)).toEqual([
      '0 sends !wb.1;session=ok',
      '0 sends !wb.2;session=ok',
      '0 sends !wb.3',
    ]);
    expect(stage.heartbeat.connections.size).toBe(1);
  });

  it('is the first that a connection names: no other is bound', () => {
    const stage = new Stage(ONE_USER);
    const { socket } = stage.connect();
    socket.receive(ping(SECRET));
    socket.receive(ping(OTHER, '2'));
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1;session=ok', '0 sends !wb.2']);
    stage.connect().socket.receive(ping(OTHER));
    expect(stage.heartbeat.connections.size).toBe(2);
  });

  it('has ended with its connection: the next one begins anew', () => {
    const stage = new Stage(ONE_USER);
    const first = stage.connect().socket;
    first.receive(ping(SECRET));
    first.end(1000);
    stage.connect().socket.receive(ping(SECRET));
    expect(stage.lines(/end: replaced/)).toEqual([]);
    expect(stage.lines(/session=ok/)).toHaveLength(2);
  });

  it('is not answered without the option, nor ends anything', () => {
    for (const options of [{}, { session: false } as const]) {
      const stage = new Stage(options);
      for (let count = 0; count < 2; count += 1) stage.connect().socket.receive(ping(SECRET));
      expect(stage.heartbeat.connections.size).toBe(2);
      expect(stage.lines(/session=ok/)).toEqual([]);
    }
  });

  it.each([
    ['21 characters', SECRET.slice(1)],
    ['23 characters', `${SECRET}x`],
    ['one', 'x'],
  ])('is a secret of 22 characters, and not of %s', (_, session) => {
    const stage = new Stage(ONE_USER);
    for (let count = 0; count < 2; count += 1) stage.connect().socket.receive(ping(session));
    expect(stage.heartbeat.connections.size).toBe(2);
    expect(stage.lines(/session=ok/)).toEqual([]);
  });

  it('settles what waited for the older connection', async () => {
    const stage = new Stage(ONE_USER);
    const { socket, connection } = stage.connect({ answersPings: false });
    socket.receive(ping(SECRET));
    const refused = expect(connection.ping()).rejects.toThrow('a newer connection took its place');
    stage.connect().socket.receive(ping(SECRET));
    await refused;
    expect(connection.status).toBe('idle');
  });

  it('goes over also where a listener of `replaced` or `end` detaches', () => {
    for (const name of ['replaced', 'end'] as const) {
      const stage = new Stage(ONE_USER);
      stage.connect().socket.receive(ping(SECRET));
      stage.heartbeat.on(name, () => stage.heartbeat.detach());
      stage.connect().socket.receive(ping(SECRET));
      expect(stage.heartbeat.connections.size).toBe(0);
      stage.advanceTo(HOUR);
      expect(stage.scheduler.pending).toBe(0);
    }
  });
});

describe('the user of a session', () => {
  it('is asked for with the socket and the request that opened it', () => {
    const asked: unknown[] = [];
    const server = new VirtualServer();
    const early = new Stage().socket();
    server.accept(early, { url: '/lost' });
    const user = (...args: unknown[]) => asked.push(...args);
    const stage = new Stage({ session: { user } }, server);
    const request = { url: '/' };
    const { socket } = stage.connect({}, request);
    socket.receive(ping(SECRET));
    early.receive(ping(OTHER));
    expect(asked).toEqual([socket, request, early, undefined]);
  });

  it('is asked for again at each ping until it is known, and no more', () => {
    let asked = 0;
    const user = (socket: VirtualSocket) => {
      asked += 1;
      return USERS.get(socket);
    };
    const stage = new Stage({ session: { user } });
    const { socket } = stage.connect();
    socket.receive(ping(SECRET, '1'));
    USERS.set(socket, null);
    socket.receive(ping(SECRET, '2'));
    expect(stage.lines(/session=ok/)).toEqual([]);
    USERS.set(socket, 'ann');
    socket.receive(ping(SECRET, '3'));
    socket.receive(ping(SECRET, '4'));
    expect(stage.lines(/session=ok/)).toHaveLength(2);
    expect(asked).toBe(3);
  });

  it('is not known where it throws, which is reported', async () => {
    const user = () => {
      throw new Error('no cookie');
    };
    const stage = new Stage({ session: { user } });
    const reasons = await unhandledRejections(() => stage.connect().socket.receive(ping(SECRET)));
    expect(reasons.map((reason) => (reason as Error).message)).toEqual(['no cookie']);
    expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1']);
  });

  it('may end the connection in place of an answer', () => {
    const user = (socket: VirtualSocket) => {
      stage.heartbeat.get(socket)?.detach();
      return 'ann';
    };
    const stage = new Stage({ session: { user } });
    stage.connect().socket.receive(ping(SECRET));
    expect(stage.lines(/sends/)).toEqual([]);
    expect(stage.heartbeat.connections.size).toBe(0);
  });

  it('must be a function', () => {
    for (const session of [{}, { user: 'ann' }]) {
      expect(() => new Stage({ session } as never)).toThrow('Expected `user` to be a function');
    }
    expect(() => new Stage({ session: true } as never)).toThrow(
      'Expected `session` to be an object',
    );
    expect(() => new Stage({ session: { user: () => 1, more: 1 } } as never)).toThrow('`more`');
  });
});

describe('Sessions', () => {
  it('keeps nothing of connections that have ended', () => {
    const sessions = new Sessions();
    const holders: SessionHolder[] = [];
    const socket = new Stage().socket();
    for (let user = 0; user < 3; user += 1) {
      for (let count = 0; count < 3; count += 1) {
        const holder = { socket, replace: () => {} };
        sessions.enter(holder, () => user);
        sessions.bind(holder, SECRET);
        holders.push(holder);
      }
    }
    expect(sessions.size).toBe(3);
    for (const holder of holders) sessions.release(holder);
    expect(sessions.size).toBe(0);
    for (const holder of holders) expect(sessions.bind(holder, OTHER)).toBe(false);
    expect(sessions.size).toBe(0);
  });
});
