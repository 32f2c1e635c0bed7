// One server of a soak with several, in a separate process.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { obey, settings, tell } from '@wirebeat/lab/fleet/parent';
import { attachHeartbeat } from '@wirebeat/server';
import { RedisRegistry } from '@wirebeat/server/redis';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLIENTS } from '../redis/redis-clients.ts';
import { writeArrival } from './arrivals.ts';
import { REGISTRY_TIMING, sharedNow, TIMING } from './timing.ts';

const { port, redis, client, arrivals } = settings<{
  port: number;
  redis: number;
  client: string;
  arrivals: string;
}>();
const READ_PERIOD = 250;

const connect = CLIENTS[client];
if (connect === undefined) throw new Error(`there is no client ${client}`);
const { call, subscribe } = await connect(redis);
const server = new WebSocketServer({ port, host: '127.0.0.1', backlog: 4_096 });
const pathOf = new WeakMap<WebSocket, string>();
const heartbeat = attachHeartbeat(server, {
  advertise: TIMING,
  pingTimeout: TIMING.pingTimeout,
  registry: new RedisRegistry({ call, subscribe, ...REGISTRY_TIMING }),
  // Two clients are one user.
  session: { user: (_, request) => `user ${Math.floor(Number(request?.url?.slice(1)) / 2)}` },
});
heartbeat.on('error', () => {}); // Redis is often away
for (const name of ['isolated', 'rejoined', 'reaped'] as const) {
  heartbeat.on(name, (event) => tell(name, undefined, event));
}

/** Says that a connection is current, if its application would be told so at this moment. */
function read(socket: WebSocket): void {
  const epoch = heartbeat.get(socket)?.epoch;
  const path = pathOf.get(socket);
  if (epoch !== undefined && path !== undefined) tell('current', path, { epoch, at: sharedNow() });
}

server.on('connection', (socket, { url = '' }) => {
  pathOf.set(socket, url);
  socket.on('error', () => {});
  socket.on('message', (data) => {
    writeArrival(arrivals, url, Number(data));
    read(socket);
  });
});
heartbeat.on('session', ({ socket }) => read(socket));
heartbeat.on('end', ({ socket, connection, reason }) => {
  const { detectionBound: bound } = connection;
  tell('ended', pathOf.get(socket), { reason, bound, at: sharedNow() });
});
heartbeat.on('registry', ({ operation, outcome }) => {
  if (operation === 'renew' && outcome === 'ok') tell('renewed', undefined, { at: sharedNow() });
});
setInterval(() => {
  const at = sharedNow();
  const epochs: [client: string, epoch: number][] = [];
  for (const [socket, { epoch }] of heartbeat.connections) {
    if (epoch !== undefined) epochs.push([pathOf.get(socket) ?? '', epoch]);
  }
  tell('epochs', undefined, { at, epochs });
}, READ_PERIOD);

void (async () => {
  for await (const event of heartbeat.presence.watch()) {
    const users = event.type === 'snapshot' ? event.users.map(({ user }) => user) : undefined;
    tell('presence', undefined, { ...event, ...(users && { users }), at: sharedNow() });
  }
})();

obey({
  state: () => ({
    connections: heartbeat.connections.size,
    current: [...heartbeat.connections.values()].filter(({ epoch }) => epoch !== undefined).length,
    bound: heartbeat.presence.presenceBound,
  }),
  drain: (given: { within: number }) => heartbeat.drain(given),
});
await once(server, 'listening');
tell('listening', undefined, { port: (server.address() as AddressInfo).port });
