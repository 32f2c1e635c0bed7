// `wirebeat gateway` under 500 connections with traffic: it reads its file again, and is replaced by a new
// process, and drops no connection and loses no message.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { OTHER_HOST } from '../../../cli/test/doctor/certificates.ts';
import { CERT, KEY } from '../../../server/test/gateway/certificate.ts';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const CONNECTIONS = 500;
/** Time between two messages of a connection, in ms. */
const CHATTER = 500;
const LIMIT = 60_000 * MS;

interface Entry {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** A client that sends numbered messages and counts the echoes. */
class Chatter {
  readonly socket: WebSocket;
  sent = 0;
  echoed = 0;
  isOrdered = true;
  closes = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on('message', (data) => {
      this.echoed += 1;
      this.isOrdered &&= Number(data) === this.echoed;
    });
    this.socket.on('close', () => {
      this.closes += 1;
    });
    this.#timer = setInterval(() => this.#send(), CHATTER);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #send(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.sent += 1;
    this.socket.send(String(this.sent));
  }
}

/** A gateway with a config file, before an echo server. */
class Stage {
  readonly program: Program;
  readonly chatters: Chatter[] = [];
  readonly #file: string;

  static async start({ onTestFinished }: TestContext): Promise<Stage> {
    const upstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    upstream.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(String(data))),
    );
    await once(upstream, 'listening');
    const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    const { port } = upstream.address() as AddressInfo;
    const stage = new Stage(join(folder, 'gateway.json'), `ws://127.0.0.1:${port}`);
    onTestFinished(async () => {
      await stage.close();
      for (const client of upstream.clients) client.terminate();
      upstream.close();
      rmSync(folder, { recursive: true });
    });
    await stage.next('listening');
    return stage;
  }

  private constructor(file: string, upstream: string) {
    this.#file = file;
    this.configure({ upstream });
    this.program = new Program(process.execPath, [MAIN, 'gateway', '--config', file]);
    this.upstream = upstream;
  }

  readonly upstream: string;

  configure(settings: object): void {
    const config = { listen: '127.0.0.1:0', status: '127.0.0.1:0', ...settings };
    writeFileSync(this.#file, JSON.stringify(config));
  }

  get entries(): readonly Entry[] {
    const lines = this.program.output.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Resolves to the `count`th entry with this event. */
  async next(event: string, count = 1): Promise<Entry> {
    const found = () => this.entries.filter((entry) => entry.event === event);
    await expect.poll(() => found().length, { timeout: LIMIT }).toBeGreaterThanOrEqual(count);
    return found()[count - 1] as Entry;
  }

  async connect(url: string): Promise<void> {
    for (let count = 0; count < CONNECTIONS; count += 1) this.chatters.push(new Chatter(url));
    await this.everyoneHears();
  }

  /** Waits until every client has received two more echoes. */
  async everyoneHears(): Promise<void> {
    const before = this.chatters.map(({ echoed }) => echoed);
    const heard = () =>
      this.chatters.filter(({ echoed }, index) => echoed >= (before[index] ?? 0) + 2).length;
    await expect.poll(heard, { timeout: LIMIT }).toBe(this.chatters.length);
  }

  /** Checks that no connection was closed and that every message came back, in order. */
  async expectNothingLost(): Promise<void> {
    for (const chatter of this.chatters) chatter.stop();
    const missing = () => this.chatters.reduce((sum, one) => sum + one.sent - one.echoed, 0);
    await expect.poll(missing, { timeout: LIMIT }).toBe(0);
    expect(this.chatters.filter(({ closes }) => closes > 0)).toHaveLength(0);
    expect(this.chatters.filter(({ isOrdered }) => !isOrdered)).toHaveLength(0);
  }

  async close(): Promise<void> {
    for (const { socket } of this.chatters) socket.terminate();
    for (const { event, pid } of this.entries) {
      if (event === 'handed-over') process.kill(Number(pid), 'SIGTERM');
    }
    await this.program.end();
  }
}

describe('wirebeat gateway with 500 connections', () => {
  it('reads its file again at SIGHUP, drops nothing and loses nothing', async (context) => {
    const stage = await Stage.start(context);
    const { url } = await stage.next('listening');
    await stage.connect(String(url));

    stage.configure({ upstream: stage.upstream, maxMessageBytes: 1_000 });
    stage.program.signal('SIGHUP');
    expect(await stage.next('reloaded')).toMatchObject({ url, open: CONNECTIONS });
    await stage.everyoneHears();
    const page = new WebSocket(String(url));
    await once(page, 'open');
    page.send('x'.repeat(2_000));
    expect((await once(page, 'close'))[0]).toBe(1009); // a new connection has the new limit

    stage.configure({ upstream: stage.upstream, maxMessageBytes: 'many' });
    stage.program.signal('SIGHUP');
    expect((await stage.next('reload-failed'))['error']).toMatch(/Expected `maxMessageBytes`/);

    stage.configure({ upstream: stage.upstream, listen: '127.0.0.2:0', status: false });
    stage.program.signal('SIGHUP');
    const moved = await stage.next('reloaded', 2);
    expect(moved['url']).toMatch(/^ws:\/\/127\.0\.0\.2:/);
    await stage.everyoneHears();
    const other = new WebSocket(String(moved['url']));
    await once(other, 'open');
    other.terminate();
    await stage.expectNothingLost();
  });

  it('takes a renewed certificate at SIGHUP, and drops nothing', async (context) => {
    const stage = await Stage.start(context);
    const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const renew = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
      writeFileSync(paths.cert, cert);
      writeFileSync(paths.key, key);
      stage.configure({ upstream: stage.upstream, ...paths });
      stage.program.signal('SIGHUP');
    };
    const open = async (url: string) => {
      const page = new WebSocket(url, { rejectUnauthorized: false });
      const [{ socket }] = (await once(page, 'upgrade')) as [{ socket: TLSSocket }];
      const { CN } = socket.getPeerCertificate().subject;
      return { page, name: CN };
    };
    renew({ cert: CERT, key: KEY });
    const { url } = await stage.next('reloaded');
    expect(url).toMatch(/^wss:/);
    const before = await open(String(url));
    expect(before.name).toBe('localhost');

    renew(OTHER_HOST);
    expect((await stage.next('reloaded', 2))['url']).toBe(url);
    const after = await open(String(url));
    expect(after.name).toBe('other.example');
    before.page.send('still here');
    expect(String((await once(before.page, 'message'))[0])).toBe('still here');
    for (const { page } of [before, after]) page.terminate();
  });

  it('is replaced at SIGUSR2, drops nothing, loses nothing and refuses nothing', async (context) => {
    const stage = await Stage.start(context);
    const { url, status } = await stage.next('listening');
    await stage.connect(String(url));
    let refused = 0;
    let opened = 0;
    const knocking = setInterval(() => {
      const page = new WebSocket(String(url));
      page.on('open', () => {
        opened += 1;
        page.close();
      });
      page.on('error', () => {
        refused += 1;
      });
    }, 50);
    context.onTestFinished(() => clearInterval(knocking));

    stage.program.signal('SIGUSR2');
    expect(Number((await stage.next('handed-over'))['open'])).toBeGreaterThanOrEqual(CONNECTIONS);
    await stage.everyoneHears();
    await sleep(500);
    clearInterval(knocking);
    await stage.expectNothingLost();
    await expect.poll(() => opened, { timeout: LIMIT }).toBeGreaterThan(5);
    expect(refused).toBe(0);
    expect(await (await fetch(`${status}/healthz`)).json()).toMatchObject({ state: 'running' });

    for (const { socket } of stage.chatters) socket.close();
    await stage.next('closed');
    // The old process has ended by itself. Its output stays open, because the new process has it too.
    await expect.poll(() => stage.program.hasEnded, { timeout: LIMIT }).toBe(true);
    expect(await stage.program.exit()).toBe(0);
    const page = new WebSocket(String(url));
    await once(page, 'open');
    page.terminate();
  });

  it('goes on as before if the new process does not start', async (context) => {
    const stage = await Stage.start(context);
    const { url } = await stage.next('listening');
    stage.configure({ upstream: 'tcp://nothing' });
    stage.program.signal('SIGUSR2');
    await stage.next('hand-over-failed');
    const page = new WebSocket(String(url));
    await once(page, 'open');
    page.terminate();
  });
});
