import type { Duplex } from 'node:stream';
import {
  type Beat,
  CloseCode,
  ConnectionClosedError,
  decodeBeat,
  encodeBeat,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PingOrder,
  type Timing,
} from '@wirebeat/core';
import { ApplicationTier } from '../connection/application-tier.ts';
import type { PageBeat } from '../connection/bridged-pings.ts';
import { FLOOD, UNRESPONSIVE } from '../connection/connection-end.ts';
import { readPayload } from '../connection/ping-payload.ts';
import { RateLimit } from '../connection/rate-limit.ts';
import { TransportTier } from '../connection/transport-tier.ts';
import { type Cause, judgeEnd } from './blame.ts';
import * as ending from './close-codes.ts';
import type { GatewayContext } from './context.ts';
import type { ConnectionListener, GatewayEnd } from './events.ts';
import { mayBeSent, readClose } from './frames/close-frame.ts';
import { Opcode } from './frames/frame.ts';
import { UpstreamError } from './http/upstream-error.ts';
import { Bridge } from './tunnel/bridge.ts';
import { otherOf, SIDES, type Side } from './tunnel/side.ts';
import { emitterOf } from './tunnel/side-events.ts';
import { Tunnel, type TunnelPort } from './tunnel/tunnel.ts';

/** Both ends of a connection, after both handshakes. */
export interface ConnectionEnds {
  readonly id: number;
  readonly sockets: Readonly<Record<Side, Duplex>>;
  /** The upstream URL without query, user and password. */
  readonly url: string;
  /** The path of the page's request, without the query. */
  readonly path: string;
  /** The subprotocol that was agreed; empty if none was. */
  readonly protocol: string;
  readonly remoteAddress: string | undefined;
}

/**
 * One page, its upstream, and the traffic between them. A page has the two tiers of a client, as on a
 * server without a gateway; its transport tier is the browser. The upstream has only a transport tier:
 * the pings of the page are bridged to it, and it is sent others when the page sends none.
 */
export class GatewayConnection {
  /** Number of the connection, counted from 1. */
  readonly id: number;
  /** The URL that was dialled, without query, user and password. */
  readonly upstream: string;
  /** The path of the page's request, without the query. */
  readonly path: string;
  /** The subprotocol that was agreed; empty if none was. */
  readonly protocol: string;
  /** Address of the page, or of a proxy in front of the gateway. */
  readonly remoteAddress: string | undefined;
  /** When both handshakes were done, in ms of the scheduler's clock. */
  readonly openedAt: Instant;
  readonly #context: GatewayContext;
  readonly #emit: ConnectionListener;
  readonly #tunnel: Tunnel;
  readonly #tiers: Readonly<Record<Side, TransportTier>>;
  readonly #bridge: Bridge;
  #page: ApplicationTier | undefined; // created on the first application ping
  readonly #pingLimit: RateLimit = new RateLimit();
  #asked: PageBeat | undefined; // set while the machine handles the ping of the page
  #cause: Cause | undefined; // why it ended, judged while both sockets are still open

