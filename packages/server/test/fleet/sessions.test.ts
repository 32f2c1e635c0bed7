import { ReadyState } from '@wirebeat/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import { type HookFailure, Hooks } from '../../src/connection/hooks.ts';
import type { ServerSocket } from '../../src/connection/server-socket.ts';
import type { SessionHolder } from '../../src/fleet/session-claim.ts';
import { Sessions } from '../../src/fleet/sessions.ts';
import { Stage, VirtualServer, type VirtualSocket } from '../virtual-server.ts';

const PING = '\u0005wb';
const SECRET = 'AbCdEfGhIjKlMnOpQrSt-_';
const OTHER = '0123456789012345678901';
const HOUR = 3_600_000;

/** What promises do that are settled has been done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

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

  it('stays with the older connection where the application has closed the newer one', async () => {
    for (const user of [undefined, () => 'ann', async () => 'ann']) {
      const stage = new Stage(user && { session: { user } });
      const older = stage.connect();
      older.socket.receive(ping(SECRET));
      await settled();
      const { socket: refused } = stage.connect();
      refused.close(4003, 'one connection a user'); // `ws` still reads what was on its way
      refused.receive(ping(SECRET));
      await settled();
      expect(stage.lines(/terminates|end: replaced/)).toEqual([]);
      expect(stage.heartbeat.get(older.socket)).toBe(older.connection);
      expect(stage.lines(/session=ok/)).toHaveLength(1);
    }
  });

  it('stays with the older connection where the hook closes the newer one', async () => {
    let isFull = false;
    const user = async (socket: VirtualSocket) => {
      if (isFull) socket.close(4003);
      return 'ann';
    };
    const stage = new Stage({ session: { user } });
    const { socket } = stage.connect();
    socket.receive(ping(SECRET));
    await settled();
    isFull = true;
    stage.connect().socket.receive(ping(SECRET));
    await settled();
    expect(stage.lines(/terminates|end: replaced/)).toEqual([]);
    expect(socket.readyState).toBe(ReadyState.Open);
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

  it("is its secret alone without the option: a client's newer connection ends its older one", () => {
    const stage = new Stage();
    const { socket: older } = stage.connect();
    older.receive(ping(SECRET));
    const { socket: newer, connection } = stage.connect();
    newer.receive(ping(SECRET));
    stage.connect().socket.receive(ping(OTHER));
    expect(stage.lines(/session=ok/)).toHaveLength(3);
    expect(stage.lines(/end: /)).toEqual(['0 end: replaced  a newer connection took its place']);
    expect(stage.heartbeat.connections.size).toBe(2);
    expect(stage.heartbeat.get(newer)).toBe(connection);
  });

  it('is not answered where it is off, nor ends anything', () => {
    const stage = new Stage({ session: false });
    for (let count = 0; count < 2; count += 1) stage.connect().socket.receive(ping(SECRET));
    expect(stage.heartbeat.connections.size).toBe(2);
    expect(stage.lines(/session=ok/)).toEqual([]);
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

  it('is not known where it throws or rejects, which is reported', async () => {
    const error = new Error('no cookie');
    const throws = () => {
      throw error;
    };
    for (const user of [throws, async () => throws()]) {
      const stage = new Stage({ session: { user } });
      const failures: unknown[] = [];
      stage.heartbeat.on('error', (failure) => failures.push(failure));
      const { socket } = stage.connect();
      socket.receive(ping(SECRET));
      await settled();
      expect(failures).toEqual([{ hook: 'user', error, socket }]);
      socket.receive(ping(SECRET, '2'));
      await settled();
      expect(failures).toHaveLength(2); // the next ping asks again
      expect(stage.lines(/sends !/)).toEqual(['0 sends !wb.1', '0 sends !wb.2']);
    }
  });

  it('may be a promise: the session is bound, and the client told, when that resolves', async () => {
    const answers: ((user: unknown) => void)[] = [];
    const user = () => new Promise((resolve) => answers.push(resolve));
    const stage = new Stage({ session: { user } });
    const { socket: older } = stage.connect();
    const { socket: newer } = stage.connect();
    for (const socket of [older, newer]) {
      socket.receive(ping(SECRET, '1'));
      socket.receive(ping(SECRET, '2')); // does not ask again meanwhile
    }
    await settled();
    expect(answers).toHaveLength(2);
    expect(stage.lines(/session=ok/)).toEqual([]);
    answers[1]?.('ann');
    await settled();
    expect(stage.lines(/session=ok/)).toEqual([
      expect.stringMatching(/ sends \?wb\.\w+;session=ok/),
    ]);
    newer.receive(ping(SECRET, '3'));
    expect(stage.lines(/sends !wb.3;session=ok/)).toHaveLength(1);
    answers[0]?.('ann'); // the newer one has it, whichever answer comes first
    await settled();
    expect([...stage.heartbeat.connections.keys()]).toEqual([newer]);
    expect(answers).toHaveLength(2);
  });

  it('may be a promise of nobody: then the next ping asks again', async () => {
    const users = [undefined, null, 'ann'];
    const stage = new Stage({ session: { user: async () => users.shift() } });
    const { socket } = stage.connect();
    for (const id of ['1', '2', '3', '4']) {
      socket.receive(ping(SECRET, id));
      await settled();
    }
    expect(users).toEqual([]);
    expect(stage.lines(/!wb.*session=ok/)).toEqual(['0 sends !wb.4;session=ok']);
  });

  it('may be a promise that resolves after its connection has closed: nothing is kept', async () => {
    const answers: ((user: unknown) => void)[] = [];
    const user = () => new Promise((resolve) => answers.push(resolve));
    const stage = new Stage({ session: { user } });
    const { socket } = stage.connect();
    socket.receive(ping(SECRET));
    socket.end(1000);
    const { length } = stage.log;
    answers[0]?.('ann');
    await settled();
    expect(stage.log).toHaveLength(length);
    stage.connect().socket.receive(ping(SECRET));
    answers[1]?.('ann');
    await settled();
    expect(stage.lines(/end: replaced/)).toEqual([]);
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
  /** A connection that notes who took its place. */
  class Holder implements SessionHolder {
    readonly socket: ServerSocket = { readyState: ReadyState.Open } as ServerSocket;
    readonly order: number;
    readonly user: unknown;
    session: SessionHolder['session'];
    hasEnded = false;
    by: unknown;
    isBoundLate = false;
    readonly #sessions: Sessions;

    constructor(sessions: Sessions, order: number, user: unknown) {
      this.#sessions = sessions;
      this.order = order;
      this.session = order;
      this.user = user;
    }

    replace(by: unknown): void {
      this.by = by;
      this.end();
    }

    bound(): void {
      this.isBoundLate = true;
    }

    async ping(): Promise<number> {
      return 0;
    }

    end(): void {
      this.hasEnded = true;
      this.#sessions.release(this);
    }
  }

  const fail = ({ error }: HookFailure) => {
    throw error;
  };

  const SECRETS = [SECRET, OTHER, 'x'.repeat(21).padEnd(22, 'A')];
  const USERS_OF_PROPERTY = ['ann', 'bob', Number.NaN, null];
  const steps = fc.array(
    fc.record({
      what: fc.constantFrom('open', 'bind', 'bind', 'bind', 'end'),
      which: fc.nat(20),
      secret: fc.constantFrom(...SECRETS),
      user: fc.constantFrom(...USERS_OF_PROPERTY),
    }),
    { maxLength: 60 },
  );

  it('gives each session to the newest connection that names it, and keeps no more than live ones', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (all, hasUsers) => {
        const holders: Holder[] = [];
        const bySocket = new Map<unknown, Holder>();
        const userOf = (socket: unknown) => bySocket.get(socket)?.user;
        const sessions = new Sessions(new Hooks(fail), hasUsers ? userOf : undefined);
        const bound = new Map<Holder, string>();
        for (const { what, which, secret, user } of all) {
          if (what === 'open') {
            const opened = new Holder(sessions, holders.length, user);
            bySocket.set(opened.socket, opened);
            sessions.enter(opened, undefined);
            holders.push(opened);
          }
          const holder = holders[which % holders.length];
          if (holder === undefined || holder.hasEnded || what === 'open') continue;
          if (what === 'end') {
            holder.end();
            continue;
          }
          const live = holders.filter((one) => !one.hasEnded);
          const other = live.find((one) => {
            const sameUser = !hasUsers || Object.is(one.user, holder.user);
            return one !== holder && bound.get(one) === secret && sameUser;
          });
          const known = bound.get(holder);
          const isBound = sessions.bind(holder, secret);
          if (known !== undefined) expect(isBound).toBe(known === secret);
          else if (hasUsers && holder.user === null) expect(isBound).toBe(false);
          else if (other !== undefined && other.order > holder.order) {
            expect([isBound, holder.by]).toEqual([false, other.socket]);
          } else {
            expect(isBound).toBe(true);
            bound.set(holder, secret);
            if (other !== undefined) expect(other.by).toBe(holder.socket);
          }
          const held = holders.filter((one) => !one.hasEnded && bound.has(one));
          expect(sessions.size).toBe(held.length);
        }
        for (const holder of holders) if (!holder.hasEnded) holder.end();
        expect(sessions.size).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });
});
