import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import type { TestHost, TestNetwork } from '../../faults/test-network.ts';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';
import { HostProcess } from '../network/host-process.ts';
import { IS_LONG } from '../scale.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const LOOPBACK = '127.0.0.1';
const LIMIT = 60_000 * MS;

/** How often each fault is staged. */
export const REPEATS: number = IS_LONG ? 10 : 1;

type Machine = Pick<TestHost, 'command' | 'address'>;

/** This machine, without a network of its own. */
const HERE: Machine = {
  command: (program, ...args) => [program, ...args],
  address: LOOPBACK,
};

/** How a stage is built. Durations are in ms. */
export interface Plot {
  /** The network between the page and the gateway, or between the gateway and the upstream. */
  readonly network?: TestNetwork;
  readonly networkSide?: 'page' | 'upstream' | undefined;
  /** The side on which a proxy stands. */
  readonly proxySide?: 'page' | 'upstream';
  /** Whether the two ends and the gateway send pings. */
  readonly pings?: boolean;
  /** How often the page sends a message. */
  readonly chatter?: number;
  /** `pingTimeout` of the page. */
  readonly patience?: number;
  /** `pingTimeout` of the gateway, on both sides. */
  readonly gatewayPatience?: number;
}

/** The line that the gateway logs at the end of a connection. */
export interface EndLine {
  readonly event: 'end';
  readonly connection: number;
  readonly path: string;
  readonly reason: string;
  readonly by: string;
  readonly blame: string;
  readonly evidence: string;
  readonly durationMs: number;
}

/** A page, `wirebeat gateway` and an upstream, each in a process of its own. */
export class BlameStage {
  readonly upstream: HostProcess;
  readonly gateway: Program;
  page: HostProcess | undefined;
  proxy: TcpProxy | undefined;
  readonly #plot: Plot;
  readonly #folder: string;
  #pageUrl = '';
  #nextLine = 0;

  static async build(plot: Plot = {}): Promise<BlameStage> {
    const { first = HERE, second = HERE } = plot.network ?? {};
    const isNear = plot.networkSide !== 'upstream'; // the gateway is beside the upstream
    const upstream = new HostProcess(second, '../gateway/upstream.mjs', second.address);
    await expect.poll(() => upstream.told.length, { timeout: LIMIT }).toBeGreaterThan(0);
    let [{ port }] = upstream.told as [{ port: number }];
    let proxy: TcpProxy | undefined;
    if (plot.proxySide === 'upstream') {
      proxy = await TcpProxy.listen({ to: port });
      port = proxy.port;
    }
    const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
    const stage = new BlameStage(plot, upstream, isNear ? second : first, {
      folder,
      upstreamUrl: `ws://${second.address}:${port}`,
    });
    stage.proxy = proxy;
    const listening = JSON.parse(await stage.gateway.prints(/.*"listening".*\n/)) as {
      url: string;
    };
    stage.#pageUrl = `${listening.url}/live?token=secret`;
    if (plot.proxySide === 'page') {
      stage.proxy = await TcpProxy.listen({ to: Number(new URL(listening.url).port) });
      stage.#pageUrl = `ws://${LOOPBACK}:${stage.proxy.port}/live`;
    }
    return stage;
  }

  private constructor(
    plot: Plot,
    upstream: HostProcess,
    machine: Machine,
    { folder, upstreamUrl }: { readonly folder: string; readonly upstreamUrl: string },
  ) {
    this.#plot = plot;
    this.#folder = folder;
    this.upstream = upstream;
    const pingInterval = plot.pings === false ? false : 500;
    const pingTimeout = plot.gatewayPatience ?? 1_500;
    const config = {
      listen: `${machine.address}:0`,
      upstream: upstreamUrl,
      pingInterval,
      pingTimeout,
      upstreamHeartbeat: { pingInterval, pingTimeout },
      closeTimeout: 500,
      status: false,
    };
    const file = join(folder, 'gateway.json');
    writeFileSync(file, JSON.stringify(config));
    const command = machine.command(process.execPath, MAIN, 'gateway', '--config', file);
    const [program, ...args] = command;
    this.gateway = new Program(program, args);
  }

  /** Opens the page, and waits until messages pass. */
  async open(): Promise<void> {
    const { network, networkSide, pings, chatter, patience = 20_000 } = this.#plot;
    await this.page?.end();
    const machine = networkSide === undefined || network === undefined ? HERE : network.first;
    const options =
      pings === false
        ? { pingInterval: false, probeAfter: false }
        : { pingInterval: 400, pingTimeout: patience };
    const page = new HostProcess(
      machine,
      '../gateway/page.mjs',
      JSON.stringify({ url: this.#pageUrl, options, chatter }),
    );
    this.page = page;
    await expect.poll(() => page.told.length, { timeout: LIMIT }).toBeGreaterThan(0);
  }

  /** Resolves to the next line about an end. */
  async end(): Promise<EndLine> {
    const lines = () =>
      this.gateway.output
        .split('\n')
        .filter((line) => line.includes('"event":"end"'))
        .map((line) => JSON.parse(line) as EndLine);
    await expect.poll(() => lines().length, { timeout: LIMIT }).toBeGreaterThan(this.#nextLine);
    const line = lines()[this.#nextLine] as EndLine;
    this.#nextLine += 1;
    return line;
  }

  async close(): Promise<void> {
    await this.page?.end();
    await this.upstream.end();
    await this.gateway.end();
    await this.proxy?.close();
    rmSync(this.#folder, { recursive: true });
  }
}
