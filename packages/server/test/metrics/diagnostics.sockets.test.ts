import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../../src/attach.ts';
import { exportMetrics } from '../../src/metrics/prometheus.ts';

describe('a server with a heartbeat', () => {
  it('tells by node:diagnostics_channel and in its metrics what happens on its connections', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const heartbeat = attachHeartbeat(server);
    const registry = new Registry();
    exportMetrics(heartbeat, { registry });
    const told: [name: string | symbol, message: unknown][] = [];
    const listener = (message: unknown, name: string | symbol) => told.push([name, message]);
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
    expect(told.map(([name]) => name)).toEqual(names);
    expect(told[1]?.[1]).toMatchObject({ tier: 'transport', latency: expect.any(Number), socket });
    const text = await registry.metrics();
    expect(text).toContain('wirebeat_pongs_total{tier="transport"} 1');
    expect(text).toContain('wirebeat_ends_total{reason="closed"} 1');
    server.close();
  });
});
