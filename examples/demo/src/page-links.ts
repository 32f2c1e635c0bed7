import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { TcpFlow } from '@wirebeat/lab/faults/tcp-flow';

interface Link {
  readonly flows: Set<TcpFlow>;
  /** Requests that wait for their answer. */
  readonly requests: Set<IncomingMessage>;
  delay: number;
  /** Until when everything is held back. */
  heldUntil: number;
}

/** The chance that a packet is lost, as on a bad mobile link. */
const LOSS = 0.4;
const LOSS_INTERVAL = 500;
/** How long TCP waits for an acknowledgement in Linux. The wait doubles each time (RFC 6298 §5.5). */
const FIRST_WAIT = 200;
const LONGEST_WAIT = 3_200;

/**
 * Carries the WebSocket connections of the pages to the WebSocket server, each by a flow that can
 * be hurt. Faults are by page, so that tabs do not hurt one another.
 */
export class PageLinks {
  readonly #to: () => number;
  /** Never emptied: a page that comes back finds its delay, and a demo is short. */
  readonly #links: Map<string, Link> = new Map();
  /** The flows that wait for a packet to be sent again. */
  readonly #stalled: WeakSet<TcpFlow> = new WeakSet();

  /** `to` returns the port of the WebSocket servers, which changes when they are restarted. */
  constructor(to: () => number) {
    this.#to = to;
  }

  /** Whether the page has, or had, a connection. */
  has(page: string): boolean {
    return this.#links.has(page);
  }

  /** Carries a connection from its upgrade request on. */
  carry(page: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const far = connect({
      host: '127.0.0.1',
      port: this.#to(),
      allowHalfOpen: true,
      noDelay: true,
    });
    far.write(headOf(request));
    far.write(head);
    const link = this.#linkOf(page);
    const flow = new TcpFlow(socket, far);
    flow.delay = link.delay;
    if (link.heldUntil > performance.now()) flow.freeze();
    link.flows.add(flow);
    void flow.ended.then(() => link.flows.delete(flow));
  }

  /** Carries one HTTP request, such as a poll of socket.io. */
  carryRequest(page: string, request: IncomingMessage, response: ServerResponse): void {
    const link = this.#linkOf(page);
    const { url, method, headers } = request;
    link.requests.add(request);
    const far = httpRequest({ host: '127.0.0.1', port: this.#to(), path: url, method, headers });
    far.on('error', () => response.destroy());
    far.on('response', (answer) => {
      const wait = link.delay + Math.max(0, link.heldUntil - performance.now());
      setTimeout(() => {
        if (!link.requests.delete(request)) return answer.resume(); // it has been cut
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        return answer.pipe(response);
      }, wait);
    });
    response.on('close', () => {
      link.requests.delete(request);
      far.destroy();
    });
    request.pipe(far);
  }

  /** Stops carrying what the page has open, silently. What it opens next passes. */
  cut(page: string): void {
    for (const flow of this.#flows(page)) flow.cut();
    this.#links.get(page)?.requests.clear();
  }

  /** Holds everything of the page back for `duration` ms, new connections too. Nothing is lost. */
  hold(page: string, duration: number): void {
    const link = this.#linkOf(page);
    link.heldUntil = performance.now() + duration;
    for (const flow of link.flows) flow.freeze();
    setTimeout(() => {
      for (const flow of link.flows) flow.resume();
    }, duration);
  }

  /**
   * Loses packets of the page for `duration` ms. TCP sends them again, later each time, and holds
   * back all that follows.
   */
  lose(page: string, duration: number): void {
    const { flows } = this.#linkOf(page);
    const end = performance.now() + duration;
    const ticking = setInterval(() => {
      if (performance.now() >= end) return clearInterval(ticking);
      for (const flow of flows) {
        if (!this.#stalled.has(flow) && Math.random() < LOSS) this.#retransmit(flow, FIRST_WAIT);
      }
    }, LOSS_INTERVAL);
  }

  /** Holds a flow back as long as TCP waits for one packet that is lost again and again. */
  #retransmit(flow: TcpFlow, wait: number): void {
    this.#stalled.add(flow);
    flow.freeze();
    setTimeout(() => {
      if (Math.random() < LOSS && wait < LONGEST_WAIT) return this.#retransmit(flow, 2 * wait);
      this.#stalled.delete(flow);
      flow.resume();
    }, wait);
  }

  /** Adds `delay` ms to the page's round trip, on new connections too. `0` ends it. */
  delay(page: string, delay: number): void {
    const link = this.#links.get(page);
    if (link !== undefined) link.delay = delay;
    for (const flow of this.#flows(page)) flow.delay = delay;
  }

  #linkOf(page: string): Link {
    const link = this.#links.get(page) ?? {
      flows: new Set(),
      requests: new Set(),
      delay: 0,
      heldUntil: 0,
    };
    this.#links.set(page, link);
    return link;
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
