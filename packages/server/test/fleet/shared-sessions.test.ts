// Servers that share sessions, in virtual time.
import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { attachHeartbeat, type ServerHeartbeat } from '../../src/attach.ts';
import type { ConnectionHeartbeat } from '../../src/connection-heartbeat.ts';
import { MemoryRegistry } from '../../src/fleet/memory-registry.ts';
import type { PresenceEvent } from '../../src/fleet/presence.ts';
import type { Registry } from '../../src/fleet/registry.ts';
import type { ServerOptions } from '../../src/options.ts';
import { VirtualServer, VirtualSocket } from '../virtual-server.ts';

const SECRETS = ['AbCdEfGhIjKlMnOpQrSt-_', '0123456789012345678901'];
const ping = (id: string, client = 0) => `\u0005wb.${id};v=1;session=${SECRETS[client]}`;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A registry whose calls fail while it is away. */
class UnreliableRegistry extends MemoryRegistry {
  isAway = false;

  override async renew(...args: Parameters<Registry['renew']>): ReturnType<Registry['renew']> {
    if (this.isAway) throw new Error('away');
    return super.renew(...args);
  }

  override async claim(...args: Parameters<Registry['claim']>): ReturnType<Registry['claim']> {
    if (this.isAway) throw new Error('away');
    return super.claim(...args);
  }
}

interface Server {
  readonly heartbeat: ServerHeartbeat<VirtualSocket>;
  readonly log: string[];
  connect(user?: string): { socket: VirtualSocket; connection: ConnectionHeartbeat };
}

/** Servers with one registry and one clock. */
class Servers {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly registry: UnreliableRegistry = new UnreliableRegistry({ scheduler: this.scheduler });
  readonly #users: WeakMap<object, unknown> = new WeakMap();

