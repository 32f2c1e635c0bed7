// What becomes of sockets whose link is dead: Chromium waits a minute for the closing handshake that
// does not come. Then they are gone, from the heap of the page and from the kernel.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MS } from '../allowance.ts';
import { LifeStage } from '../life-stage.ts';
import { countConnections } from '../tcp-connections.ts';
import { FarEnd } from './far-end.ts';

const SOCKETS = 20;
const HANDSHAKE = 60_000; // of Chromium, as measured

const codeOf = (url: string) => `
const timing = { pingInterval: 1_000, pingTimeout: 1_000 };
let [opened, dead] = [0, 0];
for (let index = 0; index < ${SOCKETS}; index += 1) {
  if (index % 2 === 0) {
    const heartbeat = wirebeat.attachHeartbeat(new WebSocket('${url}'), timing);
    heartbeat.once('pong', () => (opened += 1));
    heartbeat.once('dead', () => (dead += 1));
  } else {
    const socket = new wirebeat.ReconnectingWebSocket('${url}', [], timing);
    socket.addEventListener('pong', () => (opened += 1), { once: true });
    socket.addEventListener('dead', () => {
      dead += 1;
      socket.close();
    });
  }
}
`;

/** How many objects there are of a class of the page, when those have gone that may. */
async function countObjects(cdp: CDPSession, name: string): Promise<number> {
  const of = { objectGroup: 'count' };
  const { result } = await cdp.send('Runtime.evaluate', { expression: `${name}.prototype`, ...of });
  const prototypeObjectId = result.objectId as string;
  const { objects } = await cdp.send('Runtime.queryObjects', { prototypeObjectId, ...of });
  const { result: length } = await cdp.send('Runtime.callFunctionOn', {
    objectId: objects.objectId as string,
    functionDeclaration: 'function () { return this.length; }',
  });
  await cdp.send('Runtime.releaseObjectGroup', of);
  return length.value;
}

let stage: LifeStage;

beforeAll(async () => {
  stage = await LifeStage.launch();
});
afterAll(() => stage?.close());

describe('the sockets of dead links', () => {
  it('stay for the minute that Chromium gives them, and no longer', async (context) => {
    const end = await FarEnd.open();
    context.onTestFinished(() => end.close());
    const { page, cdp } = await stage.visit(context, { code: codeOf(end.url('gone')) });
    const have = (name: string) => page.waitForFunction(`${name} === ${SOCKETS}`, { polling: 100 });
    const socketsOf = (name: string) => () => countObjects(cdp, name);
    const connections = () => countConnections(end.gone.port);
    const soon = { timeout: 5_000 * MS };
    await have('opened');
    expect(await socketsOf('wirebeat.ReconnectingWebSocket')()).toBe(SOCKETS / 2);
    expect(connections()).toBe(SOCKETS);
    end.vanish();
    await have('dead');
    await expect.poll(socketsOf('wirebeat.ReconnectingWebSocket'), soon).toBe(0);
    expect(await socketsOf('WebSocket')()).toBeGreaterThanOrEqual(SOCKETS);
    expect(connections()).toBeGreaterThanOrEqual(SOCKETS);
    await sleep(HANDSHAKE);
    await expect.poll(connections, soon).toBe(0);
    await expect.poll(socketsOf('WebSocket'), soon).toBe(0);
  });
});
