// A gateway on loopback before a plain `ws` server, and pages of several manners before it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ClientOptions,
  WebSocket,
  type WebSocketServer,
  type ServerOptions as WsOptions,
} from 'ws';
import { acceptOf } from '../../src/gateway/http/check-request.ts';
import {
  createGateway,
  type Gateway,
  type GatewayConnection,
  type GatewayEvents,
  type GatewayListener,
  type GatewayOptions,
} from '../../src/gateway/index.ts';
import { atEnd, Log, listen } from '../server-side.ts';

type Options = Omit<GatewayOptions, 'upstream'> & Partial<Pick<GatewayOptions, 'upstream'>>;

/** What a gateway tells, by name. */
export type EmittedEvent = {
  [Name in keyof GatewayEvents]: readonly [name: Name, event: GatewayEvents[Name]];
}[keyof GatewayEvents];

export interface GatewayStage {
  /** Knows nothing of heartbeats. It sends nothing by itself. */
  readonly upstream: WebSocketServer;
  readonly gateway: Gateway;
  readonly listener: GatewayListener;
  readonly port: number;
  readonly events: Log<EmittedEvent>;
  /** The upstream's end of each connection, and the requests that they came with. */
  readonly accepted: Log<WebSocket>;
  readonly requests: string[];
}

const EVENTS = [
  'open',
  'refuse',
  'pong',
  'beat',
  'suspect',
  'alive',
  'dead',
  'unresponsive',
  'responsive',
  'stall',
  'end',
] as const;

/** The URL of a server on loopback. */
export function urlOf(server: { address(): unknown }, scheme = 'ws'): string {
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Notes all that a gateway tells. */
export function recordEvents(gateway: Gateway): Log<EmittedEvent> {
  const events: Log<EmittedEvent> = new Log();
  for (const name of EVENTS) gateway.on(name, (event) => events.push([name, event] as never));
  return events;
}

/** A gateway of which nothing is left after the test. */
export function create(options: GatewayOptions): Gateway {
  const gateway = createGateway(options);
  atEnd(() => gateway.close());
  return gateway;
}

export async function stage(
  options: Options = {},
  wsOptions: WsOptions = {},
): Promise<GatewayStage> {
  const upstream = await listen(wsOptions);
  const accepted: Log<WebSocket> = new Log();
  const requests: string[] = [];
  upstream.on('connection', (socket, request) => {
    socket.on('error', () => {}); // resets are part of the play
    requests.push(request.url ?? '');
    accepted.push(socket);
  });
  const gateway = create({ upstream: urlOf(upstream), ...options });
  const events = recordEvents(gateway);
  const listener = await gateway.listen({ port: 0, host: '127.0.0.1' });
  return { upstream, gateway, listener, port: listener.port, events, accepted, requests };
}

/** What one end has received. */
export type Received = readonly [name: 'text' | 'binary' | 'ping' | 'pong', data: string];

/** Notes what a socket of `ws` receives. */
export function receive(socket: WebSocket): Log<Received> {
  const received: Log<Received> = new Log();
  socket.on('message', (data, isBinary) =>
    received.push([isBinary ? 'binary' : 'text', String(data)]),
  );
  socket.on('ping', (data) => {
    if (!String(data).startsWith('wb-')) received.push(['ping', String(data)]); // the gateway's own
  });
  socket.on('pong', (data) => received.push(['pong', String(data)]));
  return received;
}

/** Opens a page, and waits for the upstream's end of it. */
export async function openPage(
  { port, accepted }: GatewayStage,
  {
    path = '/',
    protocols = [],
    onPing = () => {},
    ...options
  }: ClientOptions & {
    path?: string;
    protocols?: string[];
    onPing?: (data: Buffer, page: WebSocket) => void;
  } = {},
): Promise<{ page: WebSocket; far: WebSocket; received: Log<Received>; arrived: Log<Received> }> {
  const count = accepted.entries.length;
  const page = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
  atEnd(() => page.terminate());
  page.on('error', () => {});
  page.on('ping', (data) => onPing(data, page));
  const received = receive(page);
  const isOpen = once(page, 'open');
  const far = await accepted.find(() => true, count + 1);
  const arrived = receive(far);
  await isOpen;
  return { page, far, received, arrived };
}

/** The only connection of a gateway. */
export function onlyConnection({ gateway }: { readonly gateway: Gateway }): GatewayConnection {
  const [connection] = gateway.connections;
  if (connection === undefined) throw new Error('there is no connection');
  return connection;
}

/** The events of one name. */
export function emitted<Name extends keyof GatewayEvents>(
  events: Log<EmittedEvent>,
  name: Name,
  n = 1,
): Promise<GatewayEvents[Name]> {
  return events.find(([its]) => its === name, n).then(([, event]) => event as GatewayEvents[Name]);
}

/** An upstream that is no WebSocket: it shakes hands, RFC 6455 §4.2.2, and does nothing by itself. */
export async function rawUpstream(): Promise<{ url: string; sockets: Log<Duplex> }> {
  const server = createServer();
  const sockets: Log<Duplex> = new Log();
  server.on('upgrade', ({ headers }, socket) => {
    socket.on('error', () => {});
    atEnd(() => socket.destroy());
    const accept = acceptOf(headers['sec-websocket-key'] ?? '');
    const answer = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
    ];
    socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => server.close());
  return { url: urlOf(server), sockets };
}
