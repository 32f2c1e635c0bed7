import { InvalidOptionError, ReadyState } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { unhandledRejections } from '../../core/test/unhandled-rejections.ts';
import { attachHeartbeat, ServerHeartbeat } from '../src/attach.ts';
import type { HookFailure } from '../src/connection/hooks.ts';
import { Stage, VirtualServer, VirtualSocket } from './virtual-server.ts';

const PING = '\u0005wb';
const HOUR = 3_600_000;

describe('attachHeartbeat', () => {
  it('adds a heartbeat to new connections, and to those that are open already', () => {
    const server = new VirtualServer();
    const early = new Stage().socket();
    server.accept(early);
    const stage = new Stage({}, server);
    const { socket } = stage.connect();
    expect([...stage.heartbeat.connections.keys()]).toEqual([early, socket]);
    expect(stage.lines(/Ping/)).toHaveLength(1);
  });

  it('leaves connections alone that are closing', () => {
    const stage = new Stage();
    for (const readyState of [ReadyState.Closing, ReadyState.Closed]) {
      const socket = stage.socket();
      socket.readyState = readyState;
      stage.server.accept(socket);
      socket.emit('message', Buffer.from(PING), false);
    }
    expect(stage.heartbeat.connections.size).toBe(0);
    expect(stage.log).toEqual(['0 application: message ?wb', '0 application: message ?wb']);
  });

  it('works for a server that keeps no list of its clients', () => {
    const stage = new Stage({}, new VirtualServer({ clientTracking: false }));
    const { socket } = stage.connect();
    socket.receive(PING);
    stage.heartbeat.detach();
    expect(stage.lines(/sends !|end:/)).toEqual([
      '0 sends !wb',
      '0 end: detached  the heartbeat was detached',
    ]);
  });

  it('sees a connection before the application does', () => {
    const server = new VirtualServer();
    const application: number[] = [];
    server.on('connection', () => application.push(stage.heartbeat.connections.size));
    const stage = new Stage({}, server);
    stage.connect();
    expect(application).toEqual([1]);
  });

  it('knows each connection by its socket until it ends', () => {
    const stage = new Stage();
    const one = stage.connect();
    const other = stage.connect();
    expect(stage.heartbeat.get(one.socket)).toBe(one.connection);
    one.socket.end(1000);
    expect(stage.heartbeat.get(one.socket)).toBeUndefined();
    expect([...stage.heartbeat.connections.values()]).toEqual([other.connection]);
    expect(stage.heartbeat.get(new Stage().socket())).toBeUndefined();
  });

  it('emits each event with its socket and its connection', () => {
    const stage = new Stage();
    const emitted: [string, unknown, unknown][] = [];
    for (const name of ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'end'] as const) {
      stage.heartbeat.on(name, ({ socket, connection }) =>
        emitted.push([name, socket, connection]),
      );
    }
    const { socket, connection } = stage.connect();
    stage.advanceTo(20_000);
    stage.scheduler.stall(20_000);
    stage.advanceTo(50_000);
    socket.peer.answersPings = false;
    stage.advanceTo(HOUR);
    expect(new Set(emitted.map(([name]) => name))).toEqual(
      new Set(['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'end']),
    );
    for (const [, itsSocket, itsConnection] of emitted) {
      expect(itsSocket).toBe(socket);
      expect(itsConnection).toBe(connection);
    }
  });

  it('adds one heartbeat to a connection that is announced twice', () => {
    const stage = new Stage();
    const { socket, connection } = stage.connect();
    stage.server.emit('connection', socket);
    expect(stage.heartbeat.get(socket)).toBe(connection);
    expect(stage.lines(/Ping/)).toHaveLength(1);
  });

  it('removes a connection before it emits its end', () => {
    const stage = new Stage();
    let known: unknown = 'no event';
    stage.heartbeat.on('end', ({ socket }) => {
      known = stage.heartbeat.get(socket);
    });
    stage.connect().socket.end(1000);
    expect(known).toBeUndefined();
  });

  it('spreads the Pings of connections that were opened together, by jitter alone', () => {
    const random = seededRandom(7);
    const stage = new Stage({ jitter: 0.1, random });
    const pings: Map<unknown, number[]> = new Map();
    stage.heartbeat.on('ping', ({ socket }) => {
      pings.set(socket, [...(pings.get(socket) ?? []), stage.scheduler.now()]);
    });
    for (let index = 0; index < 20; index += 1) stage.connect();
    stage.advanceTo(300_000);
    const second = [...pings.values()].map((times) => times[1] ?? Number.NaN);
    for (let part = 0; part < 4; part += 1) {
      const from = part * 7_500; // its share of a period: 5 of 20, by chance more or less
      const inPart = second.filter((at) => at >= from && at < from + 7_500);
      expect(inPart.length).toBeGreaterThanOrEqual(1);
    }
    for (const times of pings.values()) {
      const waits = times.slice(2).map((at, index) => at - (times[index + 1] ?? Number.NaN));
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(27_000);
      expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
      expect(new Set(waits).size).toBeGreaterThan(1);
    }
  });

  it('goes on when a listener throws, and reports its error', async () => {
    const stage = new Stage();
    const failures: HookFailure[] = [];
    stage.heartbeat.on('error', (failure) => failures.push(failure));
    const names = ['alive', 'ping', 'pong', 'suspect', 'dead', 'end'] as const;
    for (const name of names) {
      stage.heartbeat.on(name, () => {
        throw new Error(name);
      });
    }
    const reasons = await unhandledRejections(() => {
      const { socket } = stage.connect();
      socket.receive(PING);
      stage.advanceTo(30_000);
      socket.peer.answersPings = false;
      stage.advanceTo(HOUR);
    });
    expect(reasons).toEqual([]);
    expect(new Set(failures.map(({ error }) => (error as Error).message))).toEqual(new Set(names));
    const [socket] = new Set(failures.map((failure) => failure.socket));
    for (const failure of failures) expect(failure).toMatchObject({ hook: 'listener', socket });
    expect(stage.lines(/sends !|dead|end:|terminates/)).toEqual([
      '0 sends !wb',
      '80250 dead: ping-timeout',
      '80250 end: ping-timeout',
      '80250 terminates',
    ]);
  });
});

describe('two heartbeats on one server', () => {
  function attachTwo() {
    const stage = new Stage();
    const options = { jitter: 0, random: () => 0.5, scheduler: stage.scheduler };
    const second = attachHeartbeat(stage.server, options);
    second.on('dead', () => stage.note('second: dead'));
    second.on('end', ({ reason }) => stage.note(`second: end: ${reason}`));
    return { stage, second };
  }

  it('both keep a foreign client alive, and hide its Pongs from the application', () => {
    const { stage, second } = attachTwo();
    stage.connect({ latency: 40 });
    stage.advanceTo(HOUR);
    expect(stage.lines(/dead|end|application/)).toEqual([]);
    expect([stage.heartbeat.connections.size, second.connections.size]).toEqual([1, 1]);
    for (const heartbeat of [stage.heartbeat, second]) {
      const [connection] = heartbeat.connections.values();
      expect(connection?.transportLatency).toBe(40);
    }
  });

  it('answer a ping once', () => {
    const { stage } = attachTwo();
    const { socket } = stage.connect();
    socket.receive(PING);
    expect(stage.lines(/sends !|application/)).toEqual(['0 sends !wb']);
  });

  it('end a dead peer once each', () => {
    const { stage } = attachTwo();
    stage.connect({ answersPings: false });
    stage.advanceTo(HOUR);
    expect(stage.lines(/ end: /)).toHaveLength(2);
  });

  it('may be detached in any order: the other goes on', () => {
    for (const isFirst of [true, false]) {
      const { stage, second } = attachTwo();
      const { socket } = stage.connect({ latency: 40 });
      const [gone, left] = isFirst ? [stage.heartbeat, second] : [second, stage.heartbeat];
      gone.detach();
      socket.receive(PING);
      expect(stage.lines(/sends !|application: message/)).toEqual(['0 sends !wb']);
      stage.advanceTo(HOUR);
      expect(left.connections.size).toBe(1);
      left.detach();
      expect(Object.getPrototypeOf(socket)).toBe(VirtualSocket.prototype);
    }
  });
});

describe('detach', () => {
  it('removes all heartbeats: no listener, property or timer is left, and sockets stay open', () => {
    const server = new VirtualServer();
    server.on('connection', () => {});
    const stage = new Stage({}, server);
    const sockets = [stage.connect().socket, stage.connect({ answersPings: false }).socket];
    for (const socket of sockets) socket.receive(PING);
    stage.heartbeat.detach();
    stage.advanceTo(1); // the peers' answers arrive
    expect(server.listenerCount('connection')).toBe(1);
    expect(stage.scheduler.pending).toBe(0);
    expect(stage.heartbeat.connections.size).toBe(0);
    for (const socket of sockets) {
      expect(socket.readyState).toBe(ReadyState.Open);
      expect(Object.hasOwn(socket, 'emit')).toBe(false);
      expect(Object.hasOwn(socket, 'send')).toBe(false);
      expect(Object.getPrototypeOf(socket)).toBe(VirtualSocket.prototype);
      expect(socket.listenerCount('close')).toBe(1); // the server's
    }
  });

  it.each([[['emit']], [['send']], [['emit', 'send']]] as const)(
    'restores methods that the socket itself had: %s',
    (names) => {
      const stage = new Stage();
      const socket = stage.socket();
      const calls = new Set<string>();
      for (const name of names) {
        const below = socket[name] as (...args: unknown[]) => unknown;
        const own = (...args: unknown[]) => {
          calls.add(name);
          return below.apply(socket, args);
        };
        Object.assign(socket, { [name]: own });
      }
      const methods = () =>
        ['emit', 'send'].map((name) => Object.getOwnPropertyDescriptor(socket, name));
      const before = methods();
      stage.server.accept(socket);
      socket.receive(PING);
      expect(stage.lines(/sends !|application: message/)).toEqual(['0 sends !wb']);
      stage.heartbeat.detach();
      expect(methods()).toEqual(before);
      socket.receive(PING);
      expect(stage.lines(/application: message/)).toHaveLength(1);
      expect([...calls].sort()).toEqual(names);
    },
  );

  it('emits the end of each connection once, and then nothing more', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    stage.heartbeat.detach();
    stage.heartbeat.detach();
    socket.end(1000);
    stage.server.accept(stage.socket());
    stage.advanceTo(HOUR);
    expect(stage.log).toEqual([
      '0 alive',
      '0 Ping wb-0.1',
      '0 end: detached  the heartbeat was detached',
    ]);
  });

  it('leaves later pings to the application, unanswered', () => {
    const stage = new Stage();
    const { socket } = stage.connect();
    stage.heartbeat.detach();
    socket.receive(PING);
    const late = stage.socket();
    stage.server.accept(late);
    late.receive(PING);
    expect(stage.lines(/sends|application/)).toEqual([
      '0 application: message ?wb',
      '0 application: message ?wb',
    ]);
  });

  it('is the same as Symbol.dispose', () => {
    const stage = new Stage();
    stage.connect();
    stage.heartbeat[Symbol.dispose]();
    expect(stage.heartbeat.connections.size).toBe(0);
    expect(stage.server.listenerCount('connection')).toBe(0);
  });

  it('may be called by a listener', () => {
    for (const name of ['alive', 'ping', 'suspect', 'dead', 'end'] as const) {
      const stage = new Stage();
      stage.heartbeat.on(name, () => stage.heartbeat.detach());
      stage.server.accept(stage.socket({ answersPings: false }));
      stage.advanceTo(HOUR);
      expect(stage.lines(/end:/)).toHaveLength(1);
      expect(stage.scheduler.pending).toBe(0);
    }
  });

  it('detaches a single connection', () => {
    const stage = new Stage();
    const one = stage.connect();
    const other = stage.connect();
    one.connection.detach();
    one.connection.detach();
    expect([...stage.heartbeat.connections.keys()]).toEqual([other.socket]);
    stage.advanceTo(HOUR);
    expect(stage.lines(/end:/)).toHaveLength(1);
  });
});