  start(options: ServerOptions<VirtualSocket> = {}): Server {
    const { scheduler, registry } = this;
    const server = new VirtualServer();
    const log: string[] = [];
    const note = (what: string) => log.push(what.replace('\u0005', '?').replace('\u0006', '!'));
    const session = { user: (socket: VirtualSocket) => this.#users.get(socket) };
    const fixed = { scheduler, registry, session, jitter: 0, random: () => 0 };
    const heartbeat = attachHeartbeat(server, { ...fixed, ...options });
    heartbeat.on('end', ({ reason }) => note(`end: ${reason}`));
    heartbeat.on('replaced', ({ by }) =>
      note(`replaced by ${by === undefined ? 'another server' : 'ours'}`),
    );
    heartbeat.on('session', ({ connection, epoch }) =>
      note(`session ${connection.epoch === epoch}`),
    );
    for (const name of ['isolated', 'rejoined'] as const) heartbeat.on(name, () => note(name));
    closers.push(() => heartbeat.detach());
    const peer = { answersPings: true, answersBeats: true, latency: 0, lag: 0 };
    const connect = (user = 'ann') => {
      const socket = new VirtualSocket(scheduler, peer, note);
      this.#users.set(socket, user);
      server.accept(socket);
      const connection = heartbeat.get(socket);
      if (connection === undefined) throw new Error('unreachable: it is open');
      return { socket, connection };
    };
    return { heartbeat, log, connect };
  }

  /** Lets time pass in steps short enough for answers to arrive in between. */
  async advance(time: number): Promise<void> {
    const end = this.scheduler.now() + time;
    while (this.scheduler.now() < end) {
      this.scheduler.advanceTo(Math.min(end, this.scheduler.now() + 10));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const about = ({ log }: Server, pattern: RegExp) => log.filter((line) => pattern.test(line));

describe('a client that comes back to another server', () => {
  it('is told that its session is bound once its older connection has ended', async () => {
    const servers = new Servers();
    const [a, b] = [servers.start(), servers.start()];
    await servers.advance(100);
    const older = a.connect();
    older.socket.receive(ping('1'));
    expect(older.connection.epoch).toBeUndefined();
    await servers.advance(100);
    expect(about(a, /session/)).toEqual([
      expect.stringMatching(/^sends \?wb.*;session=ok$/),
      'session true',
    ]);
    const first = older.connection.epoch ?? 0;
    const newer = b.connect();
    newer.socket.receive(ping('1'));
    await servers.advance(20); // claimed, and the older connection has ended
    expect(about(a, /^(end|replaced|terminates)/)).toEqual([
      'terminates',
      'replaced by another server',
      'end: replaced',
    ]);
    await servers.advance(100);
    expect(about(b, /session/)).toEqual([expect.stringMatching(/session=ok$/), 'session true']);
    expect(newer.connection.epoch).toBeGreaterThan(first);
    newer.socket.receive(ping('2'));
    expect(about(b, /!wb.2;session=ok/)).toHaveLength(1);
  });

  it('is not told so while its older server has a lease and says nothing', async () => {
    const servers = new Servers();
    const [a, b] = [servers.start(), servers.start()];
    await servers.advance(100);
    a.connect().socket.receive(ping('1'));
    await servers.advance(100);
    const held = servers.registry.listen.bind(servers.registry);
    await held(a.heartbeat.presence.node, () => {}); // it does not hear anything any more
    const renew = servers.registry.renew.bind(servers.registry);
    servers.registry.renew = async (node, isNew) => {
      if (!node.startsWith(`${a.heartbeat.presence.node}.`)) return renew(node, isNew);
      throw new Error('cut');
    };
    const { socket, connection } = b.connect();
    socket.receive(ping('1'));
    await servers.advance(9_000);
    expect([connection.epoch, about(b, /session/)]).toEqual([undefined, []]);
    await servers.advance(15_000);
    expect(a.log).toContain('isolated');
    expect(connection.epoch).toBeGreaterThan(0);
    expect(about(b, /session/)).toEqual([expect.stringMatching(/session=ok$/), 'session true']);
  });
});

describe('a server that cannot reach the registry', () => {
  it('keeps its connections, which hold no session until it can', async () => {
    const servers = new Servers();
    const a = servers.start();
    const failures: string[] = [];
    a.heartbeat.on('error', ({ hook }) => failures.push(hook));
    await servers.advance(100);
    const { socket, connection } = a.connect();
    socket.receive(ping('1'));
    await servers.advance(100);
    const before = connection.epoch ?? 0;
    servers.registry.isAway = true;
    await servers.advance(16_000);
    expect([a.heartbeat.isIsolated, connection.epoch, connection.status]).toEqual([
      true,
      undefined,
      'alive',
    ]);
    socket.receive(ping('2'));
    expect(about(a, /!wb.2/)).toEqual(['sends !wb.2']);
    expect(new Set(failures)).toEqual(new Set(['registry']));
    servers.registry.isAway = false;
    await servers.advance(6_000);
    expect([a.heartbeat.isIsolated, connection.epoch]).toEqual([false, expect.any(Number)]);
    expect(connection.epoch).toBeGreaterThan(before);
    expect(about(a, /^(isolated|rejoined|end)/)).toEqual(['isolated', 'rejoined']);
  });

  it('claims the session of a client again once the client has answered a ping', async () => {
    const servers = new Servers();
    const a = servers.start();
    a.heartbeat.on('error', () => {});
    await servers.advance(100);
    const { socket, connection } = a.connect();
    socket.receive(ping('1'));
    await servers.advance(100);
    servers.registry.isAway = true;
    await servers.advance(16_000);
    socket.peer.answersPings = false;
    socket.receive('sent before it died'); // read after the server has been away
    servers.registry.isAway = false;
    await servers.advance(6_000);
    expect(a.heartbeat.isIsolated).toBe(false);
    expect(connection.epoch).toBeUndefined();
    expect(await a.heartbeat.presence.find('ann')).toEqual([]);
    socket.peer.answersPings = true; // its network has come back, and the server asks again
    await servers.advance(60_000);
    expect(connection.epoch).toBeGreaterThan(0);
    expect(await a.heartbeat.presence.find('ann')).toHaveLength(1);
  });

  it('closes those with a session if it is asked to', async () => {
    const servers = new Servers();
    const a = servers.start({ whenIsolated: 'close' });
    a.heartbeat.on('error', () => {});
    await servers.advance(100);
    a.connect().socket.receive(ping('1'));
    a.connect(); // has sent no session
    await servers.advance(100);
    servers.registry.isAway = true;
    await servers.advance(16_000);
    expect(about(a, /^closes/)).toEqual(['closes 1012 service restart']);
  });
});

describe('a detached server', () => {
  it('does not warn of a registry that it cannot reach any more', async () => {
    const servers = new Servers();
    const a = servers.start();
    await servers.advance(100);
    a.connect().socket.receive(ping('1'));
    await servers.advance(100);
    const released: unknown[] = [];
    servers.registry.release = async (...args) => {
      released.push(args);
      throw new Error('The client is closed');
    };
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    closers.push(() => warn.mockRestore());
    a.heartbeat.detach();
    await servers.advance(1_000);
    expect(released.length).toBeGreaterThan(0);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('presence', () => {
  async function collect(server: Server, signal: AbortSignal): Promise<string[]> {
    const seen: string[] = [];
    void (async () => {
      for await (const event of server.heartbeat.presence.watch(signal)) seen.push(show(event));
      seen.push('over');
    })();
    return seen;
  }
  const show = (event: PresenceEvent) => {
    if (event.type === 'snapshot') return `snapshot ${event.users.map(({ user }) => user)}`;
    return `${event.type} ${event.user}`;
  };

  it('shows everybody, then each change once, also of users with several connections', async () => {
    const servers = new Servers();
    const [a, b] = [servers.start(), servers.start()];
    await servers.advance(100);
    a.connect('ann').socket.receive(ping('1'));
    await servers.advance(100);
    const watching = new AbortController();
    const seen = await collect(b, watching.signal);
    await servers.advance(100);
    const tab = b.connect('ann').socket; // another tab: another secret
    tab.receive(ping('1', 1));
    const other = b.connect('bob').socket;
    other.receive(ping('1'));
    await servers.advance(100);
    a.connect('bob').socket.receive(ping('1')); // the same client, to another server
    await servers.advance(100);
    expect((await a.heartbeat.presence.find('ann')).map(({ node }) => node).sort()).toEqual(
      [a.heartbeat.presence.node, b.heartbeat.presence.node].sort(),
    );
    expect((await a.heartbeat.presence.list()).map(({ user }) => user).sort()).toEqual([
      'ann',
      'bob',
    ]);
    tab.end(1000);
    await servers.advance(20_000);
    expect(seen).toEqual(['snapshot ann', 'join bob', 'move bob']);
    for (const { heartbeat } of [a, b])
      for (const socket of heartbeat.connections.keys()) socket.end(1000);
    await servers.advance(4_900);
    expect(seen).toHaveLength(3); // the grace period
    await servers.advance(700);
    expect(seen.slice(3).sort()).toEqual(['leave ann', 'leave bob']);
    expect(a.heartbeat.presentUsers).toBe(0);
    watching.abort();
    await servers.advance(10);
    expect(seen.at(-1)).toBe('over');
  });

  it('asks the owning server for latency and status', async () => {
    const servers = new Servers();
    const [a, b] = [servers.start(), servers.start()];
    await servers.advance(100);
    a.connect('ann').socket.receive(ping('1'));
    await servers.advance(100);
    for (const { heartbeat } of [a, b]) {
      const [place] = await heartbeat.presence.ask('ann');
      expect(place).toMatchObject({
        node: a.heartbeat.presence.node,
        quality: {
          status: 'alive',
          isResponsive: true,
          transportLatency: 0,
          applicationLatency: 0,
        },
      });
    }
    await servers.registry.listen(a.heartbeat.presence.node, () => {}); // it is silent
    const asked = b.heartbeat.presence.ask('ann');
    await servers.advance(1_100);
    expect(await asked).toEqual([expect.not.objectContaining({ quality: expect.anything() })]);
  });

  it('works without a registry, for the connections of one server', async () => {
    const servers = new Servers();
    const a = servers.start({ registry: undefined as never });
    const early = a.connect('ann');
    early.socket.receive(ping('1'));
    expect(about(a, /session/)).toEqual(['session true', 'sends !wb.1;session=ok']);
    const watching = new AbortController();
    const seen = await collect(a, watching.signal);
    await servers.advance(100);
    a.connect('bob').socket.receive(ping('1'));
    await servers.advance(100);
    expect(seen.join()).toMatch(/^snapshot (ann)?(,join ann)?,join bob$/);
    expect(early.connection.epoch).toBeGreaterThan(0);
    watching.abort();
  });

  it('costs the registry nothing for heartbeats and messages', async () => {
    const servers = new Servers();
    const a = servers.start({ pingInterval: 1_000, pingTimeout: 1_000 });
    await servers.advance(100);
    const { socket } = a.connect();
    socket.receive(ping('1'));
    await servers.advance(1_000);
    const calls: string[] = [];
    a.heartbeat.on('registry', ({ operation }) => calls.push(operation));
    const pings = about(a, /^(pings|sends \?)/).length;
    for (let second = 0; second < 60; second += 1) {
      await servers.advance(1_000);
      if (second % 2 === 0) socket.receive('a message');
    }
    expect(about(a, /^(pings|sends \?)/).length).toBeGreaterThan(pings + 20);
    expect(calls).toEqual(new Array(12).fill('renew')); // three in each lease of 15 s
  });

  it('publishes the longest time to a leave', () => {
    const servers = new Servers();
    const { heartbeat } = servers.start();
    const { detectionBound } = new Servers().start().connect().connection;
    expect(heartbeat.presence.presenceBound).toBe(detectionBound + 15_000 + 5_000 + 10_000);
  });

  it.each(['list', 'find', 'watch'] as const)(
    'includes users who connected before the first %s, without a registry',
    async (question) => {
      const server = new Servers().start({ registry: undefined as never });
      for (const [index, user] of ['ann', 'bob'].entries()) {
        server.connect(user).socket.receive(ping('1', index));
      }
      const { presence } = server.heartbeat;
      if (question === 'find') expect(await presence.find('ann')).toHaveLength(1);
      const users = question === 'list' ? await presence.list() : undefined;
      const first = question === 'watch' ? await presence.watch().next() : undefined;
      if (users) expect(users.map(({ user }) => user)).toEqual(['ann', 'bob']);
      if (first) expect(show(first.value as PresenceEvent)).toBe('snapshot ann,bob');
    },
  );

  it('needs sessions, and users that a registry can name', async () => {
    const servers = new Servers();
    expect(() => servers.start({ session: false })).toThrow('Expected `registry` to be absent');
    const { heartbeat } = servers.start({ session: false, registry: undefined as never });
    expect(() => heartbeat.presence).toThrow('Expected `session` to be');
    const a = servers.start({ session: { user: () => ({}) } });
    const failures: unknown[] = [];
    a.heartbeat.on('error', ({ hook, error }) => failures.push(hook, String(error)));
    a.connect().socket.receive(ping('1'));
    expect(failures).toEqual(['user', expect.stringContaining('a string or a number')]);
  });
});

describe('a drain', () => {
  it('keeps users present for as long as they are asked to wait', async () => {
    const servers = new Servers();
    const [a, b] = [servers.start(), servers.start()];
    await servers.advance(100);
    const { socket } = a.connect('ann');
    socket.receive(ping('1'));
    await servers.advance(100);
    const done = a.heartbeat.drain({ within: 100, retryAfter: 20_000 });
    await servers.advance(50);
    socket.end(1012);
    await servers.advance(100);
    await done;
    a.heartbeat.detach();
    await servers.advance(24_000);
    expect((await b.heartbeat.presence.list()).map(({ user }) => user)).toEqual(['ann']);
    b.connect('ann').socket.receive(ping('1'));
    await servers.advance(20_000);
    const log = await servers.registry.changes('0');
    expect(log?.changes.map(({ type }) => type)).toEqual(['join', 'move']);
  });
});

describe('a server whose heartbeat was detached', () => {
  it('takes no lease again, whatever is asked of it', async () => {
    const servers = new Servers();
    const { heartbeat, connect } = servers.start();
    await servers.advance(100);
    connect().socket.receive(ping('1'));
    await servers.advance(100);
    heartbeat.detach();
    await servers.advance(100);
    const renew = vi.spyOn(servers.registry, 'renew');
    await heartbeat.drain();
    await servers.advance(60_000);
    expect(renew).not.toHaveBeenCalled();
    expect(servers.scheduler.pending).toBe(0);
  });
});
