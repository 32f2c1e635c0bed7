// Runs cycles of `cycles.js` over `ws`, with the server in the same process, and writes a heap snapshot
// after each batch to the files that its arguments name. Before the last batch all is kept. Tells in
// one JSON line what was left at each.
import { once } from 'node:events';
import { writeHeapSnapshot } from 'node:v8';
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat as attachToServer } from '@wirebeat/server';
import { WebSocket, WebSocketServer } from 'ws';
import { runCycles } from './cycles.js';

const PATIENCE = 10_000;
const [count, ...files] = process.argv.slice(2);
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
attachToServer(server);
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}/`;
const means = { attachHeartbeat, ReconnectingWebSocket, WebSocket, url };

/** What is left, by its kind; listeners of this process among it. */
function resources() {
  const names = process.getActiveResourcesInfo();
  const listeners = process.eventNames().map((name) => process.listenerCount(name));
  const sockets = server.clients.size;
  return {
    names: names.sort(),
    listeners: listeners.reduce((sum, more) => sum + more, 0),
    sockets,
  };
}

/** Sockets close after their WebSockets: it waits until they have, and no longer than that takes. */
async function settle() {
  const end = Date.now() + PATIENCE;
  const isBusy = () => server.clients.size > 0 || resources().names.includes('TCPSocketWrap');
  while (isBusy() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
}

const kept = [];
const left = [];
for (const [index, file] of files.entries()) {
  const isLast = index === files.length - 1;
  await runCycles(Number(count), means, isLast ? (objects) => kept.push(objects) : undefined);
  await settle();
  left.push(resources());
  writeHeapSnapshot(file);
}
console.log(JSON.stringify({ left, kept: kept.length }));
server.close();