  constructor(ends: ConnectionEnds, context: GatewayContext, emit: ConnectionListener) {
    this.id = ends.id;
    this.upstream = ends.url;
    this.path = ends.path;
    this.protocol = ends.protocol;
    this.remoteAddress = ends.remoteAddress;
    this.openedAt = context.scheduler.now();
    this.#context = context;
    this.#emit = emit;
    this.#tunnel = new Tunnel(ends.sockets, context, this.#tunnelPort());
    this.#tiers = {
      page: this.#tierOf('page', context.policy.timing),
      upstream: this.#tierOf('upstream', context.upstreamTiming),
    };
    this.#bridge = new Bridge(context, {
      upstream: this.#tiers.upstream,
      answered: (ping, upstreamLatency) => {
        this.#answer(ping);
        this.#emit('beat', { upstreamLatency });
      },
    });
  }

  /** Starts the connection. `heads` are the bytes that followed the handshakes. */
  open(heads: Readonly<Record<Side, Buffer>>): void {
    this.#tunnel.listen();
    this.#emit('open', {});
    if (this.#tunnel.isEnding) return; // a listener has closed the connection
    this.#tiers.page.open();
    this.#tiers.upstream.open();
    this.#tunnel.take(heads);
  }

  /** Whether the page has sent an application ping. */
  get speaks(): boolean {
    return this.#page !== undefined;
  }

  /**
   * `false` while the application tier is unresponsive; `undefined` if the page has sent no application
   * ping.
   */
  get isResponsive(): boolean | undefined {
    return this.#page?.isResponsive;
  }

  /** Whether an answer from either end is overdue. */
  get isSuspect(): boolean {
    return Object.values(this.#tiers).some(({ heartbeat }) => heartbeat.status === 'suspect');
  }

  /**
   * Last latency in ms between the gateway and the application tier; `undefined` before the first pong,
   * or if the page has sent no application ping.
   */
  get pageLatency(): Millis | undefined {
    return this.#page?.latency;
  }

  /**
   * Last latency in ms between the gateway and the browser's WebSocket layer; `undefined` before the
   * first Pong.
   */
  get browserLatency(): Millis | undefined {
    return this.#tiers.page.heartbeat.latency;
  }

  /** Last latency in ms between the gateway and the upstream; `undefined` before the first Pong. */
  get upstreamLatency(): Millis | undefined {
    return this.#tiers.upstream.heartbeat.latency;
  }

  /**
   * Latency in ms between the page and the upstream: the sum of the last latencies of both hops. Uses
   * the browser's latency if the page has none.
   */
  get endToEndLatency(): Millis | undefined {
    const [near, far] = [this.pageLatency ?? this.browserLatency, this.upstreamLatency];
    return near === undefined || far === undefined ? undefined : near + far;
  }

  /**
   * Longest possible time in ms from the last byte of the upstream until the page is told that the
   * upstream is dead.
   */
  get detectionBound(): Millis {
    return this.#tiers.upstream.heartbeat.detectionBound;
  }

  get bytesFromPage(): number {
    return this.#tunnel.sides.page.bytesRead;
  }

  get bytesFromUpstream(): number {
    return this.#tunnel.sides.upstream.bytesRead;
  }

  /**
   * Closes both sides: the page with this code, the upstream with 1001.
   *
   * @throws {RangeError} if `code` must not be sent in a Close frame.
   */
  close(code: number = CloseCode.GoingAway, text = ''): void {
    if (!mayBeSent(code)) throw new RangeError(`${code} is not allowed in a Close frame`);
    this.#tunnel.finish(ending.closing('terminated', code, text));
  }

  /** Drops both sides at once, without a closing handshake. */
  terminate(): void {
    this.#tunnel.decide(ending.withoutClose('terminated').end);
    for (const side of SIDES) this.#tunnel.drop(side);
  }

  // What a drain calls.

  /** Stops pinging both ends and checking their answers. */
  stopPinging(): void {
    for (const tier of Object.values(this.#tiers)) tier.stopPinging();
    this.#page?.stopPinging();
  }

  /**
   * Closes the connection with 1012 and tells the client how long to wait before it reconnects, in ms:
   * both in a ping and in the close reason.
   */
  closeForRestart(retryAfter: Millis): void {
    if (this.#tunnel.isEnding) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.#page?.announce({ retryAfter: String(hint) });
    this.#tunnel.finish(ending.restarting(hint));
  }

  // Both tiers.

  #tierOf(side: Side, machine: Timing): TransportTier {
    const incoming = this.#tunnel.sides[side];
    const port = {
      isOpen: true, // a side that closes ignores what is sent
      emit: emitterOf(side, this.#emit),
      sendPong: () => {
        if (this.#asked === undefined) return;
        if (this.#context.endToEnd) this.#bridge.ask(this.#asked);
        else this.#answer(this.#asked);
      },
      pinged: (order: PingOrder) => side === 'upstream' && this.#bridge.pinged(order),
      died: (event: HeartbeatEvents['dead']) => this.#died(side, event),
    };
    const { scheduler } = this.#context;
    return new TransportTier(incoming, port, this.#context, { machine, scheduler, incoming });
  }

  #applicationTier(): ApplicationTier {
    const side = this.#tunnel.sides.page;
    const { heartbeat } = this.#tiers.page;
    const port = {
      emit: emitterOf('page', this.#emit),
      sendBeat: (beat: Beat) => side.send(encodeBeat(beat)),
      giveUp: () => this.#tunnel.finish(ending.closingPage('unresponsive', UNRESPONSIVE)),
      get lastReceived(): Instant {
        return heartbeat.lastReceived;
      },
      get isPaused(): boolean {
        return side.isPaused;
      },
    };
    return new ApplicationTier(port, this.#context);
  }

  // Incoming data.

  #tunnelPort(): TunnelPort {
    return {
      received: (side) => this.#tiers[side].receiveBytes(),
      receiveText: (side, text) => this.#receiveText(side, text),
      receiveControl: (side, opcode, payload) => this.#receiveControl(side, opcode, payload),
      passed: (...traffic) => this.#passed(...traffic),
      faulted: (error) => this.#tunnel.finish(ending.faulting(error)),
      decided: (end) => this.#decided(end),
      ended: (end) => this.#ended(end),
    };
  }

  #passed(side: Side, bytes: number, frames: number, hasMessage: boolean): void {
    this.#context.tally.passed(side, bytes, frames);
    if (hasMessage && side === 'page') {
      this.#page?.receiveMessage(this.#tiers.page.heartbeat.lastReceived);
    }
    if (frames > 0) this.#tiers[side].endMessage();
    this.#tiers[otherOf(side)].sent();
  }

  /**
   * Returns whether the text is a heartbeat message, so that it is not passed on. The gateway answers
   * the page's pings. An upstream never receives one and must not send any (docs/protocol.md): a text
   * of the upstream that looks like a ping or pong was written by some user and broadcast, and every
   * page would mistake it for one of the gateway's.
   */
  #receiveText(side: Side, text: string): boolean {
    const beat = decodeBeat(text);
    if (beat === undefined) return false;
    if (side === 'upstream') this.#context.tally.beatsFromUpstreams += 1;
    else if (beat.type === 'ping') this.#receivePing(beat);
    else this.#page?.receiveBeat(beat);
    return true;
  }

  /** Returns whether the gateway handles the frame itself, so that it is not passed on. */
  #receiveControl(side: Side, opcode: number, payload: Buffer): boolean {
    switch (opcode) {
      case Opcode.Ping:
        return this.#receiveProtocolPing(side, payload);
      case Opcode.Pong:
        return side === 'page' ? this.#receivePong(payload) : this.#bridge.receivePong(payload);
      default: {
        const { code, text } = readClose(payload, side);
        this.#tunnel.decide({ reason: 'closed', code, text, by: side });
        return false;
      }
    }
  }

  /** The other end answers it, or the gateway does. */
  #receiveProtocolPing(side: Side, payload: Buffer): boolean {
    if (side === 'page' && !this.#admits()) return true;
    const { sides } = this.#tunnel;
    if (this.#context.endToEnd) sides[otherOf(side)].asked();
    else sides[side].pong(payload);
    return !this.#context.endToEnd;
  }

  /** Returns whether the page may send a ping now. If not, closes the connection. */
  #admits(): boolean {
    const { scheduler, pingLimit } = this.#context;
    if (this.#pingLimit.take(scheduler.now(), pingLimit)) return true;
    this.#tunnel.finish(ending.closingPage('flood', FLOOD));
    return false;
  }

  // Pings of the page.

  #receivePing(beat: Beat): void {
    const received = Date.now();
    this.#context.tally.pingsFromPages += 1;
    if (!this.#admits()) return;
    const { page } = this.#tiers;
    const isFirst = this.#page === undefined;
    this.#page ??= this.#applicationTier();
    this.#asked = { beat, received };
    page.receiveBeat(beat);
    this.#asked = undefined;
    this.#page.receiveBeat(beat);
    if (isFirst) this.#page.probe(page.heartbeat.pingTimeout);
  }

  /** Handles a Pong of the page. Returns whether it answers one of the gateway's Pings. */
  #receivePong(payload: Buffer): boolean {
    const pong = readPayload(this.#context.payload, payload);
    if (pong !== undefined) this.#tiers.page.receiveBeat(pong);
    this.#page?.transportAnswered();
    return pong !== undefined;
  }

  /** Answers a ping of the page, once the upstream has answered or if it need not. */
  #answer({ beat, received }: PageBeat): void {
    const { endToEnd, tally } = this.#context;
    const says = this.#page?.answerTo(beat, received, false);
    // A pong with an id proves that everything before it was read. If the gateway answers, only the
    // gateway has read it.
    const values = beat.id === undefined || endToEnd ? says : { ...says, by: 'gateway' };
    tally.pongsToPages += 1;
    // The latest pong replaces earlier waiting ones, but a bare pong only replaces a bare one.
    const slot = beat.id === undefined ? 'bare' : 'pong';
    this.#tunnel.sides.page.send(encodeBeat({ type: 'pong', id: beat.id, values }), slot);
  }

  // Ending the connection.

  #died(side: Side, { reason, silentFor, error: cause }: HeartbeatEvents['dead']): void {
    const isPage = side === 'page';
    const { upstream: url } = this;
    const error = isPage ? cause : new UpstreamError({ kind: 'dead', url, silentFor, cause });
    this.#emit('dead', { side, reason, silentFor, error });
    const how = isPage ? ending.withoutClose('page-dead', error) : ending.upstreamDead(error);
    this.#tunnel.finish(how);
    this.#tunnel.drop(side);
  }

  /** Stops both heartbeats once the end is decided. Returns the end to report. */
  #decided(end: GatewayEnd): GatewayEnd {
    const { code, text, by } = end;
    this.#cause = judgeEnd(end, this.openedAt, this.#tunnel.sides, this.#context);
    const error = new ConnectionClosedError(code, text);
    this.#bridge.clear();
    for (const tier of Object.values(this.#tiers)) tier.close(error);
    this.#page?.close(error);
    if (end.reason !== 'abnormal' || by === 'gateway') return end;
    // A side that closes because the other one does not answer has only noticed first.
    const other = otherOf(by);
    const { blame } = this.#cause;
    const isOther = blame === other || blame === `${other}-network`;
    return isOther ? { ...end, reason: `${other}-dead` } : end;
  }

  #ended(end: GatewayEnd): void {
    this.#context.tally.ended[end.reason] += 1;
    const duration = this.#context.scheduler.now() - this.openedAt;
    this.#emit('end', { ...end, duration, ...(this.#cause as Cause) });
  }
}
