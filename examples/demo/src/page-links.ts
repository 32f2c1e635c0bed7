import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { TcpFlow } from '@wirebeat/lab/faults/tcp-flow';

interface Link {
  readonly flows: Set<TcpFlow>;
  delay: number;
}

/**
 * Carries the WebSocket connections of the pages to the WebSocket server, each by a flow that can
 * be hurt. Faults are by page, so that tabs do not hurt one another.
 */
export class PageLinks {
  readonly #to: number;
  /** Never emptied: a page that comes back finds its delay, and a demo is short. */
  readonly #links: Map<string, Link> = new Map();

  /** `to` is the port of the WebSocket server. */
  constructor(to: number) {
    this.#to = to;
  }

  /** Whether the page has, or had, a connection. */
  has(page: string): boolean {
    return this.#links.has(page);
  }

  /** Carries a connection from its upgrade request on. */
  carry(page: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const far = connect({ host: '127.0.0.1', port: this.#to, allowHalfOpen: true, noDelay: true });
    far.write(headOf(request));
    far.write(head);
    const link = this.#links.get(page) ?? { flows: new Set(), delay: 0 };
    this.#links.set(page, link);
    const flow = new TcpFlow(socket, far);
    flow.delay = link.delay;
    link.flows.add(flow);
    void flow.ended.then(() => link.flows.delete(flow));
  }

  /** Stops carrying what the page has open, silently. What it opens next passes. */
  cut(page: string): void {
    for (const flow of this.#flows(page)) flow.cut();
  }

  /** Adds `delay` ms to the page's round trip, on new connections too. `0` ends it. */
  delay(page: string, delay: number): void {
    const link = this.#links.get(page);
    if (link !== undefined) link.delay = delay;
    for (const flow of this.#flows(page)) flow.delay = delay;
  }

  #flows(page: string): Iterable<TcpFlow> {
    return this.#links.get(page)?.flows ?? [];
  }
}

/** The request as it came, for Node has read it already. */
function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2)
    lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
