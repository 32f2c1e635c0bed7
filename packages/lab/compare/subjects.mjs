// What is compared, each with a server of its own kind. `serve` listens and reports every connection and every
// message that arrives; `dial` begins with the port. All are at their defaults: wirebeat has no option at all, on
// neither side. One with options is a row of its own, and its name has them behind " with ".
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat } from '@wirebeat/server';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket as PartySocket } from 'partysocket';
import OtherReconnectingWebSocket from 'reconnecting-websocket';
import { Server as SocketIoServer } from 'socket.io';
import { io } from 'socket.io-client';
import heartbeatJs from 'websocket-heartbeat-js';
import { WebSocket, WebSocketServer } from 'ws';
import { mosquitto } from './mosquitto.mjs';
import { pythonClient } from './python-client.mjs';

globalThis.WebSocket ??= WebSocket; // websocket-heartbeat-js takes none by option

const url = (port) => `ws://127.0.0.1:${port}`;
const nothing = () => {};

/** As in a browser, an error that no listener takes ends no program. */
class QuietWebSocket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on('error', nothing);
  }
}

async function listening({ port = 0 }, attach) {
  const server = createServer();
  attach(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: server.address().port, end };
}

/** A server on `ws` that does what `each` does with every socket. */
const onWs =
  (each = nothing, watch = nothing, options = {}) =>
  ({ arrived = nothing, connected = nothing, ended = nothing, ...where }) =>
    listening(where, (server) => {
      const sockets = new WebSocketServer({ server, ...options });
      watch(sockets, arrived);
      sockets.on('connection', (socket) => {
        connected();
        socket.on('close', ended);
        socket.on('message', (data) => arrived(String(data)));
        each(socket);
      });
    });

const watched = onWs(nothing, (sockets) => attachHeartbeat(sockets));

function wirebeat(name, delivery) {
  return {
    name,
    serve: watched,
    dial(port) {
      const options = delivery && { delivery: new Delivery(delivery) };
      const socket = new ReconnectingWebSocket(url(port), [], options);
      return { send: (text) => socket.send(text), end: () => socket.close() };
    },
  };
}

/** One that has `send` and `close`, and throws or drops what cannot be sent as it likes. */
function plain(socket) {
  socket.onerror = nothing;
  return { send: (text) => socket.send(text), end: () => socket.close() };
}

const socketIo = {
  name: 'socket.io-client',
  packages: ['socket.io-client', 'socket.io'],
  serve: ({ arrived = nothing, connected = nothing, ...where }) =>
    listening(where, (server) => {
      const sockets = new SocketIoServer(server, { cors: { origin: '*' } }); // pages of any address
      sockets.on('connection', (socket) => {
        connected();
        socket.on('message', arrived);
      });
    }),
  dial(port) {
    const socket = io(`http://127.0.0.1:${port}`, { forceNew: true });
    return { send: (text) => socket.emit('message', text), end: () => socket.disconnect() };
  },
};

const schema = buildSchema('type Query { say(text: String!): Boolean }');
const graphql = {
  name: 'graphql-ws',
  packages: ['graphql-ws'],
  serve: onWs(
    nothing,
    (sockets, arrived) => {
      const roots = { query: { say: ({ text }) => arrived(text) === undefined } };
      useServer({ schema, roots }, sockets);
    },
    { handleProtocols: () => 'graphql-transport-ws' },
  ),
  dial(port) {
    const options = {
      lazy: false,
      retryAttempts: Number.POSITIVE_INFINITY,
      onNonLazyError: nothing,
    };
    const client = createClient({ url: url(port), webSocketImpl: WebSocket, ...options });
    const query = 'query ($text: String!) { say(text: $text) }';
    const sink = { next: nothing, error: nothing, complete: nothing };
    return {
      send: (text) => client.subscribe({ query, variables: { text } }, sink),
      end: () => Promise.resolve(client.dispose()).catch(nothing), // it rejects while it dials
    };
  },
};

/** wirebeat first, then its peers. */
export const SUBJECTS = [
  wirebeat('wirebeat'),
  wirebeat('wirebeat with `resend: true`', { resend: true }),
  socketIo,
  {
    name: 'websocket-heartbeat-js',
    packages: ['websocket-heartbeat-js'],
    serve: onWs((socket) => {
      socket.on('message', (data) => String(data) === 'heartbeat' && socket.send('heartbeat'));
    }),
    dial: (port) => plain(new heartbeatJs.default({ url: url(port) })),
  },
  {
    name: 'partysocket',
    packages: ['partysocket'],
    serve: onWs(),
    dial: (port) => plain(new PartySocket(url(port), [], { WebSocket })),
  },
  {
    name: 'reconnecting-websocket',
    packages: ['reconnecting-websocket'],
    serve: onWs(),
    dial: (port) =>
      plain(new OtherReconnectingWebSocket(url(port), [], { WebSocket: QuietWebSocket })),
  },
  graphql,
  ...mosquitto(),
  ...pythonClient(onWs()),
];

/** Without the rows that have options. */
export const AT_DEFAULTS = SUBJECTS.filter(({ name }) => !name.includes(' with '));

/** Those that can be set so, with our defaults: a ping after 25 s, a pong within 20 s. */
export const AS_OURS = [
  {
    name: 'websocket-heartbeat-js with 25 s and 20 s',
    serve: SUBJECTS.find(({ name }) => name === 'websocket-heartbeat-js').serve,
    dial: (port) =>
      plain(new heartbeatJs.default({ url: url(port), pingTimeout: 25_000, pongTimeout: 20_000 })),
  },
  ...pythonClient(onWs(), { ping_interval: 25, ping_timeout: 20 }),
];

/** A server on `ws` that does nothing, for what a page has by itself. */
export const bareServer = onWs();

/** The packages whose versions count. */
export function packagesOf(subjects) {
  return subjects.flatMap(({ packages = [] }) => packages);
}
