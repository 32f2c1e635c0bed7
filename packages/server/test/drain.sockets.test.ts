import { once } from 'node:events';
import { attachHeartbeat as attachToClient } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { atEnd, connect, Log, MS, serve } from './server-side.ts';

describe('drain', () => {
  it('closes real clients one after the other, each with its hint, and resolves', async () => {
    const stage = await serve();
    const closed: Log<[code: number, text: string, at: number]> = new Log();
    const hints: (number | undefined)[] = [];
    const start = performance.now();
    for (let count = 0; count < 10; count += 1) {
      const { client } = await connect(stage);
      const heartbeat = attachToClient(client);
      atEnd(() => heartbeat.detach());
      client.once('close', (code, text) => {
        hints.push(heartbeat.retryAfter);
        closed.push([code, String(text), performance.now() - start]);
      });
    }
    await stage.pongs.find((tier) => tier === 'application', 10);
    const done = stage.heartbeat.drain({ within: 500 * MS, retryAfter: 1_234 });
    const { client: late } = await connect(stage);
    const [code] = await once(late, 'close');
    expect(code).toBe(1012);
    await done;
    await closed.find(() => true, 10);
    expect(stage.server.clients.size).toBe(0);
    expect(new Set(closed.entries.map(([its]) => its))).toEqual(new Set([1012]));
    expect(new Set(closed.entries.map(([, text]) => text))).toEqual(
      new Set(['service restart; retryAfter=1234']),
    );
    expect(new Set(hints)).toEqual(new Set([1_234]));
    const times = closed.entries.map(([, , at]) => at);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300 * MS);
  });
});
