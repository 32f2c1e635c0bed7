// A page in a real Chromium, real reverse proxies that cut what is idle for 5 s, the gateway, and behind it
// a server that need not know of any of this.
import { setTimeout as sleep } from 'node:timers/promises';
import { createGateway, type Gateway } from '@wirebeat/server/gateway';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MS } from '../allowance.ts';
import { type Fact, LifeStage, until } from '../life-stage.ts';
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

/** A page that only waits; with a heartbeat or without. */
const page = (heartbeat: string) => `
const socket = new WebSocket(url);
${heartbeat}
for (const name of ['open', 'close']) socket.addEventListener(name, ({ code }) => note(name, code));
`;
const BEATING = page(`
const heartbeat = wirebeat.attachHeartbeat(socket, { pingInterval: ${PING_INTERVAL} });
for (const name of ['pong', 'dead']) heartbeat.on(name, () => note(name));
`);
const SILENT = page('');

const all = (facts: readonly Fact[], name: string) => facts.filter(([, what]) => what === name);

let stage: LifeStage;
let gateway: Gateway;
let to: number;

beforeAll(async () => {
  stage = await LifeStage.launch();
  gateway = createGateway({ upstream: `ws://127.0.0.1:${stage.port}` });
  to = (await gateway.listen({ port: 0, host: '127.0.0.1' })).port;
});
afterAll(async () => {
  await gateway?.close();
  await stage?.close();
});

describe.concurrent.each(PROXIES)('a page behind %s', (name) => {
  it.skipIf(isMissing(name))('lives idle when it beats', { timeout: LIMIT }, async (context) => {
    const { port } = await startIdleProxy(context, name, to);
    const { facts, heard } = await stage.visit(context, { code: BEATING, port });
    await sleep(SPAN);
    const told = await facts();
    for (const what of ['close', 'dead']) expect(all(told, what)).toEqual([]);
    expect(all(told, 'pong').length).toBeGreaterThanOrEqual(PONGS);
    expect(heard).toHaveLength(1);
  });

  it.skipIf(isMissing(name))('is cut when it does not', async (context) => {
    const { port } = await startIdleProxy(context, name, to);
    const { facts, heard } = await stage.visit(context, { code: SILENT, port });
    await until(() => heard[0]?.length === 1, 60_000 * MS);
    await sleep(500 * MS);
    const told = await facts();
    const [[openAt] = [0]] = all(told, 'open');
    const [[closedAt, , code] = [0]] = all(told, 'close');
    expect(code).toBe(1006);
    expect(closedAt - openAt).toBeGreaterThanOrEqual(IDLE - 1_000);
  });
});
