import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Direction, TcpFlow } from './tcp-flow.ts';
import { CLEAR, type LaneConditions } from './tcp-lane.ts';

const BACKLOG = 4_096; // large enough for a whole fleet that connects at once

/** Options of a {@link TcpProxy}. */
export interface TcpProxyOptions {
  /** The port that connections are carried to. */
  readonly to: number;
  /** Port to listen on. `0`: any free port. @default 0 */
  readonly port?: number;
  /** Host of both sides. @default '127.0.0.1' */
  readonly host?: string;
}

/** When a {@link TcpProxy} ends its connections by itself, in ms. */
export interface FlowLimits {
  /** Age of a connection. */
  readonly age?: number;
  /** Silence of the server, whatever the client sends: `proxy_read_timeout` of nginx. */
  readonly serverSilence?: number;
  /** Silence of the client. */
  readonly clientSilence?: number;
}

/**
 * A TCP proxy that injects faults: cuts connections silently in one or both directions, delays them,
 * holds them back, limits their bandwidth, and ends idle or old ones.
 *
 * It runs in user space and needs no privileges. Therefore the kernels of both ends keep acknowledging
 * what is sent into a cut connection, which a really broken path would not.
 */
export class TcpProxy {
  /** The port that new connections are carried to. */
  to: number;
  /** Whether to accept new connections without carrying anything, like a server that hangs. */
  isDeaf = false;
  /** The limits of new connections. */
  limits: FlowLimits = {};
  readonly #server: Server;
  readonly #host: string;
  readonly #flows: Map<TcpFlow, Socket> = new Map();
  readonly #unheard: Set<Socket> = new Set();
  readonly #conditions: Readonly<Record<Direction, LaneConditions>> = {
    outward: { ...CLEAR },
    homeward: { ...CLEAR },
  };
  #frozen = false;

  static async listen({ to, port = 0, host = '127.0.0.1' }: TcpProxyOptions): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, to, host);
    server.listen({ port, host, backlog: BACKLOG });
    await once(server, 'listening');
    return proxy;
  }

  private constructor(server: Server, to: number, host: string) {
    this.#server = server;
    this.to = to;
    this.#host = host;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Number of connections that are neither cut nor closed. */
  get flows(): number {
    return [...this.#flows.keys()].filter((flow) => !flow.isCut).length;
  }

  /** Time added to every round trip, in ms. */
  get delay(): number {
    return this.#conditions.homeward.delay;
  }

  set delay(delay: number) {
    this.worsen({ delay }, 'homeward');
  }

  /**
   * Sets the conditions of all connections in one direction, including new ones. Absent ones do not
   * change.
   */
  worsen(conditions: Partial<LaneConditions>, direction: Direction): void {
    Object.assign(this.#conditions[direction], conditions);
    for (const flow of this.#flows.keys()) flow.worsen(conditions, direction);
  }

  /** Cuts the current connections in both directions or one: see {@link TcpFlow.cut}. New ones pass. */
  cut(direction?: Direction): void {
    for (const flow of this.#flows.keys()) flow.cut(direction);
  }

  /**
   * Cuts the connection of the client with this port, like a client that lost its power: what it has sent
   * and is held back is lost.
   */
  cutOff(port: number): void {
    for (const [flow, near] of this.#flows) if (near.remotePort === port) flow.cut();
  }

  /** Ends the current connections with a FIN to both sides. */
  finish(): void {
    for (const flow of this.#flows.keys()) flow.finish();
  }

  /** Ends the current connections with an RST to both sides. */
  reset(): void {
    for (const flow of this.#flows.keys()) flow.reset();
  }

  /** Holds back all connections, including new ones, until {@link resume}. Nothing is lost. */
  freeze(): void {
    this.#frozen = true;
    for (const flow of this.#flows.keys()) flow.freeze();
  }

  resume(): void {
    this.#frozen = false;
    for (const flow of this.#flows.keys()) flow.resume();
  }

  /** Closes the proxy and all its connections. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const flow of this.#flows.keys()) flow.destroy();
    for (const socket of this.#unheard) socket.destroy();
    await closed;
  }

  #accept(near: Socket): void {
    if (!this.isDeaf) return this.#carry(near);
    this.#unheard.add(near.resume());
    near.on('error', () => {});
    near.on('close', () => this.#unheard.delete(near));
  }

  #carry(near: Socket): void {
    const to = { port: this.to, host: this.#host, allowHalfOpen: true, noDelay: true };
    const flow = new TcpFlow(near, connect(to));
    this.#flows.set(flow, near);
    void flow.ended.then(() => this.#flows.delete(flow));
    for (const direction of ['outward', 'homeward'] as const) {
      flow.worsen(this.#conditions[direction], direction);
    }
    const { age, serverSilence, clientSilence } = this.limits;
    if (age !== undefined) flow.limitAge(age);
    if (serverSilence !== undefined) flow.limitSilence(serverSilence, 'homeward');
    if (clientSilence !== undefined) flow.limitSilence(clientSilence, 'outward');
    if (this.#frozen) flow.freeze();
  }
}
