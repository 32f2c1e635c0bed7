// The configurations of examples/scale-out, run by a real nginx and a real HAProxy in front of servers
// that share a real Redis.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from '../../programs/find-program.ts';
import { freePort } from '../../programs/free-port.ts';
import { Program } from '../../programs/program.ts';
import { MS } from '../../programs/time-factor.ts';
import { connectNodeRedis } from '../../redis/redis-clients.ts';
import { RedisServer } from '../../redis/redis-server.ts';
import { type Node, Stage, wait } from './stage.ts';

const EXAMPLE = new URL('../../../../examples/scale-out/', import.meta.url);
const TIMING = { lease: 5_000 * MS, grace: 10_000 * MS };
const NODES = 3;
const CLIENTS = 9;

/** How a program is started with its file, and which line makes connections sticky. */
const BALANCERS = {
  nginx: {
    variable: 'NGINX_PATH',
    file: 'nginx.conf',
    // Only what an unprivileged process in the foreground needs.
    args: (folder: string, file: string) => [
      ...['-p', folder, '-c', file, '-e', 'stderr'],
      ...['-g', 'daemon off; master_process off; pid nginx.pid;'],
    ],
    adapt: (text: string) => {
      const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const paths = kinds.map((kind) => `${kind}_temp_path ${kind};`).join(' ');
      return text.replace('http {', `http { access_log off; ${paths}`);
    },
    stick: (text: string) => text.replace('least_conn;', '').replace('# hash $arg', 'hash $arg'),
  },
  HAProxy: {
    variable: 'HAPROXY_PATH',
    file: 'haproxy.cfg',
    args: (_: string, file: string) => ['-db', '-f', file],
    adapt: (text: string) => text,
    stick: (text: string) => {
      return text
        .replace('balance leastconn', '')
        .replace('# balance url_param', 'balance url_param')
        .replace('# hash-type', 'hash-type');
    },
  },
} as const;

const closers: (() => unknown)[] = [];
const hasRedis = findProgram('REDIS_PATH') !== undefined;

describe.each(Object.entries(BALANCERS))('behind %s', (_, balancer) => {
  const path = findProgram(balancer.variable);

  describe.skipIf(!hasRedis || path === undefined)('servers that share Redis', () => {
    let stage: Stage;
    beforeEach(async () => {
      const redis = await RedisServer.start();
      stage = new Stage(redis, connectNodeRedis, TIMING);
      closers.push(
        () => redis.end(),
        () => stage.close(),
      );
      for (let node = 0; node < NODES; node += 1) await stage.start();
      await stage.watch();
    });
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    /** Starts the balancer with the example's configuration, apart from its ports. */
    async function balance(change: (text: string) => string = (text) => text): Promise<number> {
      const ports = [await freePort(), ...stage.nodes.map(({ port }) => port)];
      const text = readFileSync(new URL(balancer.file, EXAMPLE), 'utf8');
      const adapted = change(balancer.adapt(text)).replaceAll(
        /127\.0\.0\.1:808(\d)/g,
        (_all, n) => {
          return `127.0.0.1:${ports[Number(n)]}`;
        },
      );
      const folder = mkdtempSync(join(tmpdir(), 'wirebeat-balancer-'));
      const file = join(folder, balancer.file);
      writeFileSync(file, adapted);
      const program = new Program(path ?? '', balancer.args(folder, file));
      closers.push(async () => {
        await program.end();
        rmSync(folder, { recursive: true, force: true });
      });
      await program.listens(ports[0] ?? 0);
      return ports[0] ?? 0;
    }

    /** The user of each connection of a server. */
    async function usersOf(node: Node): Promise<string[]> {
      const name = node.heartbeat?.presence.node;
      const users = [...new Set(stage.users)];
      const places = await Promise.all(users.map((user) => stage.placesOf(user)));
      return users.flatMap((user, index) => {
        return (places[index] ?? []).filter((place) => place === name).map(() => user);
      });
    }

    it('spreads connections, and moves those of a server that is drained to the others', async () => {
      const front = await balance();
      for (let client = 0; client < CLIENTS; client += 1) stage.dial(front, `user-${client}`);
      await expect.poll(() => stage.current.length, wait).toBe(CLIENTS);
      const counts = stage.nodes.map(({ epochs }) => epochs.length);
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(2); // exactly 3, if they connect one by one
      const before = stage.current.at(-1) ?? 0;
      const [gone, ...others] = stage.nodes as [Node, ...Node[]];
      const moved = gone.epochs.length;
      await gone.stop(200);
      const open = () =>
        others.flatMap(({ epochs }) => epochs).filter((epoch) => epoch !== undefined);
      await expect.poll(() => open().length, wait).toBe(CLIENTS);
      expect(open().filter((epoch) => Number(epoch) > before).length).toBeGreaterThanOrEqual(moved);
      await gone.start();
      const newOnes = () => {
        stage.dial(front, 'new');
        return gone.epochs.length;
      };
      // It has the fewest connections, but for a moment the balancer thinks that it is down.
      await expect.poll(newOnes, { ...wait, interval: 500 }).toBeGreaterThan(0);
      expect(stage.seen.filter((change) => change.startsWith('leave'))).toEqual([]);
    });

    it('keeps the connections of a user on one server if it is told to be sticky', async () => {
      const front = await balance(balancer.stick);
      for (let client = 0; client < CLIENTS; client += 1) {
        for (let tab = 0; tab < 2; tab += 1) stage.dial(front, `user-${client}`);
      }
      await expect.poll(() => stage.current.length, wait).toBe(2 * CLIENTS);
      const users = await Promise.all(stage.nodes.map(usersOf));
      expect(users.flat()).toHaveLength(2 * CLIENTS);
      for (const ofNode of users) {
        for (const user of ofNode) expect(ofNode.filter((other) => other === user)).toHaveLength(2);
      }
      expect(users.filter((ofNode) => ofNode.length > 0).length).toBeGreaterThan(1);
    });
  });
});
