import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, type Gateway, type GatewayOptions } from '@wirebeat/server/gateway';
import type { Place } from '../arguments.ts';
import { type Log, logEvents } from './log.ts';
import { metricsOf } from './metrics.ts';

/** The arguments of `wirebeat gateway`. Durations are in ms. */
export interface GatewayCommand {
  readonly place: Place;
  /**
   * Where to serve `/healthz` and `/metrics`. `undefined`: on the port of the WebSockets; `false`:
   * nowhere.
   */
  readonly status: Place | false | undefined;
  readonly options: GatewayOptions;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** How long a drain may take, in ms. */
  readonly within: number;
}

/** Largest number of connections to the status port. Few monitoring tools connect to it. */
const MAX_STATUS_CONNECTIONS = 64;

/**
 * Serves until `stop` aborts, then drains. Resolves when all connections are closed. Rejects with
 * `InvalidOptionError`, or with the system's error if it cannot listen.
 */
export async function serveGateway(
  { place, status, options, tls, within }: GatewayCommand,
  log: Log,
  stop: AbortSignal,
): Promise<void> {
  const gateway = createGateway(options);
  logEvents(gateway, log);
  const request = (asked: IncomingMessage, response: ServerResponse) =>
    void answer(gateway, asked, response);
  const { url } = await gateway.listen({
    ...place,
    ...(status === undefined && { request }),
    ...(tls && { tls }),
  });
  const own = status ? await listenForStatus(status, request) : undefined;
  log({ event: 'listening', url, ...(own && { status: own.url }) });
  await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  log({ event: 'draining', open: gateway.connections.size });
  await gateway.drain({ within });
  await gateway.close();
  own?.server.close().closeAllConnections();
  log({ event: 'closed' });
}

/** Listens on a separate port for status requests, which pages need not reach. */
async function listenForStatus(
  { port, host }: Place,
  request: (asked: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; url: string }> {
  const server = createServer(request);
  server.maxConnections = MAX_STATUS_CONNECTIONS;
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: bound } = server.address() as AddressInfo;
  return { server, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}` };
}

/**
 * Answers status requests. `/healthz`: 200 while the gateway accepts connections. `/metrics`: the text
 * format of Prometheus.
 */
async function answer(
  gateway: Gateway,
  { url = '/', method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = url.split('?')[0];
  const status = gateway.status();
  if (method !== 'GET' && method !== 'HEAD') response.writeHead(405).end();
  else if (path === '/healthz') {
    const { state, uptime, open } = status;
    response.writeHead(state === 'running' ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify({ state, uptime, open })}\n`);
  } else if (path === '/metrics') {
    const { type, text } = await metricsOf(status);
    response.writeHead(200, { 'content-type': type }).end(text);
  } else response.writeHead(426, { upgrade: 'websocket' }).end('A WebSocket is wanted here.\n');
}
