// What Prometheus reads at /metrics, beside the sockets. `PORT=0` takes any port that is free.
import { createServer } from 'node:http';
import { attachHeartbeat } from '@wirebeat/server';
import { exportMetrics } from '@wirebeat/server/prometheus';
import { register } from 'prom-client';
import { WebSocketServer } from 'ws';

const server = createServer(async ({ url }, response) => {
  if (url !== '/metrics') return response.writeHead(404).end();
  response.setHeader('content-type', register.contentType);
  response.end(await register.metrics());
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => socket.on('error', () => {})); // its `close` follows
const heartbeat = attachHeartbeat(sockets);
exportMetrics(heartbeat, { registry: register });

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  server.close();
  sockets.close();
});
