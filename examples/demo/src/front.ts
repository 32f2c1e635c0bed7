import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { PageLinks } from './page-links.ts';

/** What the front cannot do by itself. */
export interface FrontOptions {
  readonly links: PageLinks;
  /** Blocks the WebSocket server for so many ms. */
  readonly freeze: (duration: number) => void;
  /** Whose pages may use it, beside its own. */
  readonly allowedOrigins?: ReadonlySet<string>;
}

const FREEZE = 5_000;
const MAX_DELAY = 10_000;

/** All that there is to get: no path of a request ever becomes one of the disk. */
const FILES = new Map([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/race', ['race.html', 'text/html; charset=utf-8']],
  ['/race.css', ['race.css', 'text/css; charset=utf-8']],
  ['/race.js', ['race.js', 'text/javascript; charset=utf-8']],
  ['/race.js.map', ['race.js.map', 'application/json']],
  ['/page.css', ['page.css', 'text/css; charset=utf-8']],
  ['/page.js', ['page.js', 'text/javascript; charset=utf-8']],
  ['/page.js.map', ['page.js.map', 'application/json']],
] as const);

const HEADERS = {
  'cache-control': 'no-store', // a page of the last build would be a puzzle
  'x-content-type-options': 'nosniff',
  // Isolated pages have a clock of 5 µs, others of 100 µs: as coarse as a latency on this machine.
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** The HTTP server of the demo: gives the page, takes its faults, and carries its WebSocket. */
export function createFront({ links, freeze, allowedOrigins = new Set() }: FrontOptions): Server {
  const front = createServer((request, response) => {
    request.resume();
    if (!isWelcome(request, allowedOrigins)) answer(response, 403);
    else if (request.method === 'POST') answer(response, hurt(request, links, freeze));
    else if (request.method === 'GET' || request.method === 'HEAD') give(request, response);
    else answer(response, 405);
  });
  front.on('upgrade', (request, socket, head) => {
    const { path, page } = addressOf(request);
    const isAllowed = isWelcome(request, allowedOrigins);
    if (isAllowed && path === '/socket' && page !== '') {
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
function hurt(request: IncomingMessage, links: PageLinks, freeze: FrontOptions['freeze']): number {
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
    case '/faults/freeze':
      freeze(FREEZE);
      return 204;
    default:
      return 404;
  }
}

function give(request: IncomingMessage, response: ServerResponse): void {
  const file = FILES.get(addressOf(request).path as '/');
  if (file === undefined) return answer(response, 404);
  const [name, type] = file;
  const body = readFileSync(new URL(name, import.meta.url));
  response.writeHead(200, { ...HEADERS, 'content-type': type, 'content-length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, HEADERS).end();
}

function addressOf({ url = '/' }: IncomingMessage): { path: string; page: string; ms: number } {
  const [path = '/', query] = url.split('?', 2);
  const asked = new URLSearchParams(query);
  return { path, page: asked.get('page') ?? '', ms: Number(asked.get('ms') ?? Number.NaN) };
}
