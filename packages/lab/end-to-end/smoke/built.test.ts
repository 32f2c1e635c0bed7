// What is published, as a program without a bundler finds it. It must have been built: `npm run build`.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import * as source from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { MS } from '../allowance.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Runs a program in plain Node. Resolves to what it printed, read as JSON. */
async function run(type: 'module' | 'commonjs', program: string): Promise<unknown> {
  const options = { cwd: here, timeout: 20_000 * MS };
  const args = [`--input-type=${type}`, '--eval', program];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
  // Node 20 says that require() of a module is an experiment.
  expect(stderr.replace(/.*ExperimentalWarning[^\n]*\n.*--trace-warnings[^\n]*\n/, '')).toBe('');
  return JSON.parse(stdout);
}

/** A server and a client that have measured each other; both are closed then. */
const MEET = `
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
  const accepted = attachToServer(server);
  const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
  const heartbeat = attachHeartbeat(socket);
  await new Promise((resolve) => heartbeat.once('pong', resolve));
  const [connection] = accepted.connections.values();
  const latencies = await Promise.all([
    heartbeat.ping(),
    connection.ping({ tier: 'application' }),
    connection.ping({ tier: 'transport' }),
  ]);
  console.log(JSON.stringify(latencies.map((latency) => latency > 0)));
  socket.close();
  server.close();
});
`;

describe.concurrent('the packages as they are built', () => {
  it('are imported by plain Node, and work', async () => {
    const program = `
      import { attachHeartbeat } from '@wirebeat/client';
      import { attachHeartbeat as attachToServer } from '@wirebeat/server';
      import { WebSocket, WebSocketServer } from 'ws';
      ${MEET}`;
    expect(await run('module', program)).toEqual([true, true, true]);
  });

  it('are required by plain Node, and work', async () => {
    const program = `
      const { attachHeartbeat } = require('@wirebeat/client');
      const { attachHeartbeat: attachToServer } = require('@wirebeat/server');
      const { WebSocket, WebSocketServer } = require('ws');
      ${MEET}`;
    expect(await run('commonjs', program)).toEqual([true, true, true]);
  });

  it('share one core: its errors are the same classes everywhere', async () => {
    const program = `
      import * as core from '@wirebeat/core';
      import * as client from '@wirebeat/client';
      import * as server from '@wirebeat/server';
      import { fakeSocketPair, VirtualScheduler } from '@wirebeat/core/testing';
      import { EventEmitter } from 'node:events';
      const [socket] = fakeSocketPair(new VirtualScheduler());
      const refused = (act) => { try { act(); } catch (error) { return error; } };
      const errors = [
        refused(() => client.attachHeartbeat(socket, { pingInterval: '5s' })),
        refused(() => new client.ReconnectingWebSocket('ws://127.0.0.1', [], { pingInterval: 0 })),
        refused(() => server.attachHeartbeat(new EventEmitter(), { pingInterval: 0 })),
      ];
      const packages = [core, client, server];
      const names = Object.keys(core).filter((name) => name.endsWith('Error'));
      const same = (name) => new Set(packages.map((one) => one[name]).filter(Boolean)).size === 1;
      console.log(JSON.stringify([
        names.filter((name) => !same(name)),
        errors.map((error) => packages.every((one) => error instanceof one.InvalidOptionError)),
      ]));`;
    expect(await run('module', program)).toEqual([[], [true, true, true]]);
  });

  it('use the global class in the build without ws, and say so where there is none', async () => {
    const built = new URL('../../../client/dist/index.native.js', import.meta.url);
    const program = `
      import { WebSocket } from 'undici';
      import { ReconnectingWebSocket } from '${built}';
      const tried = (options) => {
        try {
          new ReconnectingWebSocket('ws://127.0.0.1:9', [], options).close();
          return 'dialled';
        } catch (error) {
          return error.message;
        }
      };
      delete globalThis.WebSocket;
      const without = [tried(), tried({ WebSocket: (url) => new WebSocket(url) })];
      globalThis.WebSocket = WebSocket;
      console.log(JSON.stringify([...without, tried()]));`;
    expect(await run('module', program)).toEqual([
      'Expected `WebSocket` to be given, for this runtime has none, got `undefined` (undefined)',
      'dialled',
      'dialled',
    ]);
  });

  it('have only codes and fields in the errors of a page in production', async () => {
    const url = new URL('../../../client/dist/wirebeat.js', import.meta.url);
    const { attachHeartbeat } = (await import(url.href)) as typeof source;
    const attach = (options: object) => () => attachHeartbeat(new EventTarget() as never, options);
    expect(attach({ pingInterval: -1 })).toThrow(
      expect.objectContaining({
        name: 'InvalidOptionError',
        code: 'ERR_INVALID_OPTION',
        message: 'ERR_INVALID_OPTION: pingInterval',
        option: 'pingInterval',
        value: -1,
      }),
    );
    expect(readFileSync(url, 'utf8')).not.toContain('known options are');
  });

  it('give a page that has no bundler one global, `wirebeat`, with all that is exported', () => {
    const url = new URL('../../../client/dist/wirebeat-client.min.js', import.meta.url);
    const page: { wirebeat?: object } = createContext({ Event, EventTarget });
    const before = Object.keys(page);
    runInContext(readFileSync(url, 'utf8'), page);
    expect(Object.keys(page)).toEqual([...before, 'wirebeat']);
    const names = Object.keys(page.wirebeat ?? {}).filter((name) => name !== '__esModule');
    expect(names.sort()).toEqual(Object.keys(source).sort());
  });

  it('know a beat in the Buffer of another realm', async () => {
    const url = new URL('../../../client/dist/wirebeat-client.min.js', import.meta.url);
    const { performance } = globalThis;
    const timers = { setTimeout, clearTimeout, performance };
    type Realm = { wirebeat: typeof source; Uint8Array: Uint8ArrayConstructor };
    const realm = createContext({ Event, EventTarget, ...timers }) as Realm;
    runInContext(readFileSync(url, 'utf8'), realm);
    expect(runInContext('Uint8Array', realm)).not.toBe(Uint8Array);
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (peer) => {
      peer.on('message', (data) => peer.send(String(data).replace('\u0005', '\u0006')));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const heartbeat = realm.wirebeat.attachHeartbeat(socket, { lifecycle: false });
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    await once(socket, 'open');
    await heartbeat.ping();
    socket.send('echo');
    await once(socket, 'message');
    expect(heard).toEqual(['echo']);
    socket.terminate();
    server.close();
  });

  it('give a module script of a page one file that imports nothing, with all that is exported', async () => {
    const url = new URL('../../../client/dist/wirebeat.js', import.meta.url);
    expect(/\bimport\s*[{*("']|\bfrom\s*["']/.test(readFileSync(url, 'utf8'))).toBe(false);
    expect(Object.keys(await import(url.href)).sort()).toEqual(Object.keys(source).sort());
  });
});
