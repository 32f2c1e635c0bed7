// One of several servers: `node server.mjs`, with PORT and REDIS_URL.
import { attachHeartbeat } from '@wirebeat/server';
import { RedisRegistry } from '@wirebeat/server/redis';
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const { PORT = '8080', NAME = `port ${PORT}`, REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;

const client = createClient({ url: REDIS_URL });
const subscriber = client.duplicate(); // Redis needs a connection of its own for subscriptions
for (const one of [client, subscriber]) one.on('error', () => {}); // it reconnects by itself
await Promise.all([client.connect(), subscriber.connect()]);

const server = new WebSocketServer({ port: Number(PORT), host: '127.0.0.1' });
const heartbeat = attachHeartbeat(server, {
  registry: new RedisRegistry({
    call: (command) => client.sendCommand(command),
    subscribe: (channel, listener) => subscriber.subscribe(channel, listener),
  }),
  session: {
    user: (_socket, request) => new URL(request.url, 'ws://host').searchParams.get('user'),
  },
});
heartbeat.on('error', ({ hook, error }) => console.error(`${NAME}: ${hook}: ${error.message}`));

const tell = (socket, message) => socket.send(JSON.stringify({ node: NAME, ...message }));
server.on('connection', (socket) => {
  socket.on('error', () => {}); // its `close` follows
  tell(socket, { type: 'hello' });
});
heartbeat.on('session', ({ socket, epoch }) => tell(socket, { type: 'session', epoch }));

/** Shows every page who is present, each time that changes. */
async function showPresence() {
  for await (const event of heartbeat.presence.watch()) {
    const users = (await heartbeat.presence.list()).map(({ user }) => user).sort();
    const change = event.type === 'snapshot' ? undefined : `${event.type} ${event.user}`;
    for (const socket of server.clients) tell(socket, { type: 'presence', users, change });
  }
}
heartbeat.on('session', async ({ socket }) => {
  const users = (await heartbeat.presence.list()).map(({ user }) => user).sort();
  tell(socket, { type: 'presence', users });
});
void showPresence();

process.on('SIGTERM', async () => {
  await heartbeat.drain({ within: 500 });
  heartbeat.detach();
  process.exit();
});
server.once('listening', () => process.send?.('listening'));
