// Real sockets on loopback, and a clock that advances only when a test says so.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { ReadyState } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { ServerOptions, WebSocket } from 'ws';
import { TcpProxy } from '../../../lab/faults/tcp-proxy.ts';
import type { GatewayOptions } from '../../src/gateway/index.ts';
import { allowance, atEnd, MS, RawClient } from '../server-side.ts';
import { frameOf, MASK } from './frames.ts';
import { emitted, onlyConnection, openPage, rawUpstream, stage, urlOf } from './gateway-stage.ts';

const TURNS = 12; // of the loop: enough for a message to go to the other end and back

/** Lets time pass so slowly that what is on its way on loopback arrives meanwhile. */
async function pass(scheduler: VirtualScheduler, time: number): Promise<void> {
  for (let passed = 0; passed < time; passed += 250) {
    scheduler.advance(250);
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise(setImmediate);
  }
}

/** Waits until nothing more comes: what is on the way is full. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; count() !== before; ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 100 * MS));
  }
}

/** Takes so many bytes, and then no more. */
function drink(socket: Duplex, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const read = (chunk: Buffer) => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', read).pause();
      resolve();
    };
    socket.on('data', read).resume();
  });
}

type Options = Partial<Omit<GatewayOptions, 'scheduler'>>;

async function virtualStage(options: Options = {}, wsOptions: ServerOptions = {}) {
  const scheduler = new VirtualScheduler();
  const play = await stage({ scheduler, random: () => 0, ...options }, wsOptions);
  return { ...play, scheduler };
}

describe('an upstream that falls silent', () => {
  it('is dead within the bound, and the page receives 4502', async () => {
    const play = await virtualStage({}, { autoPong: false });
    const { page } = await openPage(play);
    const closed = once(page, 'close');
    const { detectionBound } = onlyConnection(play);
    expect(detectionBound).toBe(15_000 + 15_000 + 250 + 750);
    await pass(play.scheduler, detectionBound);
    const [code, text] = await closed;
    expect([code, String(text)]).toEqual([4502, 'upstream-dead']);
    const dead = await emitted(play.events, 'dead');
    expect(dead).toMatchObject({ side: 'upstream', reason: 'ping-timeout' });
    expect(dead.error).toMatchObject({ code: 'ERR_UPSTREAM', kind: 'dead' });
    expect(dead.silentFor).toBeLessThanOrEqual(detectionBound);
    expect(await emitted(play.events, 'end')).toMatchObject({
      reason: 'upstream-dead',
      code: 4502,
    });
    expect(play.scheduler.pending).toBe(0);
  });

  it('is not dead while it answers, even if no message passes for long', async () => {
    const play = await virtualStage();
    const { page, arrived, received } = await openPage(play);
    await pass(play.scheduler, 120_000);
    expect(page.readyState).toBe(ReadyState.Open);
    expect(arrived.entries).toEqual([]);
    expect(received.entries).toEqual([]);
    const { browserLatency, upstreamLatency, speaks } = onlyConnection(play);
    expect([browserLatency, upstreamLatency, speaks]).toEqual([0, 0, false]);
    expect(play.events.entries.map(([name]) => name)).not.toContain('suspect');
  });

  it('is reported before the page detects it: a scheduled Ping came before that of the page', async () => {
    const play = await virtualStage({}, { autoPong: false });
    const { page, far, arrived } = await openPage(play);
    const closed = once(page, 'close');
    far.on('ping', (data) => {
      if (play.scheduler.now() < 20_000) far.pong(data);
    });
    await pass(play.scheduler, 20_000);
    page.send('\u0005wb.late');
    await arrived.find(([, data]) => data === 'wb.late');
    await pass(play.scheduler, 15_500); // less than the 20 s of a client
    expect((await closed)[0]).toBe(4502);
  });

  it('is not the same as a slow one: the page is not read meanwhile, but the upstream stays alive', async () => {
    const play = await virtualStage();
    const { page, far, arrived } = await openPage(play);
    await pass(play.scheduler, 1_000);
    far.pause();
    page.send(Buffer.alloc(48 * 1_048_576));
    await settled(() => onlyConnection(play).bytesFromPage);
    await pass(play.scheduler, 60_000); // twice the bound of one that is not clogged
    expect(play.gateway.connections.size).toBe(1);
    far.resume();
    await arrived.find(([name]) => name === 'binary');
    await pass(play.scheduler, 60_000);
    expect(page.readyState).toBe(ReadyState.Open);
    // It is no excuse for ever: 5 times pingTimeout, as the law has it.
    far.pause();
    page.send(Buffer.alloc(48 * 1_048_576));
    await settled(() => onlyConnection(play).bytesFromPage); // else it still reads while time passes
    const closed = once(page, 'close');
    await pass(play.scheduler, 15_000 + 5 * 15_000 + 2_000);
    expect((await closed)[0]).toBe(4502);
  });

  it('stays alive while it reads a frame so long that no Ping can be sent meanwhile, and no longer', async () => {
    const { url, sockets } = await rawUpstream(); // it answers nothing
    const play = await virtualStage({ upstream: url });
    const client = new RawClient(play);
    const upstream = await sockets.find();
    await emitted(play.events, 'open');
    client.tcp.write(frameOf({ opcode: 2, claimed: 2 ** 40, mask: MASK }));
    const chunk = Buffer.alloc(1_048_576);
    const pour = () => {
      while (client.tcp.write(chunk));
    };
    client.tcp.on('drain', pour);
    pour();
    for (let round = 0; round < 8; round += 1) {
      await drink(upstream, 32 * 1_048_576);
      await pass(play.scheduler, 25_000);
    }
    expect(play.events.entries.map(([name]) => name)).not.toContain('dead');
    await pass(play.scheduler, 15_000 + 5 * 15_000 + 2_000);
    expect(await emitted(play.events, 'dead')).toMatchObject({ side: 'upstream' });
    client.tcp.off('drain', pour);
  });

  it('is not to blame if nothing is read from it because the page reads nothing', async () => {
    const play = await virtualStage();
    const { page, far, arrived } = await openPage(play);
    await emitted(play.events, 'pong', 2);
    page.pause();
    far.send(Buffer.alloc(48 * 1_048_576));
    await settled(() => onlyConnection(play).bytesFromUpstream);
    await pass(play.scheduler, 10_000);
    page.send('still here');
    await arrived.find(([, data]) => data === 'still here');
    await pass(play.scheduler, 25_000); // Pings to the upstream are due meanwhile
    page.terminate();
    expect(await emitted(play.events, 'end')).toMatchObject({ by: 'page', blame: 'page' });
  });

  it('is detected in real time too, behind a connection that is cut', async () => {
    const far = await stage();
    const proxy = await TcpProxy.listen({ to: Number(new URL(urlOf(far.upstream)).port) });
    atEnd(() => proxy.close());
    const timing = { pingInterval: 300 * MS, pingTimeout: 300 * MS };
    const play = await stage({
      upstream: `ws://127.0.0.1:${proxy.port}`,
      upstreamHeartbeat: timing,
    });
    const { page } = await openPage({ ...play, accepted: far.accepted });
    await emitted(play.events, 'pong');
    const { detectionBound } = onlyConnection(play);
    proxy.cut();
    const [code] = await once(page, 'close');
    expect(code).toBe(4502);
    const { silentFor } = await emitted(play.events, 'dead');
    const stalls = play.events.entries.flatMap(([name, event]) =>
      name === 'stall' && event.side === 'upstream' ? [event.lateBy] : [],
    );
    expect(silentFor).toBeLessThanOrEqual(detectionBound + allowance(stalls, timing.pingTimeout));
    // Who dials again is let through.
    const again = await openPage({ ...play, accepted: far.accepted });
    again.page.send('back');
    expect(await again.arrived.find()).toEqual(['text', 'back']);
  });
});

