// The clients of a fleet, in a separate process. Each dials its own path, by which the server
// identifies it.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  attachHeartbeat,
  ReconnectingWebSocket,
  type ReconnectOptions,
  type SocketHeartbeat,
} from '@wirebeat/client';
import { WebSocket } from 'ws';
import { Lateness } from './lateness.ts';
import { obey, settings, tell } from './parent.ts';
import { TurnScheduler } from './turn-scheduler.ts';

/** Settings of the clients. */
export interface ClientSettings {
  /**
   * `plain`: only answer protocol Pings; `speaking`: have a heartbeat; `mixed`: alternately one of
   * each; `reconnecting`: reconnect.
   */
  readonly kind: 'plain' | 'speaking' | 'mixed' | 'reconnecting';
  readonly port: number;
  readonly count: number;
  /** Prefix of their paths. */
  readonly name: string;
  /** Time in ms over which they dial first. */
  readonly within: number;
  readonly options?: Pick<ReconnectOptions, 'pingInterval' | 'pingTimeout'>;
  /** Whether they use no random numbers, so that staggered actions happen at once. */
  readonly isInStep?: boolean;
}

const { kind, port, count, name, within, options, isInStep } = settings<ClientSettings>();
const lateness = new Lateness();
const scheduler = new TurnScheduler();
const sockets: { send(text: string): void; close(): void }[] = [];
const heartbeats: SocketHeartbeat[] = [];

function dial(url: string, path: string): WebSocket {
  tell('dialled', path, { due: performance.timeOrigin + scheduler.due });
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  return socket;
}

function open(index: number): void {
  const path = `/${name}/${index}`;
  const url = `ws://127.0.0.1:${port}${path}`;
  if (kind === 'reconnecting') return void sockets.push(reconnecting(url, path));
  const socket = dial(url, path);
  sockets.push(socket);
  socket.on('open', () => tell('opened', path));
  socket.on('close', (code) => tell('closed', path, { code }));
  if (kind === 'plain' || (kind === 'mixed' && index % 2 === 0)) return;
  const heartbeat = attachHeartbeat(socket, options);
  heartbeat.on('dead', () => tell('dead', path));
  heartbeats.push(heartbeat);
}

function reconnecting(url: string, path: string): ReconnectingWebSocket {
  const socket = new ReconnectingWebSocket(url, undefined, {
    ...options,
    scheduler,
    ...(isInStep && { random: () => 0 }),
    WebSocket: () => dial(url, path) as never,
  });
  socket.addEventListener('open', () => tell('opened', path));
  socket.addEventListener('close', ({ code }) => tell('closed', path, { code }));
  socket.addEventListener('retry', ({ detail: { delay } }) => tell('retry', path, { delay }));
  socket.addEventListener('pong', () => tell('answered', path), { once: true });
  return socket;
}

/** Time in ms between two pings of one client: a shorter one would be a flood. */
const MEASURE_PERIOD = 250;

/** Resolves to the latencies of `samples` pings by each client, one after the other. */
async function measure({ samples }: { readonly samples: number }): Promise<number[]> {
  const latencies: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    for (const heartbeat of heartbeats) {
      const start = performance.now();
      await heartbeat.ping();
      latencies.push(performance.now() - start);
      await sleep(MEASURE_PERIOD / heartbeats.length);
    }
  }
  return latencies;
}

obey({
  measure,
  lateness: () => lateness.take(),
  send() {
    for (const socket of sockets) socket.send('here');
  },
  close() {
    for (const socket of sockets) socket.close();
  },
});

for (let index = 0; index < count; index += 1) {
  setTimeout(() => open(index), (index / count) * within);
}
