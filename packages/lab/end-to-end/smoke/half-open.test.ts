// The link dies and nobody says so: no FIN, no RST, and what is sent is accepted for ever.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingWebSocket, type WebSocketConstructor } from '@wirebeat/client';
import { attachHeartbeat, type ServerHeartbeat } from '@wirebeat/server';
import { WebSocket as UndiciWebSocket } from 'undici';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';

// A standby would take the link over before it is found dead.
const CLIENT = { pingInterval: 1_000, pingTimeout: 1_000, makeBeforeBreak: false };
const SERVER = { pingInterval: 1_200, pingTimeout: 1_000 };

interface Happening {
  readonly name: string;
  readonly at: number;
  readonly detail: { readonly [name: string]: unknown };
}

/** What one side has met, in order. Its stalls are kept apart. */
class Diary {
  readonly happenings: Happening[] = [];
  readonly stalls: number[] = [];

  note(name: string, detail: object = {}): void {
    const { lateBy } = detail as { lateBy?: number };
    if (name === 'stall') this.stalls.push(lateBy ?? 0);
    else this.happenings.push({ name, at: performance.now(), detail: { ...detail } });
  }

  get names(): string[] {
    return this.happenings.map(({ name }) => name);
  }

  /** The first of that name. */
  first(name: string): Happening {
    const happening = this.happenings.find((other) => other.name === name);
    if (happening === undefined) throw new Error(`never: ${name}`);
    return happening;
  }
}

/** How long this process was kept from running: the machine may be busy with other things. */
class LostTime {
  readonly #resolution = 10;
  readonly #ticks = monitorEventLoopDelay({ resolution: this.#resolution });
  #startedAt = 0;

  start(): void {
    this.#startedAt = performance.now();
    this.#ticks.enable();
  }

  stop(): number {
    this.#ticks.disable();
    return performance.now() - this.#startedAt - this.#ticks.count * this.#resolution;
  }
}

interface Accepted {
  readonly heartbeat: ServerHeartbeat<NodeWebSocket>;
  readonly server: WebSocketServer;
  readonly diary: Diary;
  readonly port: number;
}

/** An echo. */
async function startServer({ onTestFinished }: TestContext): Promise<Accepted> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heartbeat = attachHeartbeat(server, SERVER);
  const diary = new Diary();
  for (const name of ['dead', 'end', 'stall'] as const) {
    heartbeat.on(name, ({ socket: _, connection: __, ...event }) => diary.note(name, event));
  }
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(`echo ${data}`));
  });
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { server, heartbeat, diary, port: (server.address() as AddressInfo).port };
}

async function startProxy({ onTestFinished }: TestContext, to: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.listen({ to });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Dials by each of the proxies in turn, and by the last for ever. */
function open(
  { onTestFinished }: TestContext,
  WebSocket: WebSocketConstructor,
  proxies: readonly TcpProxy[],
) {
  const urls = proxies.map(({ port }) => `ws://127.0.0.1:${port}/`);
  const [first = ''] = urls;
  class Dialling extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super((urls.length > 1 ? urls.shift() : urls[0]) ?? url, protocols);
    }
  }
  const socket = new ReconnectingWebSocket(first, [], { ...CLIENT, WebSocket: Dialling });
  onTestFinished(() => socket.close());
  const diary = new Diary();
  for (const name of ['open', 'dead', 'retry', 'giveup', 'error', 'stall'] as const) {
    socket.addEventListener(name, (event) => diary.note(name, (event as CustomEvent).detail ?? {}));
  }
  socket.addEventListener('close', ({ code }) => diary.note('close', { code }));
  socket.addEventListener('message', ({ data }) => diary.note(`message ${data}`));
  return { socket, diary };
}

const classes: [string, WebSocketConstructor][] = [
  ['ws', NodeWebSocket],
  ['undici', UndiciWebSocket],
];

describe.concurrent.each(classes)('a link that is cut silently, with %s', (_, WebSocket) => {
  it('is dead within the bound, left at once, and replaced; the server ends it too', async (context) => {
    const { heartbeat, diary: server, port } = await startServer(context);
    const proxy = await startProxy(context, port);
    const { socket, diary: client } = open(context, WebSocket, [proxy]);
    await once(socket, 'pong');
    const bound = socket.detectionBound ?? 0;
    const [old] = heartbeat.connections.values();
    const serverBound = old?.detectionBound ?? 0;
    expect([bound, serverBound]).toEqual([3_000, 3_230]);

    const meanwhile = new LostTime();
    socket.addEventListener('dead', () => meanwhile.start(), { once: true });
    proxy.cut();
    socket.send('into the void');
    await once(socket, 'open');
    const lost = meanwhile.stop();
    socket.send('here again');
    await once(socket, 'message');
    expect(client.names).toEqual([
      'open',
      'dead',
      'close',
      'retry',
      'open',
      'message echo here again',
    ]);
    const { at: deadAt, detail: dead } = client.first('dead');
    expect(dead['silentFor']).toBeGreaterThanOrEqual(CLIENT.pingTimeout);
    expect(dead['silentFor']).toBeLessThanOrEqual(
      bound + allowance(client.stalls, CLIENT.pingTimeout),
    );
    expect(client.first('close').detail['code']).toBe(3008);
    const delay = Number(client.first('retry').detail['delay']);
    expect(delay).toBeLessThan(500);
    const openedAt = client.happenings.findLast(({ name }) => name === 'open')?.at ?? 0;
    expect(openedAt - deadAt).toBeLessThanOrEqual(delay + 500 * MS + lost);

    // The server ends the old connection too, once, and nothing of it reaches the new one.
    while (!server.names.includes('end')) await once(socket, 'pong');
    expect(server.names).toEqual(['dead', 'end']);
    expect(server.first('end').detail['reason']).toBe('ping-timeout');
    expect(server.first('dead').detail['silentFor']).toBeLessThanOrEqual(
      serverBound + allowance(server.stalls, SERVER.pingTimeout),
    );
    await once(socket, 'pong');
    expect(heartbeat.connections.size).toBe(1);
    expect(server.names).toHaveLength(2);
    expect(client.names).toHaveLength(6);
    expect(socket.readyState).toBe(socket.OPEN);
  });

  it('changes nothing when it comes to life again, with all that was sent into it', async (context) => {
    const { server: sockets, diary: server, heartbeat, port } = await startServer(context);
    const [first, second] = [await startProxy(context, port), await startProxy(context, port)];
    const { socket, diary: client } = open(context, WebSocket, [first, second]);
    await once(socket, 'pong');
    first.freeze();
    for (const old of sockets.clients) for (const text of ['late', '\u0005wb.late']) old.send(text);
    socket.send('also late');
    await once(socket, 'open');
    expect(client.names).toEqual(['open', 'dead', 'close', 'retry', 'open']);

    first.resume();
    socket.send('here');
    await once(socket, 'message');
    await sleep(500 * MS); // the late bytes arrive, and the old socket's end
    expect(client.names.slice(5)).toEqual(['message echo here']);
    expect(socket.readyState).toBe(socket.OPEN);
    expect(await socket.ping()).toBeLessThan(CLIENT.pingTimeout);
    expect(server.names.filter((name) => name === 'end')).toHaveLength(1);
    expect(heartbeat.connections.size).toBe(1);
  });
});
