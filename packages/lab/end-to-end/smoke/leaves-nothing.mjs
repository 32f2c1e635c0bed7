// Opens a server and fifty clients in every state that a client can be in, ends all of them, and is to
// end by itself. Tells in one JSON line what is left. What is counted are also the timers that keep no
// process alive, for they would be missed otherwise.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat as attachToServer } from '@wirebeat/server';
import { WebSocket, WebSocketServer } from 'ws';

const waiting = new Set();
const { setTimeout: set, clearTimeout: clear } = globalThis;
globalThis.setTimeout = (callback, delay, ...args) => {
  const timer = set(() => {
    waiting.delete(timer);
    callback(...args);
  }, delay);
  waiting.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  waiting.delete(timer);
  clear(timer);
};

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const heartbeat = attachToServer(server);
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}/`;

// A port that refuses: it was free a moment ago.
const closed = createServer().listen(0, '127.0.0.1');
await once(closed, 'listening');
const refusing = `ws://127.0.0.1:${closed.address().port}/`;
closed.close();

const sockets = (count, address) =>
  Array.from({ length: count }, () => new ReconnectingWebSocket(address));
const named = (name) => (target) =>
  new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));

const steady = sockets(30, url);
await Promise.all(steady.map(named('pong')));
const attached = Array.from({ length: 10 }, () => {
  const socket = new WebSocket(url);
  return { socket, beats: attachHeartbeat(socket) };
});
await Promise.all(
  attached.map(({ beats }) => new Promise((resolve) => beats.once('pong', resolve))),
);
const waitingToRetry = sockets(10, refusing);
await Promise.all(waitingToRetry.map(named('retry')));
const dialling = sockets(10, url);
const peak = waiting.size;

const all = [...steady, ...waitingToRetry, ...dialling];
const ends = all.map(named('close'));
const pings = steady.map((socket) => socket.ping().catch(() => {}));
for (const socket of all) socket.close();
await Promise.all([...ends, ...pings]);
for (const { beats } of attached) beats.detach();
heartbeat.detach();
const left = waiting.size; // while ten sockets are open yet: nobody watches them now
const open = server.clients.size;
for (const { socket } of attached) socket.terminate();
server.close();
await once(server, 'close');

process.on('exit', () => {
  const resources = process.getActiveResourcesInfo();
  console.log(JSON.stringify({ peak, open, left, atExit: waiting.size, resources }));
});
