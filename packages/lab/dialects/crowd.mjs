// Many connections of an official client in one process, each with a heartbeat in its dialect. Prints a
// line of JSON for each fact, and blocks for the number of ms that it reads from a line.
//
//   node crowd.mjs CLIENT URL COUNT PING_INTERVAL PING_TIMEOUT MAX_SILENCE
import { createInterface } from 'node:readline';
import { attachHeartbeat } from '@wirebeat/client';
import * as dialects from '@wirebeat/core/dialects';
import { WebSocket } from 'ws';
import { CLIENTS } from './clients.mjs';

const [name, url, count, ...durations] = process.argv.slice(2);
const [pingInterval, pingTimeout, maxSilence] = durations.map(Number);
const DIALECTS = {
  graphql: dialects.graphql,
  ka: dialects.keepAlive({ maxSilence }),
  trpc: dialects.trpc,
  engineIo: dialects.engineIo,
  socketIo: dialects.engineIo,
  mqtt: dialects.mqtt,
  stomp: dialects.stomp,
  nats: dialects.nats,
  cable: dialects.actionCable,
};

const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);

const heartbeats = new Set();

class WatchedSocket extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols);
    const dialect = DIALECTS[name];
    const heartbeat = attachHeartbeat(this, { dialect, pingInterval, pingTimeout });
    heartbeats.add(heartbeat);
    const stalls = [];
    heartbeat.on('stall', ({ lateBy }) => stalls.push(Math.round(lateBy)));
    heartbeat.on('dead', ({ reason, silentFor }) =>
      tell({ name: 'dead', reason, silentFor, stalls }),
    );
    const { close } = this;
    this.close = (...args) => {
      tell({ name: 'left' }); // the client has closed it by itself
      close.apply(this, args);
    };
    this.on('error', () => {}); // some clients close sockets that are not open yet
    this.once('close', (code) => {
      heartbeats.delete(heartbeat);
      tell({ name: 'close', code });
    });
  }
}

const clients = await Promise.all(
  Array.from({ length: Number(count) }, () => CLIENTS[name](url, WatchedSocket)),
);
await Promise.all(clients.map((client) => client.echo('hello')));
let ticks = 0;
for (const client of clients) client.ticks(() => (ticks += 1));
const [publisher] = clients;
if (publisher.publish) setInterval(() => publisher.publish(), 20);
tell({ name: 'ready' });

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'ticks') return tell({ name: 'ticks', ticks });
  if (line === 'bounds') {
    const bounds = [...heartbeats].map(({ detectionBound }) => detectionBound);
    return tell({ name: 'bounds', bounds });
  }
  const end = performance.now() + Number(line);
  while (performance.now() < end); // blocks
  tell({ name: 'blocked' });
});
process.stdin.on('end', () => process.exit());
