import type { Duplex } from 'node:stream';
import {
  CloseCode,
  ConnectionClosedError,
  decodeBeat,
  type HeartbeatEvents,
  type Instant,
  type Millis,
} from '@wirebeat/core';
import { BAD_GATEWAY, SERVICE_RESTART, UPSTREAM_DEAD } from '../connection/close-reasons.ts';
import type { ConnectionEnd } from '../connection/events.ts';
import { blameFor, type Cause, OVERDUE } from './blame.ts';
import type { GatewayContext } from './context.ts';
import type { ConnectionListener, GatewayEnd } from './events.ts';
import { mayBeSent, readClose } from './frames/close-frame.ts';
import { encodeFrame, Opcode } from './frames/frame.ts';
import { FrameError, FrameFault } from './frames/frame-error.ts';
import { UpstreamError } from './http/upstream-error.ts';
import { PageSide } from './tunnel/page-side.ts';
import { otherOf, type Side } from './tunnel/side.ts';
import { type Traffic, Tunnel, type TunnelPort } from './tunnel/tunnel.ts';
import { UpstreamSide } from './tunnel/upstream-side.ts';

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

/** What the gateway sends the upstream when the gateway itself closes: RFC 6455 §7.4.1. */
const LEAVING = [CloseCode.GoingAway, ''] as const;

