import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Direction, TcpFlow } from './tcp-flow.ts';
import { CLEAR, type LaneConditions } from './tcp-lane.ts';

const BACKLOG = 4_096; // of a fleet that comes at once nobody is turned away

/** Where a {@link TcpProxy} listens, and whom it dials. */
export interface TcpProxyOptions {
  /** The port that flows are carried to. */
  readonly to: number;
  /** Where it listens. `0`: any free port. @default 0 */
  readonly port?: number;
  /** Of both sides. @default '127.0.0.1' */
  readonly host?: string;
}

/** What ends the flows of a {@link TcpProxy} by itself, in ms. */
export interface FlowLimits {
  /** Of each flow from its beginning. */
  readonly age?: number;
  /**
   * Of silence from the server, whatever the client sends: `proxy_read_timeout` of nginx.
   */
  readonly serverSilence?: number;
  /** The same of the client. */
  readonly clientSilence?: number;
}

/**
 * A TCP proxy that hurts what it carries: cuts it silently, one way or both, delays it, holds it back,
 * slows it down, ends what is idle or old.
 *
 * Everything is done in user space, with no rights needed; so the kernels of both ends go on
 * acknowledging what is sent into a cut flow, which a path that is really gone would not.
 */
export class TcpProxy {
  /** The port that new flows are carried to. */
  to: number;
  /** Accepts new flows, and carries nothing of them, as a server does that hangs. */
  isDeaf = false;
  /** Of new flows. */
  limits: FlowLimits = {};
  readonly #server: Server;
  readonly #host: string;
  readonly #flows: Set<TcpFlow> = new Set();
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

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many flows are carried: those that are neither cut nor over. */
  get flows(): number {
    return [...this.#flows].filter((flow) => !flow.isCut).length;
  }

  /** Added to every round trip, in ms. */
  get delay(): number {
    return this.#conditions.homeward.delay;
  }

  set delay(delay: number) {
    this.worsen({ delay }, 'homeward');
  }

  /** Sets what all flows suffer that way, new ones too. What is absent stays as it is. */
  worsen(conditions: Partial<LaneConditions>, direction: Direction): void {
    Object.assign(this.#conditions[direction], conditions);
    for (const flow of this.#flows) flow.worsen(conditions, direction);
  }

  /** Cuts the flows there are, both ways or one: see {@link TcpFlow.cut}. New ones pass. */
  cut(direction?: Direction): void {
    for (const flow of this.#flows) flow.cut(direction);
  }

  /** Ends the flows there are with a FIN to both sides. */
  finish(): void {
    for (const flow of this.#flows) flow.finish();
  }

  /** Ends the flows there are with an RST to both sides. */
  reset(): void {
    for (const flow of this.#flows) flow.reset();
  }

  /** Holds back all flows, new ones too, until {@link resume}. Nothing is lost. */
  freeze(): void {
    this.#frozen = true;
    for (const flow of this.#flows) flow.freeze();
  }

  resume(): void {
    this.#frozen = false;
    for (const flow of this.#flows) flow.resume();
  }

  /** Closes all there is. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const flow of this.#flows) flow.destroy();
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
    this.#flows.add(flow);
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
