// Pages in a Chromium that slows hidden pages down as it does for its users, and a server that says
// what it heard of them.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import puppeteer, { type Browser, type CDPSession, type Page } from 'puppeteer-core';
import type { TestContext } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { CHROMIUM_ARGUMENTS } from '../browsers/chromium.ts';
import { MS } from './allowance.ts';

/** Puppeteer's own: with them no hidden page is ever slowed down, and a test of one proves nothing. */
const UNTHROTTLED = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

const script = readFileSync(
  new URL('../../client/dist/wirebeat-client.min.js', import.meta.url),
  'utf8',
);

/** What a page notes: its instant, what happened, and details. */
export type Fact = readonly [at: number, what: string, details?: unknown];

/** Before each page's own code. */
const PRELUDE = `
const url = 'ws://' + location.search.slice(1);
const facts = [];
const note = (what, details) => void facts.push([performance.now(), what, details]);
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => note(type));
for (const type of ['pagehide', 'pageshow']) addEventListener(type, (e) => note(type, e.persisted));
document.addEventListener('visibilitychange', () => note(document.visibilityState));
`;

/** How a page is served. */
export interface Served {
  /** Its code, run as a script behind the client's. */
  readonly code: string;
  readonly policy?: string;
  /** Where its socket leads. @default to a minimal peer */
  readonly port?: number;
}

/** A page, and what it and the server noted. */
export interface Visit {
  readonly page: Page;
  readonly cdp: CDPSession;
  /** Of each connection of the page, in order: the messages that the server heard, and its end. */
  readonly heard: string[][];
  facts(): Promise<Fact[]>;
  /** Brings another tab of the same window to the front, or this one back. */
  hide(): Promise<void>;
  show(): Promise<void>;
  freeze(isFrozen: boolean): Promise<void>;
}

export class LifeStage {
  readonly #browser: Browser;
  readonly #pages: Server;
  readonly #server: WebSocketServer;
  /** By the name that each visit has, in the addresses of its page and its sockets. */
  readonly #heard: Map<string, string[][]> = new Map();
  readonly #served: Map<string, Served> = new Map();
  #visits = 0;
  /** What is served under other paths, with its content type. */
  readonly files: Map<string, string> = new Map();

  static async launch(...args: string[]): Promise<LifeStage> {
    const executablePath = process.env['CHROMIUM_PATH'] || 'chromium';
    const browser = await puppeteer.launch({
      executablePath,
      headless: true,
      args: [...CHROMIUM_ARGUMENTS, ...args],
      ignoreDefaultArgs: UNTHROTTLED,
    });
    const stage = new LifeStage(browser);
    const pages = once(stage.#pages.listen(0, '127.0.0.1'), 'listening');
    await Promise.all([pages, once(stage.#server, 'listening')]);
    return stage;
  }

  private constructor(browser: Browser) {
    this.#browser = browser;
    this.#pages = createServer((request, response) => this.#serve(request, response));
    this.#server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    this.#server.on('connection', (socket, request) => this.#listen(socket, request.url ?? ''));
  }

  /** Opens a page in a window of its own. */
  async visit({ onTestFinished }: TestContext, served: Served): Promise<Visit> {
    const context = await this.#browser.createBrowserContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const cdp = await page.createCDPSession();
    this.#visits += 1;
    const name = `/${this.#visits}`;
    const heard: string[][] = [];
    this.#heard.set(name, heard);
    this.#served.set(name, served);
    const { port = this.port } = served;
    await page.goto(`${this.origin}/page?127.0.0.1:${port}${name}`);
    let other: Page | undefined;
    return {
      page,
      cdp,
      heard,
      facts: async () => (await page.evaluate('facts')) as Fact[],
      hide: async () => {
        other ??= await context.newPage();
        await other.bringToFront();
      },
      show: () => page.bringToFront(),
      freeze: async (isFrozen) => {
        const state = isFrozen ? 'frozen' : 'active';
        await cdp.send('Page.setWebLifecycleState', { state });
      },
    };
  }

  /** Where the minimal peer listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#pages.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#pages.close();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #serve({ url = '/' }: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = url.split('?');
    const file = this.files.get(path);
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.setHeader('content-type', type);
    if (file !== undefined) return void response.end(file);
    const served = this.#served.get(url.slice(url.lastIndexOf('/')));
    if (served === undefined) return void response.writeHead(path === '/away' ? 200 : 404).end();
    const { code, policy } = served;
    if (policy !== undefined) response.setHeader('content-security-policy', policy);
    const scripts = [script, PRELUDE, code].map((text) => `<script nonce="n">${text}</script>`);
    response.end(`<!doctype html>${scripts.join('')}`);
  }

  /** A minimal peer, so that all of it is heard: `docs/protocol.md`. */
  #listen(socket: WebSocket, name: string): void {
    const heard: string[] = [];
    this.#heard.get(name)?.push(heard);
    socket.on('message', (data) => {
      const text = String(data);
      heard.push(text.replace('\u0005', 'ENQ '));
      if (text.startsWith('\u0005wb')) socket.send(`\u0006${text.slice(1)}`);
    });
    socket.on('close', (code) => heard.push(`close ${code}`));
  }
}

/** Waits until it is so, and no longer than `limit`: what is missing is seen by who looks next. */
export async function until(isSo: () => boolean, limit = 5_000 * MS): Promise<void> {
  const end = Date.now() + limit;
  while (!isSo() && Date.now() < end) await sleep(20);
}