/** One page, its upstream, and the traffic between them. */
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
  readonly #tell: ConnectionListener;
  readonly #link: Tunnel;
  readonly #page: PageSide;
  readonly #upstream: UpstreamSide;
  #cause: Cause | undefined;

  constructor(ends: ConnectionEnds, context: GatewayContext, tell: ConnectionListener) {
    this.id = ends.id;
    this.upstream = ends.url;
    this.path = ends.path;
    this.protocol = ends.protocol;
    this.remoteAddress = ends.remoteAddress;
    this.openedAt = context.scheduler.now();
    this.#context = context;
    this.#tell = tell;
    const link = new Tunnel({ ...context, sockets: ends.sockets }, this.#watcher());
    this.#link = link;
    this.#page = new PageSide(context, {
      line: link.lineOf('page'),
      tell,
      insert: (frame, options) => link.insert('page', frame, options),
      asked: (ping) => (context.endToEnd ? this.#upstream.ask(ping) : this.#page.answer(ping)),
      died: (event) => this.#pageDied(event),
      expel: (end) => this.#expel(end),
    });
    this.#upstream = new UpstreamSide(context, {
      line: link.lineOf('upstream'),
      tell,
      insert: (frame, options) => link.insert('upstream', frame, options),
      answered: (ping) => this.#page.answer(ping),
      died: (event) => this.#upstreamDied(event),
    });
  }

  /** Starts the connection. `heads` are the bytes that followed the handshakes. */
  open(heads: Readonly<Record<Side, Buffer>>): void {
    this.#link.listen();
    this.#tell('open', {});
    if (this.#link.isEnding) return; // a listener has closed the connection
    this.#page.pulse.open();
    this.#upstream.pulse.open();
    this.#link.take(heads);
  }

  /** Whether the page has sent an application ping. */
  get speaks(): boolean {
    return this.#page.speaks;
  }

  /**
   * `false` while the application tier is unresponsive; `undefined` if the page has sent no application
   * ping.
   */
  get isResponsive(): boolean | undefined {
    return this.#page.isResponsive;
  }

  /** Whether an answer from either end is overdue. */
  get isSuspect(): boolean {
    const pulses = [this.#page.pulse, this.#upstream.pulse];
    return pulses.some(({ heartbeat }) => heartbeat.status === 'suspect');
  }

  /**
   * Last latency in ms between the gateway and the application tier; `undefined` before the first pong,
   * or if the page has sent no application ping.
   */
  get pageLatency(): Millis | undefined {
    return this.#page.pageLatency;
  }

  /**
   * Last latency in ms between the gateway and the browser's WebSocket layer; `undefined` before the
   * first Pong.
   */
  get browserLatency(): Millis | undefined {
    return this.#page.browserLatency;
  }

  /** Last latency in ms between the gateway and the upstream; `undefined` before the first Pong. */
  get upstreamLatency(): Millis | undefined {
    return this.#upstream.latency;
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
    return this.#upstream.pulse.heartbeat.detectionBound;
  }

  get bytesFromPage(): number {
    return this.#link.bytesFrom('page');
  }

  get bytesFromUpstream(): number {
    return this.#link.bytesFrom('upstream');
  }

  /**
   * Closes both sides: the page with this code, the upstream with 1001.
   *
   * @throws {RangeError} if `code` must not be sent in a Close frame.
   */
  close(code: number = CloseCode.GoingAway, text = ''): void {
    if (!mayBeSent(code)) throw new RangeError(`${code} is not allowed in a Close frame`);
    const end = { reason: 'terminated', code, text, by: 'gateway' } as const;
    this.#link.finish(end, { page: [code, text], upstream: LEAVING });
  }

  /** Drops both sides at once, without a closing handshake. */
  terminate(): void {
    this.#link.decide(withoutClose('terminated'));
    this.#link.drop('page');
    this.#link.drop('upstream');
  }

  // What a drain calls.

  /** Stops pinging both ends and checking their answers. */
  rest(): void {
    this.#page.rest();
    this.#upstream.pulse.rest();
  }

  /**
   * Closes the connection with 1012 and tells the client how long to wait before it reconnects, in ms:
   * both in a ping and in the close reason.
   */
  dismiss(retryAfter: Millis): void {
    if (this.#link.isEnding) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.#page.announce({ retryAfter: String(hint) });
    const text = hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart';
    const end = { reason: 'drain', code: SERVICE_RESTART, text, by: 'gateway' } as const;
    this.#link.finish(end, { page: [SERVICE_RESTART, text], upstream: LEAVING });
  }

  // Incoming data.

  #watcher(): TunnelPort {
    return {
      received: (side) => this.#sideOf(side).pulse.received(),
      receiveText: (side, text) => this.#receiveText(side, text),
      receiveControl: (side, opcode, payload) => this.#receiveControl(side, opcode, payload),
      passed: (side, traffic) => this.#passed(side, traffic),
      faulted: (error) => this.#faulted(error),
      resumed: (side) => this.#sideOf(side).pulse.resumed(),
      decided: (end) => this.#decided(end),
      ended: (end) => this.#ended(end),
    };
  }

  #sideOf(side: Side): PageSide | UpstreamSide {
    return side === 'page' ? this.#page : this.#upstream;
  }

  #passed(side: Side, { bytes, frames, hasMessage }: Traffic): void {
    const { tally } = this.#context;
    if (side === 'page') {
      tally.bytesFromPages += bytes;
      tally.framesFromPages += frames;
      if (hasMessage) this.#page.spoke();
    } else {
      tally.bytesFromUpstreams += bytes;
      tally.framesFromUpstreams += frames;
    }
    if (frames > 0) this.#sideOf(side).pulse.heard();
    this.#sideOf(otherOf(side)).pulse.sent();
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
    if (side === 'page') this.#page.receiveBeat(beat);
    else this.#context.tally.beatsFromUpstreams += 1;
    return true;
  }

  /** Returns whether the frame stays here, so that it is not passed on. */
  #receiveControl(side: Side, opcode: number, payload: Buffer): boolean {
    switch (opcode) {
      case Opcode.Ping:
        return this.#receivePing(side, payload);
      case Opcode.Pong:
        return this.#sideOf(side).receiveProtocolPong(payload);
      default: {
        const { code, text } = readClose(payload, side);
        this.#link.decide({ reason: 'closed', code, text, by: side });
        return false;
      }
    }
  }

  /** Handles a protocol Ping. The other end answers it, or the gateway does. */
  #receivePing(side: Side, payload: Buffer): boolean {
    if (side === 'page' && !this.#page.admits()) return true;
    if (this.#context.endToEnd) {
      this.#link.asked(otherOf(side));
      return false;
    }
    const pong = encodeFrame(Opcode.Pong, payload, side === 'upstream');
    // RFC 6455 §5.5.3: one Pong to the latest of several Pings is enough.
    this.#link.insert(side, pong, { slot: 'pong of the layer' });
    return true;
  }

  // Ending the connection.

  #faulted(error: FrameError): void {
    const { closeCode: code, side, rule } = error;
    const isTooBig = code === FrameFault.TooBig;
    const fault = side === 'page' ? 'protocol-error' : 'upstream-invalid';
    const reason = isTooBig ? 'too-big' : fault;
    const says = [code, rule] as const;
    const atPage = [BAD_GATEWAY, 'the upstream broke the protocol'] as const;
    this.#link.finish(
      { reason, code, text: rule, by: 'gateway', error },
      // The upstream only receives its own faults. A fault of the page looks to the upstream like 1006.
      side === 'page' ? { page: says } : { page: isTooBig ? says : atPage, upstream: says },
    );
  }

  #pageDied({ reason, silentFor, error }: HeartbeatEvents['dead']): void {
    this.#tell('dead', { side: 'page', reason, silentFor, error });
    this.#link.finish({ ...withoutClose('page-dead'), error });
    this.#link.drop('page');
  }

  #upstreamDied({ reason, silentFor, error: cause }: HeartbeatEvents['dead']): void {
    const error = new UpstreamError({ kind: 'dead', url: this.upstream, silentFor, cause });
    this.#tell('dead', { side: 'upstream', reason, silentFor, error });
    const text = 'upstream-dead';
    const end = { reason: text, code: UPSTREAM_DEAD, text, by: 'gateway', error } as const;
    this.#link.finish(end, { page: [UPSTREAM_DEAD, text] });
    this.#link.drop('upstream');
  }

  #expel({ reason, code = CloseCode.PolicyViolation, text }: ConnectionEnd): void {
    const why = reason === 'flood' ? 'flood' : 'unresponsive';
    this.#link.finish({ reason: why, code, text, by: 'gateway' }, { page: [code, text] });
  }

  /** Stops both heartbeats once the end is decided. Returns the end to report. */
  #decided(end: GatewayEnd): GatewayEnd {
    const { code, text, by } = end;
    this.#cause = this.#judge(end);
    const error = new ConnectionClosedError(code, text);
    this.#page.close(error);
    this.#upstream.close(error);
    if (end.reason !== 'abnormal' || by === 'gateway') return end;
    // A side that leaves because the other one does not answer has only noticed first.
    const other = otherOf(by);
    const { blame } = this.#cause;
    const isOther = blame === other || blame === `${other}-network`;
    return isOther ? { ...end, reason: `${other}-dead` } : end;
  }

  #ended(end: GatewayEnd): void {
    this.#context.tally.ended[end.reason] += 1;
    const duration = this.#context.scheduler.now() - this.openedAt;
    const { blame, evidence } = this.#cause ?? this.#judge(end);
    this.#tell('end', { ...end, duration, blame, evidence });
  }

  /** Decides who is to blame, from what is known while both sockets are still open. */
  #judge(end: GatewayEnd): Cause {
    const { endHistory, stallWatch, scheduler } = this.#context;
    const { reason, by, error } = end;
    const overdue = reason === 'page-dead' || reason === 'upstream-dead' ? 0 : OVERDUE;
    const sides = {
      page: this.#link.factsOf('page', overdue),
      upstream: this.#link.factsOf('upstream', overdue),
    };
    const now = scheduler.now();
    const pattern =
      reason === 'abnormal' && by !== 'gateway'
        ? endHistory.add(by, {
            at: now,
            idle: sides[by].idleFor,
            survivedIdle: sides[by].survivedIdle,
            age: now - this.openedAt,
          })
        : undefined;
    const errorCode = (error as { readonly code?: unknown } | undefined)?.code;
    const faultSide = error instanceof FrameError ? error.side : undefined;
    return blameFor({ end, errorCode, faultSide, sides, stall: stallWatch.last, pattern });
  }
}

function withoutClose(reason: GatewayEnd['reason']): GatewayEnd {
  return { reason, code: CloseCode.Abnormal, text: '', by: 'gateway' };
}
