import { decodeBeat, type SocketEvent, type WebSocketLike } from '@wirebeat/core';
import { FakeSocket, type VirtualScheduler } from '@wirebeat/core/testing';
import type { WebSocketConstructor } from '../src/websocket-api/default-websocket.ts';

/**
 * Whose socket a client's is like. That of `ws` dispatches by a public method and can be
 * terminated; a browser's does neither, and its `close()` on a dead link never ends.
 */
export type Kind = 'ws' | 'browser';
export const KINDS: readonly Kind[] = ['ws', 'browser'];

/** What a peer answers to a text, whatever the connection. */
export type Reply = (text: string) => string | undefined;
/** What a peer answers to a text. */
export type Answer = (text: string, link: Link) => string | undefined;

/** The whole duty of a minimal peer: `docs/protocol.md`. */
export const minimalPeer: Reply = (text) =>
  text.startsWith('\u0005wb') ? `\u0006${text.slice(1)}` : undefined;
/** A runtime that answers one constant with another, as Cloudflare's does. */
export const autoResponder: Reply = (text) => (text === '\u0005wb' ? '\u0006wb' : undefined);
export const silentPeer: Reply = () => undefined;

/** One that knows sessions: before it answers a newer connection of one, it ends the older. */
export function sessionServer(): Answer {
  const links = new Map<string, Link>();
  return (text, link) => {
    const session = /;session=([\w-]+)/.exec(text)?.[1];
    const pong = minimalPeer(text.replace(/;.*/, ''));
    if (session === undefined || pong === undefined) return pong;
    const older = links.get(session);
    if (older !== link) older?.peer.terminate();
    links.set(session, link);
    return `${pong};session=ok`;
  };
}

/** The client's end of a connection, whatever its class. */
export interface ClientSocket extends WebSocketLike {
  readonly url: string;
  readonly protocol: string;
  readonly extensions: string;
  /** How many listeners there are, handlers not counted. */
  readonly listenerCount: number;
  bufferedAmount: number;
  binaryType: string;
  onmessage: ((event: never) => void) | null;
  send(data: unknown): void;
}

type ClientClass = new (
  scheduler: VirtualScheduler,
  url: string,
  protocols?: string[],
) => ClientSocket & { readonly wire: FakeSocket };

/** One connection, dialled by the client. */
export class Link {
  readonly client: ClientSocket;
  /** What the client's messages go through: the client itself, or what is inside it. */
  readonly wire: FakeSocket;
  readonly peer: FakeSocket;
  readonly protocols: string[] | undefined;
  /** The application messages that the peer received, beats left out. */
  readonly received: unknown[] = [];

  constructor(
    client: ClientSocket,
    wire: FakeSocket,
    peer: FakeSocket,
    protocols: string[] | undefined,
  ) {
    this.client = client;
    this.wire = wire;
    this.peer = peer;
    this.protocols = protocols;
  }

  /** The beats that the client sent, in order. */
  get beats(): string[] {
    return this.wire.sentMessages.filter(isBeat);
  }

  /** From now nothing arrives, and nobody is told. */
  cut(): void {
    this.wire.path.cut = this.peer.path.cut = true;
  }

  mend(): void {
    this.wire.path.cut = this.peer.path.cut = false;
  }

  /** The client's TCP connection is reset. */
  reset(): void {
    FakeSocket.prototype.terminate.call(this.wire);
  }

  /** Something happens on the client's socket, whatever its state. */
  dispatch(event: SocketEvent): void {
    this.wire.dispatchEvent(event);
  }
}

/** A server in virtual time. Clients reach it by its {@link WebSocket} class. */
export class FakeServer {
  readonly scheduler: VirtualScheduler;
  readonly WebSocket: WebSocketConstructor;
  readonly links: Link[] = [];
  /** What becomes of the connections that are dialled. `ignore`: they stay CONNECTING. */
  greeting: 'accept' | 'refuse' | 'ignore' = 'accept';
  /** What texts are answered with, also on connections that are open already. */
  answer: Answer = minimalPeer;
  /** Of each direction, for the connections that are dialled. */
  latency = 10;
  /** What opening a connection takes beside that: the round trips of TCP and HTTP. */
  handshake = 0;
  /** The most sockets that were ever CONNECTING or OPEN at a time. */
  mostLive = 0;

  constructor(scheduler: VirtualScheduler, kind: Kind = 'ws') {
    this.scheduler = scheduler;
    const dial = (client: ClientSocket, wire: FakeSocket, protocols?: string[]) =>
      this.#dial(client, wire, protocols);
    const Base: ClientClass = kind === 'ws' ? NodeSocket : PageSocket;
    this.WebSocket = class extends Base {
      constructor(url: string, protocols?: string[]) {
        super(scheduler, url, protocols);
        dial(this, this.wire, protocols);
      }
    };
  }

