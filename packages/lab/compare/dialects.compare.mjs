// What does a heartbeat add to the official client of another protocol, against the same server?
//
// All connections are idle and in one process. The process is blocked for ten seconds, and connections
// that the client closes then are false deaths. Then all links are cut silently.
import { attachHeartbeat } from '@wirebeat/client';
import { lacksServer, RealServer } from '@wirebeat/lab/dialects/real-server';
import { SUBJECTS } from '@wirebeat/lab/dialects/subjects';
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
/** The defaults of Engine.IO. The keep-alive of subscriptions-transport-ws, off by default, gets the same. */
const SERVER_TIMING = { interval: 25_000, timeout: 20_000 };
const FAST = { pingInterval: 5_000, pingTimeout: 5_000 };

/** The silence after which `keepAlive()` ends a connection by default. */
const MAX_SILENCE = 30_000;

/** The official clients, by the title of what they are connected to. */
const CLIENTS_OF = {
  'graphql-ws': { name: 'graphql-ws' },
  'subscriptions-transport-ws': { name: 'subscriptions-transport-ws' },
  tRPC: { name: 'tRPC' },
  'Socket.IO': { name: 'socket.io-client' },
  'aedes, MQTT': { name: 'MQTT.js' },
  'nats-server': { name: 'nats.ws' },
  'RabbitMQ, STOMP': {
    name: '@stomp/stompjs',
    options: { heartBeat: [10_000, 10_000] }, // its defaults
    patience: '`heartbeatToleranceMultiplier: 1_000`',
  },
  'Action Cable': { name: '@rails/actioncable', patience: '`staleThreshold: 1_000`' },
};
const COMPARED = Object.entries(CLIENTS_OF).map(([title, client]) => ({
  ...SUBJECTS.find((subject) => subject.title === title),
  ...client,
}));

async function startServer({ server, port = 'ws' }) {
  const { ports } = await RealServer.start(server, SERVER_TIMING);
  return TcpProxy.listen({ to: ports[port] });
}

/** Connects clients over sockets that note when they end. `options` are those of their heartbeats. */
async function connect({ client, path = '/', dialect, options: ofClient }, proxy, options) {
  const sockets = []; // and those of clients that have reconnected
  const measured = [];
  class NotingSocket extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols);
      this.on('error', () => {});
      const note = { isOpen: false, endedAt: undefined };
      sockets.push(note);
      this.once('open', () => {
        note.isOpen = true;
      });
      const end = () => (note.endedAt ??= performance.now());
      const { close } = this;
      this.close = (...args) => {
        end(); // the client has given up, although its `close` event may come much later
        close.apply(this, args);
      };
      this.once('close', end);
      if (options === undefined) return;
      const heartbeat = attachHeartbeat(this, { ...options, dialect: dialect(MAX_SILENCE) });
      heartbeat.on('pong', ({ latency }) => measured.push(latency));
      heartbeat.on('dead', end);
    }
  }
  const clients = [];
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const url = `ws://127.0.0.1:${proxy.port}${path}`;
    const connected = await CLIENTS[client](url, NotingSocket, ofClient);
    await connected.echo('hello');
    clients.push(connected);
  }
  return { sockets, measured };
}

const rows = [];
for (const subject of COMPARED) {
  if (lacksServer(subject.server)) {
    console.log(`SKIPPED: ${subject.name}, for its server is missing`);
    continue;
  }
  const proxy = await startServer(subject);
  const add = async (name, options, ofClient) => {
    const one = { ...subject, options: { ...subject.options, ...ofClient } };
    rows.push({ subject, name, proxy, ...(await connect(one, proxy, options)) });
  };
  await add(subject.name);
  const { patience } = subject; // of a client that would end the connection before the heartbeat can
  if (patience) await add(`${subject.name} and wirebeat with ${patience}`, {}, { isPatient: true });
  else await add(`${subject.name} and wirebeat`, {});
  if (!subject.asks) continue; // its server decides how often something comes
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
  const opened = row.sockets.filter(({ isOpen }) => isOpen);
  row.cut = opened.filter(({ endedAt }) => endedAt === undefined);
  row.falseDeaths = opened.length - row.cut.length;
}
const cutAt = performance.now();
for (const { proxy } of rows) proxy.cut();
await pause(LIMIT);

const figures = rows.map(({ name, cut, measured, falseDeaths }) => {
  const times = cut
    .map(({ endedAt = Number.POSITIVE_INFINITY }) => endedAt - cutAt)
    .sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  return { name, median, worst: times.at(-1), falseDeaths, hasLatency: measured.length > 0 };
});
const inSeconds = (time) => {
  if (time === undefined) return '–'; // no connection was left to cut
  return time <= LIMIT ? `${(time / 1_000).toFixed(1)} s` : `> ${LIMIT / 1_000} s`;
};
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
    'nats.ws',
    '@stomp/stompjs',
    '@rails/actioncable',
  ],
});
