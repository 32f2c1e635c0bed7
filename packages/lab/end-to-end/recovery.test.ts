// A silent cut, with no option on either side: how long until a message arrives again?
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { TcpProxy } from '../faults/tcp-proxy.ts';

const PERIOD = 1_000; // between two messages
const CUTS = 6;
const SETTLED = 3_000;
/** From the cut, with any phase of the messages. */
const LIMIT = 3_000;
/** A run that took so long has failed, whatever the machine was busy with. */
const GIVE_UP = 15_000;

/** One client that sends a number a second through a proxy of its own, and when each of them arrived. */
class Speaker {
  readonly proxy: TcpProxy;
  readonly sent: number[] = [];
  readonly arrivals: Map<number, number> = new Map();
  readonly #server: WebSocketServer;
  readonly #socket: ReconnectingWebSocket;
  readonly #timer: NodeJS.Timeout;

  private constructor(server: WebSocketServer, proxy: TcpProxy) {
    this.proxy = proxy;
    this.#server = server;
    this.#socket = new ReconnectingWebSocket(`ws://127.0.0.1:${proxy.port}`);
    this.#timer = setInterval(() => {
      this.sent.push(performance.now());
      this.#socket.send(String(this.sent.length - 1));
    }, PERIOD);
  }

  static async start(withHeartbeat: boolean): Promise<Speaker> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    if (withHeartbeat) attachHeartbeat(server);
    await once(server, 'listening');
    const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
    const speaker = new Speaker(server, proxy);
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data) => {
        const text = String(data);
        // The whole duty of a server without wirebeat: docs/protocol.md.
        if (text.startsWith('\u0005wb')) socket.send(`\u0006${text.slice(1)}`);
        else speaker.arrivals.set(Number(text), performance.now());
      });
    });
    return speaker;
  }

  /** Cuts the link and resolves to how long it takes until a message that was sent after it arrives. */
  async recover(): Promise<number> {
    const cutAt = performance.now();
    this.proxy.cut();
    while (performance.now() < cutAt + GIVE_UP) {
      const next = this.sent.findIndex((at, index) => at > cutAt && this.arrivals.has(index));
      if (next >= 0) return (this.arrivals.get(next) ?? 0) - cutAt;
      await sleep(5);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The longest that a message was on its way, or late to be sent. */
  get delay(): number {
    const delays = this.sent.map((at, index) => {
      const due = (this.sent[0] ?? 0) + index * PERIOD;
      return Math.max(at - due, (this.arrivals.get(index) ?? at) - at);
    });
    return Math.max(0, ...delays);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#socket.close();
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await this.proxy.close();
  }
}

async function start(withHeartbeat: boolean, { onTestFinished }: TestContext): Promise<Speaker> {
  const speaker = await Speaker.start(withHeartbeat);
  onTestFinished(() => speaker.end());
  return speaker;
}

describe('a silent cut, with no option on either side and a message a second', () => {
  it.for([
    ['wirebeat', true],
    ['a server of its own that answers pings', false],
  ] as const)(
    'is over within 3 s, towards %s',
    { timeout: 60_000 },
    async ([, isOurs], context) => {
      const control = await start(isOurs, context); // its link is left alone
      const times = Array.from({ length: CUTS }, async (_, index) => {
        await sleep((index * PERIOD) / CUTS); // all phases
        const speaker = await start(isOurs, context);
        await sleep(SETTLED + ((index * 997) % PERIOD));
        return speaker.recover();
      });
      const worst = Math.max(...(await Promise.all(times)));
      // A machine that is busy delays each of the steps: the timers, the dialling, the pings.
      expect(worst).toBeLessThanOrEqual(LIMIT + 10 * control.delay);
    },
  );
});
