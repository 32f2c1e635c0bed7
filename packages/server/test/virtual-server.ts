// A `ws` server in virtual time: doubles of the server and its sockets, and a peer behind each.
import { EventEmitter } from 'node:events';
import { type Millis, ReadyState } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { attachHeartbeat, type ServerHeartbeat } from '../src/attach.ts';
import type { ConnectionHeartbeat } from '../src/connection-heartbeat.ts';
import type { ServerOptions } from '../src/options.ts';

/** What the peer at the other end does by itself. Any of it may be changed at any time. */
export interface Peer {
  /** Whether its WebSocket layer answers protocol Pings, as RFC 6455 §5.5.2 asks. */
  answersPings: boolean;
  /** Whether its page answers application pings. */
  answersBeats: boolean;
  /** How long its answers take. */
  latency: Millis;
  /** How much longer those of the page take. */
  lag: Millis;
}

/** The server's end of a connection, as far as that of `ws` is used. It has no network. */
export class VirtualSocket extends EventEmitter {
  readyState: number = ReadyState.Open;
  bufferedAmount = 0;
  readonly peer: Peer;
  /** The options with which each message was sent. */
  readonly sendOptions: unknown[] = [];
  /** What becomes of the callback of a message: it has left at once. */
  whenSent: (sent: () => void) => void = (sent) => sent();
  readonly #scheduler: VirtualScheduler;
  readonly #note: (what: string) => void;
  readonly #closeListeners: Map<unknown, (code: number, reason: Buffer) => void> = new Map();

  constructor(scheduler: VirtualScheduler, peer: Peer, note: (what: string) => void) {
    super();
    this.#scheduler = scheduler;
    this.peer = peer;
    this.#note = note;
  }

  // What the server calls.

  send(data: unknown, options?: unknown, sent?: () => void): void {
    this.#note(`sends ${show(data)}`);
    this.sendOptions.push(options);
    if (sent !== undefined) this.whenSent(sent);
    const text = String(data);
    if (text.startsWith('\u0005wb') && this.peer.answersBeats) {
      this.#later(this.peer.latency + this.peer.lag, () => this.receive(`\u0006${text.slice(1)}`));
    }
  }

  ping(data: unknown, _mask?: boolean, sent?: () => void): void {
    this.#note(`Ping ${data}`);
    sent?.();
    if (this.peer.answersPings) this.#later(this.peer.latency, () => this.receivePong(data));
  }

  close(code?: number, text = ''): void {
    this.#note(`closes ${code} ${text}`.trim());
    this.readyState = ReadyState.Closing;
  }

  pause(): void {
    this.#note('pauses');
  }

  terminate(): void {
    this.#note('terminates');
    this.readyState = ReadyState.Closing;
    this.#later(0, () => this.end(1006));
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    if (type !== 'close') throw new Error(`nobody asked for ${type} yet`);
    const wrapper = (code: number, reason: Buffer) => {
      listener({ type, code, reason: String(reason) });
    };
    this.#closeListeners.set(listener, wrapper);
    this.on('close', wrapper);
  }

  removeEventListener(_type: string, listener: unknown): void {
    const wrapper = this.#closeListeners.get(listener);
    if (wrapper !== undefined) this.off('close', wrapper);
  }

  // What the network brings.

  receive(data: string | Uint8Array): void {
    if (this.readyState === ReadyState.Closed) return;
    this.emit('message', Buffer.from(data), typeof data !== 'string');
  }

  receivePing(data = ''): void {
    this.emit('ping', Buffer.from(data));
  }

  receivePong(data: unknown): void {
    if (this.readyState === ReadyState.Closed) return;
    this.emit('pong', Buffer.from(String(data)));
  }

  end(code: number, reason = ''): void {
    if (this.readyState === ReadyState.Closed) return;
    this.readyState = ReadyState.Closed;
    this.emit('close', code, Buffer.from(reason));
  }

  #later(wait: Millis, act: () => void): void {
    this.#scheduler.at(this.#scheduler.now() + wait, act);
  }
}

/** The server, as far as that of `ws` is used. */
export class VirtualServer extends EventEmitter {
  readonly clients?: Set<VirtualSocket>;

  constructor({ clientTracking = true } = {}) {
    super();
    if (clientTracking) this.clients = new Set();
  }

  handleUpgrade(): void {}

  shouldHandle(): boolean {
    return true;
  }

  accept(socket: VirtualSocket, request?: object): void {
    const { clients } = this;
    if (clients?.add(socket)) socket.once('close', () => clients.delete(socket));
    this.emit('connection', socket, request);
  }
}

const NEWS = ['alive', 'suspect', 'stall', 'unanswered'] as const;

/**
 * A server with a heartbeat, and all that happens to its sockets in one log: a line each, which
 * begins with the time.
 */
export class Stage {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly server: VirtualServer;
  readonly heartbeat: ServerHeartbeat<VirtualSocket>;
  readonly log: string[] = [];

  /** Nothing is left to chance: no jitter, and its protocol Pings begin with `wb-0`. */
  constructor(
    options: ServerOptions<VirtualSocket> = {},
    server: VirtualServer = new VirtualServer(),
  ) {
    this.server = server;
    const fixed = { jitter: 0, random: () => 0, scheduler: this.scheduler };
    this.heartbeat = attachHeartbeat(server, { ...fixed, ...options });
    const { heartbeat } = this;
    for (const name of NEWS) heartbeat.on(name, () => this.note(name));
    heartbeat.on('dead', ({ reason }) => this.note(`dead: ${reason}`));
    heartbeat.on('end', ({ reason, code = '', text }) => {
      this.note(`end: ${[reason, code, text].join(' ').trim()}`);
    });
  }

  note(what: string): void {
    this.log.push(`${this.scheduler.now()} ${what}`);
  }

  /** A connection, and its heartbeat. The log says what the application sees. */
  connect(
    peer: Partial<Peer> = {},
    request?: object,
  ): { socket: VirtualSocket; connection: ConnectionHeartbeat } {
    const socket = this.socket(peer);
    this.server.accept(socket, request);
    const connection = this.heartbeat.get(socket);
    if (connection === undefined) throw new Error('unreachable: it is open');
    return { socket, connection };
  }

  /** The same before the server has accepted it. */
  socket(peer: Partial<Peer> = {}): VirtualSocket {
    const manners = { answersPings: true, answersBeats: false, latency: 0, lag: 0, ...peer };
    const socket = new VirtualSocket(this.scheduler, manners, (what) => this.note(what));
    for (const name of ['ping', 'pong']) {
      socket.on(name, (data) => this.note(`application: ${name} ${data}`));
    }
    socket.on('message', (data, isBinary) => {
      this.note(`application: ${isBinary ? 'binary' : 'message'} ${show(data)}`);
    });
    return socket;
  }

  /** The lines of the log that say one of these things, with the time or without. */
  lines(pattern: RegExp): string[] {
    return this.log.filter((line) => pattern.test(line));
  }

  advanceTo(end: Millis): void {
    this.scheduler.advanceTo(end);
  }
}

/** Text in which ENQ and ACK can be seen. */
function show(data: unknown): string {
  return String(data).replace('\u0005', '?').replace('\u0006', '!');
}