  /** The newest connection. */
  get last(): Link {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('nobody has dialled');
    return link;
  }

  /** The client's sockets that are CONNECTING or OPEN. */
  get live(): number {
    return this.links.filter(({ client }) => client.readyState <= 1).length;
  }

  /** Dials without a heartbeat. */
  connect(protocols?: string[]): Link {
    new this.WebSocket('ws://test/', protocols);
    return this.last;
  }

  #dial(client: ClientSocket, wire: FakeSocket, protocols: string[] | undefined): void {
    const peer = new FakeSocket(this.scheduler);
    const link = new Link(client, wire, peer, protocols);
    this.links.push(link);
    this.mostLive = Math.max(this.mostLive, this.live);
    wire.path.latency = peer.path.latency = this.latency;
    if (this.greeting === 'ignore') return;
    if (this.greeting === 'accept') {
      if (this.handshake === 0) return this.#accept(link);
      this.scheduler.at(this.scheduler.now() + this.handshake, () => this.#accept(link));
      return;
    }
    this.scheduler.at(this.scheduler.now() + this.latency, () => {
      if (client.readyState !== 0) return; // given up in the meantime
      wire.dispatchEvent({ type: 'error' });
      link.reset();
    });
  }

  #accept(link: Link): void {
    link.peer.addEventListener('message', ({ data }) => {
      if (!isBeat(data)) link.received.push(data);
      const answer = typeof data === 'string' ? this.answer(data, link) : undefined;
      if (answer !== undefined) link.peer.send(answer);
    });
    FakeSocket.join(link.wire, link.peer);
  }
}

function isBeat(data: unknown): data is string {
  return typeof data === 'string' && decodeBeat(data) !== undefined;
}

class NodeSocket extends FakeSocket implements ClientSocket {
  readonly url: string;
  readonly protocol: string;
  readonly extensions = 'permessage-fake';
  binaryType = 'nodebuffer';

  constructor(scheduler: VirtualScheduler, url: string, protocols: string[] = []) {
    super(scheduler);
    this.url = new URL(url).href;
    this.protocol = protocols[0] ?? '';
  }

  get wire(): FakeSocket {
    return this;
  }
}

/** Delivers its events as a browser does: to listeners only, in the order of their registration. */
class PageSocket extends EventTarget implements ClientSocket {
  readonly wire: FakeSocket;
  readonly url: string;
  readonly protocol: string;
  readonly extensions = 'permessage-fake';
  bufferedAmount = 0;
  binaryType = 'blob';
  readonly #scheduler: VirtualScheduler;
  readonly #listeners: Set<unknown> = new Set();
  #onmessage: ((event: never) => void) | null = null;
  readonly #callHandler = (event: Event): void => this.#onmessage?.(event as never);

  constructor(scheduler: VirtualScheduler, url: string, protocols: string[] = []) {
    super();
    this.#scheduler = scheduler;
    this.url = new URL(url).href;
    this.protocol = protocols[0] ?? '';
    this.wire = new FakeSocket(scheduler);
    for (const type of ['open', 'message', 'error', 'close']) {
      this.wire.addEventListener(type, (event) => {
        EventTarget.prototype.dispatchEvent.call(this, domEvent(event));
      });
    }
  }

  get readyState(): number {
    return this.wire.readyState;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  get onmessage(): ((event: never) => void) | null {
    return this.#onmessage;
  }

  set onmessage(handler: ((event: never) => void) | null) {
    this.#onmessage = handler;
    if (handler === null) super.removeEventListener('message', this.#callHandler);
    else super.addEventListener('message', this.#callHandler);
  }

  send(data: unknown): void {
    this.wire.send(data);
  }

  close(code?: number, reason?: string): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException('bad code', 'InvalidAccessError');
    }
    const wasConnecting = this.readyState === 0;
    this.wire.close(code, reason);
    if (!wasConnecting) return;
    this.#scheduler.at(this.#scheduler.now() + 20, () => {
      if (this.readyState === 3) return;
      this.wire.dispatchEvent({ type: 'error' });
      this.wire.terminate();
    });
  }

  override addEventListener(
    type: string,
    listener: EventListener,
    options?: AddEventListenerOptions,
  ): void {
    this.#listeners.add(listener);
    super.addEventListener(type, listener, options);
  }

  override removeEventListener(
    type: string,
    listener: EventListener,
    options?: EventListenerOptions,
  ): void {
    this.#listeners.delete(listener);
    super.removeEventListener(type, listener, options);
  }
}

function domEvent({ type, data, code, reason, wasClean }: SocketEvent): Event {
  if (type === 'message') return new MessageEvent(type, { data });
  return Object.assign(new Event(type), type === 'close' ? { code, reason, wasClean } : {});
}
