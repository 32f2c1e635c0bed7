import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** The address that it says, once it serves. */
async function addressOf(serving: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of serving.stdout ?? []) {
    said += chunk;
    const [address] = /http:\S+/.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`it ended: ${said}`);
}

it('serves the page, its script and an echo', async () => {
  const script = fileURLToPath(new URL('../serve.mjs', import.meta.url));
  const env = { ...process.env, PORT: '0' };
  const serving = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(serving, 'exit');
  onTestFinished(async () => {
    serving.kill();
    await ended;
  });
  const address = await addressOf(serving);
  const html = await (await fetch(address)).text();
  const [, path = ''] = /<script type="module" src="([^"]+)"/.exec(html) ?? [];
  const code = await (await fetch(new URL(path, address))).text();
  expect(code).toContain('useSyncExternalStore');
  expect(code).toContain('connection lost');
  const socket = new WebSocket(new URL('socket', address.replace('http', 'ws')));
  await once(socket, 'open');
  socket.send('hello');
  const [data] = await once(socket, 'message');
  expect(String(data)).toBe('hello');
  socket.terminate();
}, 300_000);
