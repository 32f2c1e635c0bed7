const { once } = require('node:events');
const { createServer } = require('node:http');
const { attachHeartbeat: watch } = require('@wirebeat/client');
const { attachHeartbeat } = require('@wirebeat/server');
const { WebSocket, WebSocketServer } = require('ws');

async function main() {
  const http = createServer().listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server: http });
  attachHeartbeat(sockets);
  await once(http, 'listening');
  const socket = new WebSocket(`ws://127.0.0.1:${http.address().port}`);
  await once(watch(socket), 'pong');
  socket.close();
  http.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
