// What becomes of the socket of a dead link in Node. For Chromium see `../long`.
import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingWebSocket, type WebSocketConstructor } from '@wirebeat/client';
import { History } from '@wirebeat/client/report';
import { WebSocket as UndiciWebSocket } from 'undici';
import { describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { MS } from '../allowance.ts';
import { FarEnd } from '../long/far-end.ts';
import { countConnections } from '../tcp-connections.ts';

const TIMING = { pingInterval: 1_000, pingTimeout: 1_000 };
const WHILE = 2_000; // in which it would have gone

describe.concurrent('the socket of a dead link', () => {
  it.for([
    ['of `ws` is gone at once', NodeWebSocket, 0],
    ['of undici stays, as no call of its class can end it', UndiciWebSocket, 1],
  ] as const)('%s', async ([, WebSocket, left], { onTestFinished }) => {
    const end = await FarEnd.open();
    onTestFinished(() => end.close());
    const history = new History({ ...TIMING, WebSocket: WebSocket as WebSocketConstructor });
    const socket = new ReconnectingWebSocket(end.url('gone'), [], history.options);
    const happens = (name: string) =>
      new Promise((resolve) => socket.addEventListener(name, resolve, { once: true }));
    const connections = () => countConnections(end.gone.port);
    await happens('pong');
    expect(connections()).toBe(1);
    const dead = happens('dead');
    end.vanish();
    await dead;
    socket.close();
    await expect.poll(connections, { timeout: 5_000 * MS }).toBe(left);
    await sleep(WHILE);
    expect(connections()).toBe(left);
    expect(history.report()).toMatch(left === 0 ? /\b0 sockets left/ : /\b[1-9] sockets? left/);
  });
});
