import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/client';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { atEnd, Log, MS } from '../server-side.ts';
import { heard, openPage, stage } from './gateway-stage.ts';

describe('drain of a gateway', () => {
  it('closes pages one after the other, each with its hint, tells upstreams 1001, and resolves', async () => {
    const play = await stage();
    const closed: Log<[code: number, text: string, at: number]> = new Log();
    const left: Log<number> = new Log();
    const hints: (number | undefined)[] = [];
    const start = performance.now();
    for (let count = 0; count < 8; count += 1) {
      const { page, far } = await openPage(play);
      const heartbeat = attachHeartbeat(page);
      atEnd(() => heartbeat.detach());
      await heartbeat.ping();
      far.once('close', (code) => left.push(code));
      page.once('close', (code, text) => {
        hints.push(heartbeat.retryAfter);
        closed.push([code, String(text), performance.now() - start]);
      });
    }
    const done = play.gateway.drain({ within: 500 * MS, retryAfter: 1_234 });
    expect(play.gateway.status().state).toBe('draining');
    const late = new WebSocket(`ws://127.0.0.1:${play.port}/`);
    late.on('error', () => {});
    const [, response] = await once(late, 'unexpected-response');
    late.terminate();
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    await done;
    await closed.find(() => true, 8);
    await left.find(() => true, 8);
    expect(new Set(closed.entries.map(([code, text]) => `${code} ${text}`))).toEqual(
      new Set(['1012 service restart; retryAfter=1234']),
    );
    expect(new Set(hints)).toEqual(new Set([1_234]));
    expect(new Set(left.entries)).toEqual(new Set([1001]));
    const times = closed.entries.map(([, , at]) => at);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(250 * MS);
    const { state, open, counters } = play.gateway.status();
    expect([state, open, counters.ended.drain]).toEqual(['closed', 0, 8]);
    await expect(fetch(`http://127.0.0.1:${play.port}/`)).rejects.toThrow();
  });

  it('of none resolves at once, and twice is once', async () => {
    const play = await stage();
    await Promise.all([play.gateway.drain(), play.gateway.drain()]);
    expect(play.gateway.status().state).toBe('closed');
    await expect(play.gateway.drain({ within: -1 })).rejects.toMatchObject({ option: 'within' });
  });

  it('is done when the last has closed, and waits for nothing then', async () => {
    const scheduler = new VirtualScheduler();
    const play = await stage({ scheduler, random: () => 0 });
    const { page } = await openPage(play);
    const done = play.gateway.drain({ within: 60_000 });
    scheduler.advance(1);
    expect((await once(page, 'close'))[0]).toBe(1012);
    await done;
    expect(scheduler.now()).toBe(1);
  });

  it('drops who does not close in time', async () => {
    const play = await stage();
    const { page } = await openPage(play);
    page.pause(); // so it reads no Close frame, and answers none
    const start = performance.now();
    await play.gateway.drain({ within: 10 });
    expect(await heard(play.told, 'end')).toMatchObject({ reason: 'drain', code: 1012 });
    expect(performance.now() - start).toBeLessThan(30_000 * MS);
  });
});
