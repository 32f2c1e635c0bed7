import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/client';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { atEnd, Log, MS } from '../server-side.ts';
import { emitted, openPage, stage } from './gateway-stage.ts';

describe('drain of a gateway', () => {
  it('closes pages one after the other, each with its hint, sends upstreams 1001, and resolves', async () => {
    // The time of the gateway is virtual, so that no load of the machine moves one close to the next.
    const scheduler = new VirtualScheduler();
    const play = await stage({ scheduler, random: () => 0.5 });
    const closed: Log<[code: number, text: string, at: number]> = new Log();
    const left: Log<number> = new Log();
    const hints: (number | undefined)[] = [];
    for (let count = 0; count < 8; count += 1) {
      const { page, far } = await openPage(play);
      const heartbeat = attachHeartbeat(page);
      atEnd(() => heartbeat.detach());
      await heartbeat.ping();
      far.once('close', (code) => left.push(code));
      page.once('close', (code, text) => {
        hints.push(heartbeat.retryAfter);
        closed.push([code, String(text), scheduler.now() - start]);
      });
    }
    const start = scheduler.now();
    const done = play.gateway.drain({ within: 8_000, retryAfter: 1_234 });
    expect(play.gateway.status().state).toBe('draining');
    const late = new WebSocket(`ws://127.0.0.1:${play.port}/`);
    late.on('error', () => {});
    const [, response] = await once(late, 'unexpected-response');
    late.terminate();
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    for (let count = 1; count <= 8; count += 1) {
      scheduler.advance(1_000);
      await closed.find(() => true, count);
    }
    await done;
    await left.find(() => true, 8);
    expect(new Set(closed.entries.map(([code, text]) => `${code} ${text}`))).toEqual(
      new Set(['1012 service restart; retryAfter=1234']),
    );
    expect(new Set(hints)).toEqual(new Set([1_234]));
    expect(new Set(left.entries)).toEqual(new Set([1001]));
    const times = closed.entries.map(([, , at]) => at);
    expect(times).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]);
    const { state, open, counters } = play.gateway.status();
    expect([state, open, counters.ended.drain]).toEqual(['closed', 0, 8]);
    await expect(fetch(`http://127.0.0.1:${play.port}/`)).rejects.toThrow();
  });

  it('resolves at once without connections, and a second call returns the same', async () => {
    const play = await stage();
    await Promise.all([play.gateway.drain(), play.gateway.drain()]);
    expect(play.gateway.status().state).toBe('closed');
    await expect(play.gateway.drain({ within: -1 })).rejects.toMatchObject({ option: 'within' });
  });

  it('resolves when the last connection has closed, and leaves no timer', async () => {
    const scheduler = new VirtualScheduler();
    const play = await stage({ scheduler, random: () => 0 });
    const { page } = await openPage(play);
    const done = play.gateway.drain({ within: 60_000 });
    scheduler.advance(1);
    expect((await once(page, 'close'))[0]).toBe(1012);
    await done;
    expect(scheduler.now()).toBe(1);
  });

  it('drops connections that do not close in time', async () => {
    const play = await stage();
    const { page } = await openPage(play);
    page.pause(); // so it reads no Close frame, and answers none
    const start = performance.now();
    await play.gateway.drain({ within: 10 });
    expect(await emitted(play.events, 'end')).toMatchObject({ reason: 'drain', code: 1012 });
    expect(performance.now() - start).toBeLessThan(30_000 * MS);
  });
});
