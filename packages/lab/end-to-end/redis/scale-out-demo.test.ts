// `npm run demo -- --nodes 3` from outside: several servers, one Redis, one front.
import { fileURLToPath } from 'node:url';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { findProgram } from '../../programs/find-program.ts';
import { Program } from '../../programs/program.ts';
import { MS } from '../../programs/time-factor.ts';

interface Message {
  readonly type: 'hello' | 'session' | 'presence';
  readonly node: string;
  readonly epoch?: number;
  readonly users?: readonly string[];
  readonly change?: string;
}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A page's connection, and what it is told. */
function connect(url: string, user: string) {
  const heard: Message[] = [];
  const socket = new ReconnectingWebSocket(`${url.replace('http', 'ws')}/?user=${user}`, [], {
    WebSocket: WebSocket as never,
    pingInterval: 2_000,
    pingTimeout: 2_000,
  });
  closers.push(() => socket.close());
  socket.addEventListener('message', ({ data }) => void heard.push(JSON.parse(String(data))));
  const sessions = () => heard.filter(({ type }) => type === 'session');
  return { socket, heard, sessions };
}

const wait = { timeout: 30_000 * MS };

describe.skipIf(findProgram('REDIS_PATH') === undefined)('the demo with several servers', () => {
  it('moves a connection to another server when its own is drained or killed, and nobody leaves', async () => {
    const path = fileURLToPath(new URL('../../../../examples/scale-out/main.mjs', import.meta.url));
    const demo = new Program(process.execPath, [path], { PORT: '0', NODES: '3' });
    closers.push(() => demo.end());
    const url = await demo.prints(/http:\/\/127\.0\.0\.1:\d+/);
    expect(await (await fetch(url)).text()).toContain('ReconnectingWebSocket');
    expect((await fetch(`${url}/wirebeat.js`)).status).toBe(200);
    const [ann, bob] = [connect(url, 'ann'), connect(url, 'bob')];
    await expect
      .poll(() => [ann, bob].map(({ sessions }) => sessions().length), wait)
      .toEqual([1, 1]);
    await expect.poll(() => ann.heard.at(-1)?.users, wait).toEqual(['ann', 'bob']);
    for (const fault of ['drain', 'kill']) {
      const { node = '', epoch = 0 } = ann.sessions().at(-1) ?? {};
      const count = ann.sessions().length;
      const hurt = `${url}/${fault}?node=${encodeURIComponent(node)}`;
      expect((await fetch(hurt, { method: 'POST' })).status).toBe(204);
      await expect.poll(() => ann.sessions().length, wait).toBeGreaterThan(count);
      const next = ann.sessions().at(-1);
      expect(next?.node).not.toBe(node);
      expect(next?.epoch).toBeGreaterThan(epoch);
    }
    const changes = [ann, bob].flatMap(({ heard }) => heard.flatMap(({ change = [] }) => change));
    expect(changes.filter((change) => change.startsWith('leave'))).toEqual([]);
    expect(changes.some((change) => change === 'move ann')).toBe(true);
    demo.signal('SIGINT');
    expect(await demo.exit()).toBe(0);
  });

  it('says what is missing if there is no Redis', async () => {
    const path = fileURLToPath(new URL('../../../../examples/scale-out/main.mjs', import.meta.url));
    const demo = new Program(process.execPath, [path], { PORT: '0', REDIS_PATH: '/nowhere/redis' });
    closers.push(() => demo.end());
    expect(await demo.exit()).toBe(1);
    expect(demo.errors).toContain('apt-get install redis-server');
  });
});
