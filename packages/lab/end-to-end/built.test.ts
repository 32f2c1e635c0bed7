// What is published, as plain Node takes it.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const here = new URL('.', import.meta.url);

/** Runs a program from this folder, with a limit; resolves to what it printed. */
async function node(type: 'module' | 'commonjs', program: string): Promise<string> {
  const args = [`--input-type=${type}`, '--eval', program];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: here, timeout: 20_000 });
  expect(stderr).toBe('');
  return stdout.trim();
}

/** Opens and closes fifty of each side, and prints what keeps the process running at the end. */
const LIFE = `
import { once } from 'node:events';
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat as serve } from '@wirebeat/server';
import { WebSocket, WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const heartbeat = serve(server);
const url = 'ws://127.0.0.1:' + server.address().port;
const sockets = Array.from({ length: 50 }, () => new ReconnectingWebSocket(url));
await Promise.all(sockets.map((socket) => once(socket, 'pong')));
const plain = new WebSocket(url);
const attached = attachHeartbeat(plain);
await once(plain, 'open');
await attached.ping();
attached.detach();
plain.close();
await Promise.all(sockets.map((socket) => { socket.close(); return once(socket, 'close'); }));
await once(plain, 'close');
while (server.clients.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
heartbeat.detach();
server.close();
process.once('beforeExit', () => console.log(JSON.stringify(process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap')))); // its own output
`;

/** A server whose only guest never leaves: its timers must not keep the process running. */
const IDLE = `
import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocket, WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
attachHeartbeat(server);
const guest = new WebSocket('ws://127.0.0.1:' + server.address().port);
const [socket] = await once(server, 'connection');
server.close();
socket._socket.unref();
guest._socket?.unref() ?? guest.once('open', () => guest._socket.unref());
`;

describe('the built packages', () => {
  it('are imported, and agree on what an error is', async () => {
    const program = `
      import { InvalidOptionError } from '@wirebeat/core';
      import { attachHeartbeat, InvalidOptionError as OfClient } from '@wirebeat/client';
      import { InvalidOptionError as OfServer } from '@wirebeat/server';
      import { VirtualScheduler, fakeSocketPair } from '@wirebeat/core/testing';
      const [socket] = fakeSocketPair(new VirtualScheduler());
      try { attachHeartbeat(socket, { pingInterval: '5s' }) } catch (error) {
        console.log(error instanceof InvalidOptionError, OfClient === InvalidOptionError, OfServer === OfClient);
      }`;
    expect(await node('module', program)).toBe('true true true');
  });

  it('are required too', async () => {
    const program = "console.log(typeof require('@wirebeat/client').attachHeartbeat)";
    expect(await node('commonjs', program)).toBe('function');
  });

  it('leave neither timer nor socket behind', async () => {
    expect(await node('module', LIFE)).toBe('[]');
  });

  it('keep no process running by the timers of a server', async () => {
    expect(await node('module', IDLE)).toBe('');
  });

  it('have a script for a page that defines one global and no more', () => {
    const file = new URL('../../client/dist/wirebeat-client.min.js', import.meta.url);
    const page = createContext({ Event, EventTarget });
    const before = Object.keys(page);
    runInContext(readFileSync(file, 'utf8'), page);
    expect(Object.keys(page)).toEqual([...before, 'wirebeat']);
    expect(typeof page['wirebeat'].attachHeartbeat).toBe('function');
  });
});