describe('a page', () => {
  it('that is silent with its browser is dead: the upstream sees 1006', async () => {
    const play = await virtualStage();
    new RawClient(play);
    const far = await play.accepted.find();
    const closed = once(far, 'close');
    await pass(play.scheduler, 51_000);
    expect((await closed)[0]).toBe(1006);
    expect(await emitted(play.events, 'dead')).toMatchObject({
      side: 'page',
      reason: 'ping-timeout',
    });
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'page-dead', by: 'gateway' });
  });

  it('is not judged while nothing is read from it, and is judged again after that', async () => {
    const play = await virtualStage();
    let answers = true;
    const onPing = (data: Buffer, its: WebSocket) => answers && its.pong(data);
    const { page, far, arrived } = await openPage(play, { autoPong: false, onPing });
    await emitted(play.events, 'pong', 2);
    far.pause();
    page.send(Buffer.alloc(48 * 1_048_576));
    await settled(() => onlyConnection(play).bytesFromPage);
    answers = false; // nobody would hear it
    await pass(play.scheduler, 60_000);
    expect(play.events.entries.map(([name]) => name)).not.toContain('dead');
    far.resume();
    await arrived.find(([name]) => name === 'binary');
    await pass(play.scheduler, 51_000);
    expect(await emitted(play.events, 'dead')).toMatchObject({ side: 'page' });
  });

  it("is unresponsive even if its browser answers only after the page's deadline", async () => {
    const play = await virtualStage();
    let answers = true;
    const pings: Buffer[] = [];
    const onPing = (data: Buffer, its: WebSocket) => (answers ? its.pong(data) : pings.push(data));
    const { page, received } = await openPage(play, { autoPong: false, onPing });
    page.on('message', (data) => answers && page.send(`\u0006${String(data).slice(1)}`));
    page.send('\u0005wb.1;v=1');
    await received.find(([, data]) => data === '\u0006wb.1');
    await emitted(play.events, 'pong', 3);
    answers = false;
    await pass(play.scheduler, 49_000); // the page was asked at 27 s, its browser at 30 s
    expect(play.events.entries.map(([name]) => name)).not.toContain('unresponsive');
    page.pong(pings.at(-1));
    expect(await emitted(play.events, 'unresponsive')).toBeDefined();
    expect(play.events.entries.map(([name]) => name)).not.toContain('dead');
  });

  it('that hangs while its browser answers is unresponsive, stays open, and may recover', async () => {
    const play = await virtualStage();
    const { page, received } = await openPage(play);
    let hangs = false;
    page.on('message', (data) => {
      const text = String(data);
      if (!hangs && text.startsWith('\u0005wb')) page.send(`\u0006${text.slice(1)}`);
    });
    page.send('\u0005wb.1;v=1');
    await received.find(([, data]) => data === '\u0006wb.1');
    await emitted(play.events, 'pong', 3); // of both layers, and of the page
    hangs = true;
    await pass(play.scheduler, 60_000);
    const { silentFor } = await emitted(play.events, 'unresponsive');
    expect(silentFor).toBeGreaterThan(20_000);
    expect(onlyConnection(play).isResponsive).toBe(false);
    expect(play.gateway.status()).toMatchObject({ speaking: 1, unresponsive: 1 });
    expect(page.readyState).toBe(ReadyState.Open);
    page.send('\u0005wb');
    await emitted(play.events, 'responsive');
    expect(onlyConnection(play).isResponsive).toBe(true);
  });

  it('is closed with 3008 if it is unresponsive and the option says so', async () => {
    const play = await virtualStage({ whenUnresponsive: 'terminate' });
    const { page, received } = await openPage(play);
    page.once('message', (data) => page.send(`\u0006${String(data).slice(1)}`));
    page.send('\u0005wb.1;v=1');
    await received.find(([, data]) => data === '\u0006wb.1');
    const closed = once(page, 'close');
    await pass(play.scheduler, 60_000);
    expect((await closed)[0]).toBe(3008);
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'unresponsive' });
  });

  it('receives the advertised timing with the answer to its first ping', async () => {
    const play = await virtualStage({ advertise: { pingInterval: 8_000 } });
    const { page, received } = await openPage(play);
    page.send('\u0005wb.1;v=1;clock=1');
    const [, pong] = await received.find(([, data]) => data.startsWith('\u0006wb.1'));
    expect(pong.slice(1)).toMatch(/^wb\.1;pingInterval=8000;received=\d+;sent=\d+$/);
  });

  it('that floods with pings is closed with 1008, and the others are not', async () => {
    const play = await virtualStage({ pingLimit: { burst: 10 } });
    const bystander = await openPage(play);
    const flooder = new RawClient(play);
    await emitted(play.events, 'open', 2);
    const ping = frameOf({ opcode: 1, payload: '\u0005wb', mask: MASK });
    flooder.tcp.write(Buffer.concat(new Array(1_000).fill(ping)));
    const { payload } = await flooder.frames.find(({ opcode }) => opcode === 8);
    expect(payload.readUInt16BE()).toBe(1008);
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'flood', code: 1008 });
    bystander.page.send('still here');
    expect(await bystander.arrived.find()).toEqual(['text', 'still here']);
  });
});

