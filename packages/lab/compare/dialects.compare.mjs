// What does a heartbeat add to the official client of another protocol, against the same server?
//
// All connections are idle and in one process. The process is blocked for ten seconds, and connections
// that the client closes then are false deaths. Then all links are cut silently.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat } from '@wirebeat/client';
import { engineIo, graphql, keepAlive, mqtt, trpc } from '@wirebeat/core/dialects';
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { WebSocket } from 'ws';
import { CLIENTS } from '../dialects/clients.mjs';
import { conclude } from './conclusion.mjs';
import { pause } from './silent-cut.mjs';
import { amount, IS_TRIAL } from './trial.mjs';

const CONNECTIONS = amount(20, 2);
const BLOCKED = amount(10_000, 1_000);
const SETTLED = amount(10_000, 1_000);
const LIMIT = amount(120_000, 10_000);
const PROGRAM = fileURLToPath(new URL('../dialects/servers.mjs', import.meta.url));
/** The defaults of Engine.IO. The keep-alive of subscriptions-transport-ws, off by default, gets the same. */
const SERVER = { INTERVAL: '25000', TIMEOUT: '20000' };
const FAST = { pingInterval: 5_000, pingTimeout: 5_000 };

const SUBJECTS = [
  { name: 'graphql-ws', server: 'graphql', client: 'graphql', dialect: graphql },
  { name: 'subscriptions-transport-ws', server: 'ka', client: 'ka', dialect: keepAlive() },
  { name: 'tRPC', server: 'trpc', client: 'trpc', dialect: trpc },
  { name: 'socket.io-client', server: 'socketIo', client: 'socketIo', dialect: engineIo },
  { name: 'MQTT.js', server: 'aedes', client: 'mqtt', dialect: mqtt },
];

async function startServer({ server }) {
  const child = spawn(process.execPath, [PROGRAM, server], {
    env: { ...process.env, ...SERVER },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return TcpProxy.listen({ to: Number(/\d+/.exec(line)[0]) });
}

/** Connects clients over sockets that note when they end. `options` are those of their heartbeats. */
async function connect({ client, dialect }, proxy, options) {
  const first = [];
  const measured = [];
  class NotingSocket extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      this.on('error', () => {});
      if (first.length === CONNECTIONS) return; // a client that has reconnected
      const note = { endedAt: undefined };
      first.push(note);
      const end = () => (note.endedAt ??= performance.now());
      const { close } = this;
      this.close = (...args) => {
        end(); // the client has given up, although its `close` event may come much later
        close.apply(this, args);
      };
      this.once('close', end);
      if (options === undefined) return;
      const heartbeat = attachHeartbeat(this, { ...options, dialect });
      heartbeat.on('pong', ({ latency }) => measured.push(latency));
      heartbeat.on('dead', end);
    }
  }
  const clients = [];
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const connected = await CLIENTS[client](`ws://127.0.0.1:${proxy.port}/`, NotingSocket);
    await connected.echo('hello');
    clients.push(connected);
  }
  return { first, measured };
}

const rows = [];
for (const subject of SUBJECTS) {
  const proxy = await startServer(subject);
  const add = async (name, options) => {
    rows.push({ subject, name, proxy, ...(await connect(subject, proxy, options)) });
  };
  await add(subject.name);
  await add(`${subject.name} and wirebeat`, {});
  if (!subject.dialect.client.asks) continue; // its server decides how often something comes
  await add(
    `${subject.name} and wirebeat with \`pingInterval: 5_000\`, \`pingTimeout: 5_000\``,
    FAST,
  );
}
await pause(SETTLED);
const blockedUntil = performance.now() + BLOCKED;
while (performance.now() < blockedUntil); // blocks
await pause(SETTLED);
for (const row of rows) {
  row.falseDeaths = row.first.filter(({ endedAt }) => endedAt !== undefined).length;
}
const cutAt = performance.now();
for (const { proxy } of rows) proxy.cut();
await pause(LIMIT);

const figures = rows.map(({ name, first, measured, falseDeaths }) => {
  const times = first
    .filter(({ endedAt }) => endedAt === undefined || endedAt > cutAt)
    .map(({ endedAt = Number.POSITIVE_INFINITY }) => endedAt - cutAt)
    .sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  return { name, median, worst: times.at(-1), falseDeaths, hasLatency: measured.length > 0 };
});
const inSeconds = (time = Number.NaN) =>
  time <= LIMIT ? `${(time / 1_000).toFixed(1)} s` : `> ${LIMIT / 1_000} s`;
const ours = figures.filter(({ name }) => name.includes('wirebeat'));
conclude('dialects', {
  heads: [`${CONNECTIONS} connections each`, 'median', 'worst', 'false deaths', 'latency'],
  rows: figures.map(({ name, median, worst, falseDeaths, hasLatency }) => [
    name,
    inSeconds(median),
    inSeconds(worst),
    falseDeaths,
    hasLatency ? 'yes' : 'no',
  ]),
  demands: [
    [ours.every(({ falseDeaths }) => falseDeaths === 0), 'no false death with wirebeat'],
    [IS_TRIAL || ours.every(({ worst }) => worst <= 60_000), 'every cut is known within a minute'],
  ],
  packages: [
    'graphql-ws',
    'subscriptions-transport-ws',
    '@trpc/client',
    'socket.io-client',
    'mqtt',
    'aedes',
  ],
});