describe('options', () => {
  it.each<[name: string, value: unknown, sentence?: string]>([
    ['pingInterval', -1],
    ['pingInterval', 0],
    ['pingInterval', Number.NaN],
    ['pingInterval', Number.POSITIVE_INFINITY],
    ['pingInterval', null],
    ['pingTimeout', '5s'],
    ['pingTimeout', 2 ** 31],
    ['pingTimeout', true],
    ['jitter', 1],
    ['jitter', -0.1],
    ['random', 0.5],
    ['maxSilence', 0],
    ['dialect', 'graphql'],
    ['dialect', { name: 'graphql' }],
    ['interval', 5, 'Unknown option `interval`'],
    ['memory', undefined, 'Unknown option `memory`'],
  ])('refuses `%s` of %s, says why, and attaches nothing', (name, value, sentence) => {
    const server = new VirtualServer();
    const socket = new Stage().socket();
    server.accept(socket);
    const attach = () => attachHeartbeat(server, { [name]: value } as never);
    expect(attach).toThrow(InvalidOptionError);
    expect(attach).toThrow(sentence ?? `Expected \`${name}\` to be `);
    expect(server.listenerCount('connection')).toBe(0);
    expect(Object.hasOwn(socket, 'emit')).toBe(false);
  });

  it.each([[null], [5], ['fast'], [[]]])(
    'refuses options that are not an object: %s',
    (options) => {
      const attach = () => attachHeartbeat(new VirtualServer(), options as never);
      expect(attach).toThrow('Expected `options` to be an object');
    },
  );

  it.each([[undefined], [null], [{}], ['ws://localhost'], [new EventTarget()]])(
    'refuses a server that is none: %s',
    (server) => {
      expect(() => attachHeartbeat(server as never)).toThrow(
        'Expected `server` to be a WebSocketServer of `ws`',
      );
    },
  );

  it.each([
    ['absent', {}],
    ['undefined', { pingInterval: undefined, pingTimeout: undefined, jitter: undefined }],
  ])('are optional: if they are %s, the server waits longer than a page does', (_, options) => {
    const scheduler = new VirtualScheduler();
    const server = new VirtualServer();
    const random = () => 0.5;
    const heartbeat = attachHeartbeat(server, { scheduler, random, ...options } as never);
    const pings: number[] = [];
    heartbeat.on('ping', () => pings.push(scheduler.now()));
    const manners = { answersPings: true, answersBeats: false, latency: 0, lag: 0 };
    const socket = new VirtualSocket(scheduler, manners, () => {});
    server.accept(socket);
    scheduler.advanceTo(1_000);
    socket.receive('text');
    expect(heartbeat.get(socket)?.detectionBound).toBe(51_000);
    scheduler.advanceTo(30_000);
    scheduler.advanceTo(43_500);
    // Half a period after the first, for it was opened; then half of the jitter of 0.1 was drawn.
    expect(pings).toEqual([0, 15_000, 43_500]);
  });

  it('can turn parts off', () => {
    const options = { pingInterval: false, pingTimeout: false, maxSilence: false } as const;
    expect(attachHeartbeat(new VirtualServer(), options)).toBeInstanceOf(ServerHeartbeat);
  });
});
