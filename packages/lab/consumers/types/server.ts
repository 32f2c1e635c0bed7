// A program of Node, without `lib: ["dom"]`.
import { createServer } from 'node:http';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat } from '@wirebeat/server';
import { createGateway } from '@wirebeat/server/gateway';
import { exportMetrics as exportToOpenTelemetry } from '@wirebeat/server/opentelemetry';
import { exportMetrics } from '@wirebeat/server/prometheus';
import { RedisRegistry } from '@wirebeat/server/redis';
import { register } from 'prom-client';
import { WebSocketServer } from 'ws';

const server = createServer();
const heartbeat = attachHeartbeat(new WebSocketServer({ server }));
heartbeat.on('pong', ({ tier, latency }) => console.log(tier, latency.toFixed()));
exportMetrics(heartbeat, { registry: register });
exportToOpenTelemetry(heartbeat);
new RedisRegistry({ call: async () => null, subscribe: () => undefined }).lease.toFixed();
createGateway({ upstream: 'ws://localhost:8080' });

const socket = new ReconnectingWebSocket(new URL('wss://example.com'));
socket.onmessage = ({ data }) => console.log(data);
socket.onclose = ({ code }) => console.log(code.toFixed());
socket.addEventListener('open', (event: Event) => console.log(event.type));
new ReconnectingWebSocket(({ signal }) => fetch('/url', { signal }).then((it) => it.text()));
