// Many connections of an official client in one process, each with a heartbeat in its dialect. Prints a
// line of JSON for each fact, and blocks for the number of ms that it reads from a line.
//
//   node crowd.mjs CLIENT URL COUNT PING_INTERVAL PING_TIMEOUT MAX_SILENCE
import { createInterface } from 'node:readline';
import { attachHeartbeat } from '@wirebeat/client';
import * as dialects from '@wirebeat/core/dialects';
import { WebSocket } from 'ws';
import { BUSY, CLIENTS } from './clients.mjs';

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

/** The clients leave the verdict to the heartbeat: two would end a connection after their process was blocked. */
const PATIENT = { isPatient: true };

const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);

/** Of each heartbeat, when its timers have fired late, and by how much. */
const stallsOf = new Map();

/** Returns the stalls of a silence that ends now: a silence may begin before the cut that it is due to. */
const stallsIn = (heartbeat, silentFor) =>
  (stallsOf.get(heartbeat) ?? [])
    .filter(({ at }) => at >= performance.now() - silentFor)
    .map(({ lateBy }) => Math.round(lateBy));

class WatchedSocket extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols);
    const dialect = DIALECTS[name];
    const heartbeat = attachHeartbeat(this, { dialect, pingInterval, pingTimeout });
    stallsOf.set(heartbeat, []);
    heartbeat.on('stall', ({ lateBy }) =>
      stallsOf.get(heartbeat)?.push({ at: performance.now(), lateBy }),
    );
    heartbeat.on('dead', ({ reason, silentFor }) =>
      tell({ name: 'dead', reason, silentFor, stalls: stallsIn(heartbeat, silentFor) }),
    );
    this.on('error', () => {}); // some clients close sockets that are not open yet
    this.once('close', (code) => {
      stallsOf.delete(heartbeat);
      tell({ name: 'close', code });
    });
  }
}

const clients = await Promise.all(
  Array.from({ length: Number(count) }, () => CLIENTS[name](url, WatchedSocket, PATIENT)),
);
await Promise.all(clients.map((client) => client.echo('hello')));
const ticks = clients.map(() => 0);
for (const [index, client] of clients.entries()) client.ticks(() => (ticks[index] += 1));
const [publisher] = clients;
if (publisher.publish) setInterval(() => publisher.publish(), BUSY);
tell({ name: 'ready' });

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'ticks') return tell({ name: 'ticks', ticks });
  if (line === 'bounds') {
    const bounds = [...stallsOf.keys()].map(({ detectionBound }) => detectionBound);
    return tell({ name: 'bounds', bounds });
  }
  // Blocks without a load on the cores, which others need.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(line));
  tell({ name: 'blocked' });
});
process.stdin.on('end', () => process.exit());
