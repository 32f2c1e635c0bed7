// Those who are compared, each at its defaults and with a server of its own kind. A subject is begun
// with the port to dial; its server tells of every message that arrives.
import { createServer } from 'node:http';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocket as PartySocket } from 'partysocket';
import OtherReconnectingWebSocket from 'reconnecting-websocket';
import { Server as SocketIoServer } from 'socket.io';
import { io } from 'socket.io-client';
import heartbeatJs from 'websocket-heartbeat-js';
import { WebSocket, WebSocketServer } from 'ws';

globalThis.WebSocket ??= WebSocket; // websocket-heartbeat-js takes none by option

const url = (port) => `ws://127.0.0.1:${port}`;

async function listening(arrived, attach) {
  const server = createServer();
  attach(server, arrived);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: server.address().port, end };
}

/** A server on `ws` that does what `each` does with every socket. */
const onWs =
  (each = () => {}, watch = () => {}) =>
  (arrived) =>
    listening(arrived, (server) => {
      const sockets = new WebSocketServer({ server });
      watch(sockets);
      sockets.on('connection', (socket) => {
        socket.on('message', (data) => arrived(String(data)));
        each(socket);
      });
    });

const watched = onWs(undefined, (sockets) =>
  attachHeartbeat(sockets, { session: { user: () => 'the only one' } }),
);

function wirebeat(name, options) {
  return {
    name,
    serve: watched,
    dial(port) {
      const socket = new ReconnectingWebSocket(url(port), undefined, options);
      return { send: (text) => socket.send(text), end: () => socket.close() };
    },
  };
}

/** One that has `send` and `close`, and throws or drops what cannot be sent as it likes. */
function plain(socket) {
  socket.onerror = () => {};
  return { send: (text) => socket.send(text), end: () => socket.close() };
}

/** wirebeat first, then its peers. */
export const SUBJECTS = [
  wirebeat('wirebeat', {}),
  wirebeat("wirebeat, resend: 'unconfirmed'", { resend: 'unconfirmed' }),
  {
    name: 'socket.io-client',
    serve: (arrived) =>
      listening(arrived, (server) => {
        const sockets = new SocketIoServer(server);
        sockets.on('connection', (socket) => socket.on('message', arrived));
      }),
    dial(port) {
      const socket = io(`http://127.0.0.1:${port}`, { forceNew: true });
      return { send: (text) => socket.emit('message', text), end: () => socket.disconnect() };
    },
  },
  {
    name: 'websocket-heartbeat-js',
    serve: onWs((socket) => {
      socket.on('message', (data) => String(data) === 'heartbeat' && socket.send('heartbeat'));
    }),
    dial: (port) => plain(new heartbeatJs.default({ url: url(port) })),
  },
  {
    name: 'partysocket',
    serve: onWs(),
    dial: (port) => plain(new PartySocket(url(port), [], { WebSocket })),
  },
  {
    name: 'reconnecting-websocket',
    serve: onWs(),
    dial: (port) => plain(new OtherReconnectingWebSocket(url(port), [], { WebSocket })),
  },
];
