// Under an official client that pings by itself, a heartbeat can do without pings of its own.
import { attachHeartbeat, type SocketHeartbeat } from '@wirebeat/client';
import { mqtt, observing } from '@wirebeat/core/dialects';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { CLIENTS } from '../../dialects/clients.mjs';
import { RealServer } from '../../dialects/real-server.ts';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';

/** In seconds. MQTT.js itself waits for half of it for an answer, which is twice as long as the heartbeat. */
const KEEP_ALIVE = 2 * MS;
const TIMING = { pingInterval: 100 * MS, pingTimeout: 500 * MS };
const SLACK = 1_000 * MS;
const PINGREQ = Buffer.from([0xc0, 0]);

it('times the pings of MQTT.js, adds none, and notices one that is not answered', async () => {
  const server = await RealServer.start('aedes');
  onTestFinished(() => server.end());
  const proxy = await TcpProxy.listen({ to: server.port });
  onTestFinished(() => proxy.close());
  const heartbeats: SocketHeartbeat[] = [];
  const stalls: number[] = [];
  let byClient = 0;
  let pongs = 0;
  let bytes = 0; // of the pings on the wire, by whomever
  class WatchedSocket extends WebSocket {
    constructor(address: string, protocols?: string | string[]) {
      super(address, protocols);
      const { send } = this;
      this.send = (data: never, ...rest: never[]) => {
        if (PINGREQ.equals(data)) bytes += 2; // below the heartbeat, which is attached afterwards
        Reflect.apply(send, this, [data, ...rest]);
      };
      const heartbeat = attachHeartbeat(this as never, { ...TIMING, dialect: observing(mqtt) });
      heartbeat.on('pong', () => (pongs += 1));
      heartbeat.on('stall', ({ lateBy }) => stalls.push(lateBy));
      const watched = this.send;
      this.send = (data: never, ...rest: never[]) => {
        if (PINGREQ.equals(data)) byClient += 1;
        Reflect.apply(watched, this, [data, ...rest]);
      };
      heartbeats.push(heartbeat);
    }
  }
  const options = { keepAlive: KEEP_ALIVE };
  const client = await CLIENTS.mqtt(`ws://127.0.0.1:${proxy.port}`, WatchedSocket, options);
  onTestFinished(() => void client.end());
  expect(await client.echo('hello')).toBe('hello');
  await expect.poll(() => pongs, { timeout: 20_000 * MS }).toBeGreaterThanOrEqual(3);
  const heartbeat = heartbeats[0] as SocketHeartbeat;
  expect(heartbeat.latency).toBeGreaterThan(0);
  expect(heartbeat.status).toBe('alive');
  expect(byClient).toBeGreaterThanOrEqual(3);
  expect(bytes).toBe(2 * byClient);
  expect(heartbeats).toHaveLength(1);

  const dead: { silentFor: number }[] = [];
  heartbeat.on('dead', (event) => dead.push(event));
  proxy.cut();
  await expect.poll(() => dead.length, { timeout: 20_000 * MS }).toBe(1);
  const bound = KEEP_ALIVE * 1_000 + TIMING.pingTimeout + SLACK;
  expect(dead[0]?.silentFor).toBeLessThanOrEqual(bound + allowance(stalls, TIMING.pingTimeout));
  expect(await client.echo('again')).toBe('again');
});
