import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../../src/attach.ts';
import { exportMetrics } from '../../src/metrics/prometheus.ts';

describe('a server with a heartbeat', () => {
  it('publishes on node:diagnostics_channel and in its metrics what happens on its connections', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const heartbeat = attachHeartbeat(server, { jitter: 0 }); // its next ping is far off
    const registry = new Registry();
    exportMetrics(heartbeat, { registry });
    const seen: [name: string | symbol, message: unknown][] = [];
    const listener = (message: unknown, name: string | symbol) => seen.push([name, message]);
    const names = ['ping', 'pong', 'end'].map((name) => `wirebeat:server:${name}`);
    for (const name of names) subscribe(name, listener);
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [[socket]] = await Promise.all([
      once(server, 'connection'),
      once(heartbeat as never, 'pong'),
    ]);
    client.close();
    await once(heartbeat as never, 'end');
    for (const name of names) unsubscribe(name, listener);
    // The channels are those of the whole process, which may have servers of other tests.
    const own = seen.filter(([, message]) => (message as { socket: unknown }).socket === socket);
    expect(own.map(([name]) => name)).toEqual(names);
    expect(own[1]?.[1]).toMatchObject({ tier: 'transport', latency: expect.any(Number) });
    const text = await registry.metrics();
    expect(text).toContain('wirebeat_pongs_total{tier="transport"} 1');
    expect(text).toContain('wirebeat_ends_total{reason="closed"} 1');
    server.close();
  });
});
