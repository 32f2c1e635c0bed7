import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PageLinks } from './page-links.ts';
import type { Servers } from './servers.ts';

/** What the front cannot do by itself. */
export interface FrontOptions {
  readonly links: PageLinks;
  readonly servers: Servers;
  /** Whose pages may use it, beside its own. */
  readonly allowedOrigins?: ReadonlySet<string>;
}

const FREEZE = 5_000;
const HOLD = 10_000;
const LOSSES = 20_000;
/** The path of socket.io, which polls before it opens a WebSocket. */
const SOCKET_IO = '/socket.io/';
const UPGRADES = new Set(['/socket', '/race', SOCKET_IO]);
const MAX_DELAY = 10_000;

/** All that there is to get: no path of a request ever becomes one of the disk. */
const FILES = new Map([
  ['/', ['race.html', 'text/html; charset=utf-8']],
  ['/latency', ['latency.html', 'text/html; charset=utf-8']],
  ['/race.css', ['race.css', 'text/css; charset=utf-8']],
  ['/race.js', ['race.js', 'text/javascript; charset=utf-8']],
  ['/race.js.map', ['race.js.map', 'application/json']],
  ['/latency.css', ['latency.css', 'text/css; charset=utf-8']],
  ['/latency.js', ['latency.js', 'text/javascript; charset=utf-8']],
  ['/latency.js.map', ['latency.js.map', 'application/json']],
] as const);

const HEADERS = {
  'cache-control': 'no-store', // a page of the last build would be a puzzle
  'x-content-type-options': 'nosniff',
  // Isolated pages have a clock of 5 µs, others of 100 µs: as coarse as a latency on this machine.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** The HTTP server of the demo: gives the page, takes its faults, and carries its WebSocket. */
export function createFront(options: FrontOptions): Server {
  const { links, allowedOrigins = new Set<string>() } = options;
  const front = createServer((request, response) => {
    const { path, page } = addressOf(request);
    const isAllowed = isWelcome(request, allowedOrigins);
    if (isAllowed && path === SOCKET_IO) return links.carryRequest(page, request, response);
    request.resume();
    if (!isAllowed) answer(response, 403);
    else if (request.method === 'POST') answer(response, hurt(request, options));
    else if (request.method === 'GET' || request.method === 'HEAD')
      give(request, response, options);
    else answer(response, 405);
  });
  front.on('upgrade', (request, socket, head) => {
    const { path, page } = addressOf(request);
    const isAllowed = isWelcome(request, allowedOrigins);
    if (isAllowed && UPGRADES.has(path) && page !== '') {
      return links.carry(page, request, socket, head);
    }
    socket.on('error', () => {});
    const status = isAllowed ? '404 Not Found' : '403 Forbidden';
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
  });
  return front;
}

/**
 * Whether it comes from our own page, from one that is allowed, or from no page. Browsers let any site
 * open a WebSocket to this machine, and post to it: RFC 6455 §10.2.
 */
function isWelcome(
  { headers: { origin, host } }: IncomingMessage,
  allowedOrigins: ReadonlySet<string>,
): boolean {
  if (origin === undefined || allowedOrigins.has(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** Does what the page asks for; the status says whether. */
function hurt(request: IncomingMessage, { links, servers }: FrontOptions): number {
  const { path, page, ms } = addressOf(request);
  if (!links.has(page)) return 404;
  switch (path) {
    case '/faults/cut':
      links.cut(page);
      return 204;
    case '/faults/delay':
      if (!(ms >= 0 && ms <= MAX_DELAY)) return 400;
      links.delay(page, ms);
      return 204;
    case '/faults/hold':
      links.hold(page, HOLD);
      return 204;
    case '/faults/lose':
      links.lose(page, LOSSES);
      return 204;
    case '/faults/freeze':
      servers.freeze(FREEZE);
      return 204;
    case '/faults/restart':
      void servers.restart();
      return 204;
    default:
      return 404;
  }
}

function give(
  request: IncomingMessage,
  response: ServerResponse,
  { servers: { hasSocketIo } }: FrontOptions,
): void {
  const { path } = addressOf(request);
  if (path === '/lanes') return send(JSON.stringify({ hasSocketIo }), 'application/json');
  const file = FILES.get(path as '/');
  if (file === undefined) return answer(response, 404);
  return send(readFileSync(new URL(file[0], import.meta.url)), file[1]);

  function send(text: string | Buffer, type: string): void {
    const body = Buffer.from(text);
    response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, HEADERS).end();
}

function addressOf({ url = '/' }: IncomingMessage): { path: string; page: string; ms: number } {
  const [path = '/', query] = url.split('?', 2);
  const asked = new URLSearchParams(query);
  return { path, page: asked.get('page') ?? '', ms: Number(asked.get('ms') ?? Number.NaN) };
}
