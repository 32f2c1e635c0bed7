// Real reverse proxies that cut what is idle for 5 s. Without beats they cut; with beats they do not.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloseRecord, ReconnectingWebSocket, type ReconnectOptions } from '@wirebeat/client';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  IDLE,
  isMissing,
  LIMIT,
  PING_INTERVAL,
  PONGS,
  PROXIES,
  SPAN,
  startIdleProxy,
} from './idle-span.ts';

const CHATTER = 1_000; // ms between two messages of one who only talks
const CHATTING = 2 * IDLE;

/** A server that answers nothing; `attachHeartbeat` makes one of it that answers beats. */
async function startServer({ onTestFinished }: TestContext): Promise<WebSocketServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  return server;
}

const portOf = (server: WebSocketServer): number => (server.address() as AddressInfo).port;

interface Told {
  readonly name: string;
  readonly cause: CloseRecord | undefined;
}

/** A connection by the proxy, open, and what it has told since. */
async function open(context: TestContext, port: number, options: ReconnectOptions) {
  const settings = { WebSocket, maxAttempts: 0, ...options };
  const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}/`, [], settings);
  context.onTestFinished(() => socket.close());
  const told: Told[] = [];
  for (const name of ['pong', 'dead', 'close', 'giveup'] as const) {
    socket.addEventListener(name, (event) => {
      const { detail } = event as CustomEvent<{ cause?: CloseRecord } | undefined>;
      told.push({ name, cause: detail?.cause });
    });
  }
  await once(socket, 'open');
  return { socket, told };
}

describe.concurrent.each(PROXIES)('%s', (name) => {
  it.skipIf(isMissing(name))(
    'carries an idle connection that beats',
    { timeout: LIMIT },
    async (context) => {
      const server = await startServer(context);
      const heartbeat = attachHeartbeat(server);
      const proxy = await startIdleProxy(context, name, portOf(server));
      const { socket, told } = await open(context, proxy.port, { pingInterval: PING_INTERVAL });
      await sleep(SPAN);
      expect(socket.readyState).toBe(socket.OPEN);
      expect(new Set(told.map((fact) => fact.name))).toEqual(new Set(['pong']));
      expect(told.length).toBeGreaterThanOrEqual(PONGS);
      expect(heartbeat.connections.size).toBe(1);
    },
  );

  it.skipIf(isMissing(name))('cuts the same connection without beats', async (context) => {
    const server = await startServer(context);
    const proxy = await startIdleProxy(context, name, portOf(server));
    const { socket, told } = await open(context, proxy.port, { pingInterval: false });
    await once(socket, 'giveup');
    expect(told.map((fact) => fact.name)).toEqual(['close', 'giveup']);
    const { cause } = told[1] as Told;
    expect(cause).toMatchObject({ reason: 'abnormal', code: 1006 });
    expect(cause?.age).toBeGreaterThanOrEqual(IDLE - 1_000);
  });

  // The documentation of nginx speaks of the server alone.
  it.skipIf(isMissing(name))('counts what goes in either direction', async (context) => {
    const server = await startServer(context);
    const proxy = await startIdleProxy(context, name, portOf(server));
    const { socket: talker } = await open(context, proxy.port, { pingInterval: false });
    const { socket: listener } = await open(context, proxy.port, { pingInterval: false });
    const [, far] = [...server.clients];
    const chatter = setInterval(() => {
      talker.send('anybody there?');
      far?.send('nobody answers');
    }, CHATTER);
    context.onTestFinished(() => clearInterval(chatter));
    await sleep(CHATTING);
    expect([talker.readyState, listener.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  });
});
