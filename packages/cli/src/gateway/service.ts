import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { createGateway, type Gateway, type GatewayListener } from '@wirebeat/server/gateway';
import type { Place } from '../argument-parsers.ts';
import type { Target } from '../connection/dial.ts';
import { type Log, logEvents } from './log.ts';
import { type ProbeSettings, ReadinessProbe } from './readiness-probe.ts';
import type { GatewaySettings } from './settings.ts';
import { StatusPages, StatusServer } from './status-server.ts';

/** Servers that listen, which one process hands to another. */
export interface Handed {
  readonly main?: NetServer | undefined;
  readonly status?: NetServer | undefined;
}

/** A gateway with its status pages and its log, as `wirebeat gateway` runs it. */
export class GatewayService {
  readonly #log: Log;
  readonly #gateway: Gateway;
  #settings: GatewaySettings;
  #probe: ReadinessProbe | undefined;
  readonly #pages: StatusPages;
  #listener: GatewayListener | undefined;
  #status: StatusServer | undefined;

  /** @throws {InvalidOptionError} if an option is invalid. */
  constructor(settings: GatewaySettings, log: Log) {
    this.#log = log;
    this.#settings = settings;
    this.#gateway = createGateway(settings.options);
    this.#startProbe();
    this.#pages = new StatusPages(this.#gateway, () => this.#probe);
    logEvents(this.#gateway, log);
  }

  /**
   * Starts to listen, or goes on with servers that listen already. Rejects with the system's error if
   * it cannot listen.
   */
  async start(handed: Handed = {}): Promise<void> {
    const { place, status } = this.#settings;
    this.#listener = await this.#listen(place, handed.main);
    const { url } = this.#listener;
    if (typeof status === 'object') {
      this.#status = await StatusServer.listen(this.#pages, status, handed.status);
    }
    const own = this.#status?.url;
    this.#log({ event: 'listening', url, ...(own !== undefined && { status: own }) });
  }

  /**
   * Uses other settings. Open connections are not touched. Rejects with the system's error if it cannot
   * listen at a new place; then nothing changes.
   */
  async reload(settings: GatewaySettings): Promise<void> {
    const before = this.#settings;
    const hasMoved = !isSame(settings.place, before.place) || !settings.tls !== !before.tls;
    const statusHasMoved = !isSame(settings.status, before.status);
    this.#settings = settings;
    let listener: GatewayListener | undefined;
    try {
      if (hasMoved) listener = await this.#listen(settings.place);
      if (statusHasMoved && typeof settings.status === 'object') {
        const status = await StatusServer.listen(this.#pages, settings.status);
        this.#closeStatus();
        this.#status = status;
      }
    } catch (error) {
      listener?.close();
      this.#settings = before;
      throw error;
    }
    if (statusHasMoved && typeof settings.status !== 'object') this.#closeStatus();
    this.#gateway.update(settings.options);
    if (listener !== undefined) {
      void this.#listener?.retire();
      this.#listener = listener;
    } else if (settings.tls !== undefined) this.#listener?.setCertificate(settings.tls);
    this.#startProbe();
    const url = this.#listener?.url;
    this.#log({ event: 'reloaded', url, open: this.#gateway.connections.size });
  }

  /** The servers that listen, for the process of a new version. */
  get servers(): Handed {
    return { main: this.#listener?.server, status: this.#status?.source };
  }

  /**
   * Stops listening and probing. Resolves when the last connection has ended by itself. A connection that
   * has arrived but not sent its request yet counts too: the new process cannot serve it.
   */
  async retire(): Promise<void> {
    this.#closeStatus();
    this.#probe?.stop();
    await this.#listener?.retire();
    while (this.#gateway.connections.size > 0) {
      await new Promise((resolve) => this.#gateway.once('end', resolve));
    }
  }

  get open(): number {
    return this.#gateway.connections.size;
  }

  /** Closes all connections over a while. Resolves when they are closed. */
  async drain(): Promise<void> {
    this.#log({ event: 'draining', open: this.#gateway.connections.size });
    await this.#gateway.drain({ within: this.#settings.within });
    await this.#gateway.close();
    this.#probe?.stop();
    this.#closeStatus();
    this.#log({ event: 'closed' });
  }

  /** Starts a probe, unless one with the same settings is running. It begins with what is known of the same upstream. */
  #startProbe(): void {
    const settings = probeSettingsOf(this.#settings);
    const before = this.#probe;
    if (isSame(settings, before?.settings)) return;
    before?.stop();
    const isKnown = settings?.target.url === before?.settings.target.url;
    this.#probe = settings && new ReadinessProbe(settings, isKnown ? before?.state : undefined);
  }

  #closeStatus(): void {
    this.#status?.close();
    this.#status = undefined;
  }

  #listen(place: Place, from?: NetServer): Promise<GatewayListener> {
    const { tls } = this.#settings;
    return this.#gateway.listen({
      ...place,
      request: (asked, response) => this.#answerPublic(asked, response),
      ...(tls && { tls }),
      ...(from && { from }),
    });
  }

  #answerPublic(asked: IncomingMessage, response: ServerResponse): void {
    if (this.#settings.status !== 'public') upgradeRequired(response);
    else void this.#pages.answer(asked, response, upgradeRequired);
  }
}

function probeSettingsOf({
  readiness,
  status,
  options,
}: GatewaySettings): ProbeSettings | undefined {
  if (readiness === false || status === false) return undefined;
  const { upstream, headers, tls } = options;
  const target: Target = {
    url: upstream.replace(/^http/, 'ws'),
    headers: typeof headers === 'object' ? headers : {},
    subprotocols: [],
    timeout: readiness.timeout,
    ...(tls && { tls }),
  };
  return { target, interval: readiness.interval };
}

function upgradeRequired(response: ServerResponse): void {
  response.writeHead(426, { upgrade: 'websocket' }).end('This port only accepts WebSockets.\n');
}

function isSame(first: unknown, second: unknown): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}