describe('an upstream that judges its pages itself', () => {
  it('receives the Pongs of the browser, not of the gateway', async () => {
    const play = await virtualStage();
    const browser = await openPage(play, { autoPong: false });
    browser.far.ping('are you there');
    await browser.received.find(([name]) => name === 'ping');
    browser.far.send('after it');
    await browser.received.find(([name]) => name === 'text');
    expect(browser.arrived.entries).toEqual([]);
    browser.page.pong('are you there');
    expect(await browser.arrived.find()).toEqual(['pong', 'are you there']);
  });

  it('receives the Pongs of the gateway if endToEnd is off, and pages are answered by it', async () => {
    const play = await virtualStage({ endToEnd: false }, { autoPong: false });
    const { page, far, received, arrived } = await openPage(play, { autoPong: false });
    far.ping('are you there');
    expect(await arrived.find()).toEqual(['pong', 'are you there']);
    page.ping('and you');
    expect(await received.find()).toEqual(['pong', 'and you']);
    page.send('\u0005wb.7');
    await received.find(([, data]) => data === '\u0006wb.7;by=gateway');
    page.send('\u0005wb');
    await received.find(([, data]) => data === '\u0006wb'); // which a peer may wait for
    expect(arrived.entries).toEqual([['pong', 'are you there']]);
  });
});
