import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { TcpFlow } from './tcp-flow.ts';

/** Where a {@link TcpProxy} listens, and whom it dials. */
export interface TcpProxyOptions {
  /** The port that every flow is carried to. */
  readonly to: number;
  /** Where it listens. `0`: any free port. @default 0 */
  readonly port?: number;
  /** Of both sides. @default '127.0.0.1' */
  readonly host?: string;
}

/**
 * A TCP proxy that hurts what it carries: cuts it silently, delays it, holds it back.
 *
 * Everything is done in user space, with no rights needed; so the kernels of both ends go on
 * acknowledging what is sent into a cut flow, which a path that is really gone would not.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #to: number;
  readonly #host: string;
  readonly #flows: Set<TcpFlow> = new Set();
  #delay = 0;
  #frozen = false;

  static async listen({ to, port = 0, host = '127.0.0.1' }: TcpProxyOptions): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server, to, host);
    server.listen(port, host);
    await once(server, 'listening');
    return proxy;
  }

  private constructor(server: Server, to: number, host: string) {
    this.#server = server;
    this.#to = to;
    this.#host = host;
    server.on('connection', (socket) => this.#carry(socket));
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
    return this.#delay;
  }

  set delay(delay: number) {
    this.#delay = delay;
    for (const flow of this.#flows) flow.delay = delay;
  }

  /** Cuts the flows there are: see {@link TcpFlow.cut}. New ones pass. */
  cut(): void {
    for (const flow of this.#flows) flow.cut();
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
    await closed;
  }

  #carry(near: Socket): void {
    const to = { port: this.#to, host: this.#host, allowHalfOpen: true, noDelay: true };
    const flow = new TcpFlow(near, connect(to));
    this.#flows.add(flow);
    void flow.ended.then(() => this.#flows.delete(flow));
    flow.delay = this.#delay;
    if (this.#frozen) flow.freeze();
  }
}
