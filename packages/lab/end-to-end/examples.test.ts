// The examples with a server each, as processes of their own: a client beats, and they end in good order.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { Program } from '../programs/program.ts';

const EXAMPLES = new URL('../../../examples/', import.meta.url);

async function start(name: string): Promise<{ program: Program; url: string }> {
  const path = fileURLToPath(new URL(`${name}/server.mjs`, EXAMPLES));
  const program = new Program(process.execPath, [path], { PORT: '0' });
  return { program, url: await program.prints(/http:\S+/) };
}

/** A client that has heard a pong. */
async function beat(url: string): Promise<ReconnectingWebSocket> {
  const socket = new ReconnectingWebSocket(url.replace('http:', 'ws:'), [], { maxAttempts: 0 });
  await once(socket, 'pong');
  expect(socket.latency).toBeGreaterThanOrEqual(0);
  return socket;
}

describe.each([
  ['http', ''],
  ['express', ''],
  ['fastify', '/live'],
])('the example %s', (name, path) => {
  it('serves pages, echoes, beats, and ends in good order at SIGTERM', async () => {
    const { program, url } = await start(name);
    try {
      expect(await (await fetch(url)).text()).toBe('pages\n');
      const socket = await beat(`${url}${path}`);
      const [echo, closed] = [once(socket, 'message'), once(socket, 'close')];
      socket.send('hello');
      expect(String(((await echo)[0] as MessageEvent).data)).toBe('hello');
      program.signal('SIGTERM');
      expect(((await closed)[0] as CloseEvent).code).toBe(1012);
      expect(await program.exit()).toBe(0);
      expect(program.errors).toBe('');
    } finally {
      await program.end();
    }
  });
});

describe('the example metrics', () => {
  it('shows what its alerts and its dashboard ask for', async () => {
    const { program, url } = await start('metrics');
    try {
      const socket = await beat(url);
      const shown = await (await fetch(`${url}/metrics`)).text();
      expect(shown).toMatch(/^wirebeat_connections\{status="alive"\} 1$/m);
      const files = ['alerts.yml', 'dashboard.json', 'fleet-dashboard.json'].map((file) => {
        return `metrics/${file}`;
      });
      const texts = files.map((file) => readFileSync(new URL(file, EXAMPLES), 'utf8'));
      const asked = new Set(texts.join('\n').match(/\bwirebeat_\w+/g));
      expect(asked.size).toBeGreaterThan(3);
      for (const name of asked) {
        const metric = name.replace(/_bucket$/, '');
        expect(shown, name).toContain(`# TYPE ${metric} `);
      }
      socket.close();
    } finally {
      await program.end();
    }
  });
});
