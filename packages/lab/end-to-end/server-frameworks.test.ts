// The programs of docs/how-to/server-frameworks.md, each as a process of its own: a client beats, and the
// server answers it and pings it.
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../programs/free-port.ts';
import { Program } from '../programs/program.ts';

const PAGE = new URL('../../../docs/how-to/server-frameworks.md', import.meta.url);
const PROGRAM = /^## (.+)$(?:(?!^## )[\s\S])*?^```js tested\n([\s\S]*?)^```$/gm;
const PROGRAMS = [...readFileSync(PAGE, 'utf8').matchAll(PROGRAM)].map(
  ([, name = '', code = '']) => [name, code] as const,
);

// In the lab, so that imports resolve to what is installed there.
const BUILD = fileURLToPath(new URL('../build/', import.meta.url));
mkdirSync(BUILD, { recursive: true });
const folder = mkdtempSync(join(BUILD, 'frameworks-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the recipes for server frameworks', () => {
  it('are six', () => {
    const names = ['Express', 'express-ws', 'Koa', 'Fastify', 'Hono on Node', 'NestJS'];
    expect(PROGRAMS.map(([name]) => name)).toEqual(names);
  });

  it.each(PROGRAMS)('beat: %s', async (name, code) => {
    const port = await freePort();
    const file = join(folder, `${name.replaceAll(' ', '-')}.mjs`);
    writeFileSync(file, code.replaceAll('8080', String(port)));
    const program = new Program(process.execPath, [file], {});
    try {
      await program.listens(port);
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      const texts: string[] = [];
      let pings = 0;
      socket.on('message', (data) => texts.push(String(data)));
      socket.on('ping', () => {
        pings += 1;
      });
      await once(socket, 'open');
      socket.send('\u0005wb');
      socket.send('hello');
      await expect.poll(() => texts).toEqual(expect.arrayContaining(['\u0006wb', 'hello']));
      await expect.poll(() => pings).toBe(1); // for a first latency
      socket.terminate();
    } finally {
      await program.end();
    }
  });
});
