// The server of a soak, in a separate process. It identifies each client by its path and checks the
// invariants.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { worstOf } from '@wirebeat/lab/fleet/allowance';
import { obey, settings, tell } from '@wirebeat/lab/fleet/parent';
import { attachHeartbeat } from '@wirebeat/server';
import { type WebSocket, WebSocketServer } from 'ws';
import { Invariants } from './invariants.ts';
import { sampleMemory } from './sample-memory.ts';
import { TIMING } from './timing.ts';

/** What the server reports each second. */
export interface ServerState {
  readonly connections: number;
  readonly deaths: number;
  readonly ends: number;
}

interface Connection {
  readonly client: string;
  readonly number: number;
  stalls: number[];
}

const LOOK = 250;
const { without } = settings<{ without?: string }>();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4_096 });
const invariants = new Invariants();
const known = new Map<WebSocket, Connection>();
const session = without === 'session' ? ({ session: false } as const) : {};
const heartbeat = attachHeartbeat(server, {
  advertise: TIMING,
  pingTimeout: TIMING.pingTimeout,
  ...session,
});
let accepted = 0;
let deaths = 0;
let ends = 0;

server.on('connection', (socket, { url = '' }) => {
  accepted += 1;
  const connection: Connection = { client: url, number: accepted, stalls: [] };
  known.set(socket, connection);
  invariants.opened(connection.client, connection.number);
  socket.on('error', () => {});
  socket.on('close', () => {
    known.delete(socket);
    invariants.ended(connection.client, connection.number);
  });
  socket.on('message', (data) => {
    invariants.arrived(connection.client, connection.number, Number(data));
  });
});
heartbeat.on('ping', ({ socket, tier }) => {
  // The first application ping follows the client's own first ping.
  const connection = known.get(socket);
  if (tier === 'application' && connection) invariants.spoke(connection.client, connection.number);
});
heartbeat.on('stall', ({ socket, lateBy }) => {
  const connection = known.get(socket);
  if (connection) connection.stalls = worstOf([...connection.stalls, lateBy]);
});
heartbeat.on('dead', ({ socket, connection, silentFor, reason }) => {
  deaths += 1;
  if (reason === 'ping-timeout') judge(socket, silentFor, connection.detectionBound);
});
heartbeat.on('end', ({ socket, reason }) => {
  ends += 1;
  const connection = known.get(socket);
  if (connection && reason !== 'closed') invariants.ended(connection.client, connection.number);
});

function judge(socket: WebSocket, silentFor: number, detectionBound: number): void {
  const connection = known.get(socket);
  if (connection === undefined) return;
  const { client, stalls } = connection;
  const { pingTimeout } = TIMING;
  invariants.silent({ client, silentFor, detectionBound, pingTimeout, stalls });
}

// Peers that are never declared dead have a bound too, on `performance.now()` as the heartbeats use it.
// A check that is late itself leaves the verdict to the next.
let lookedAt = performance.now();
setInterval(() => {
  const now = performance.now();
  const isLate = now - lookedAt > 2 * LOOK;
  lookedAt = now;
  if (isLate) return;
  for (const [socket, { lastReceived, detectionBound }] of heartbeat.connections) {
    judge(socket, now - lastReceived, detectionBound);
  }
}, LOOK);

obey({
  state: (): ServerState => ({ connections: heartbeat.connections.size, deaths, ends }),
  memory: sampleMemory,
  missing: (sent: Record<string, number>) => invariants.missing(sent),
  finish(sent: Record<string, number>) {
    invariants.finish(sent);
    const { violations, repeats, messages } = invariants;
    return { violations, repeats, messages };
  },
});
await once(server, 'listening');
tell('listening', undefined, { port: (server.address() as AddressInfo).port });
