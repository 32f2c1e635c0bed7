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
import type { GatewayContext } from './context.ts';
import type { ConnectionListener, GatewayEnd } from './events.ts';
import { mayBeSent, readClose } from './frames/close-frame.ts';
import { encodeFrame, Opcode } from './frames/frame.ts';
import { type FrameError, FrameFault } from './frames/frame-error.ts';
import { UpstreamError } from './http/upstream-error.ts';
import { PageSide } from './tunnel/page-side.ts';
import { otherOf, type Side } from './tunnel/side.ts';
import { type Traffic, Tunnel, type TunnelPort } from './tunnel/tunnel.ts';
import { UpstreamSide } from './tunnel/upstream-side.ts';

/** Both ends of a connection, after both handshakes. */
export interface ConnectionEnds {
  readonly id: number;
  readonly sockets: Readonly<Record<Side, Duplex>>;
  /** Without query, user and password. */
  readonly url: string;
  /** The subprotocol that was agreed; empty if none was. */
  readonly protocol: string;
  readonly remoteAddress: string | undefined;
}

/** What an upstream is told where the gateway itself wishes to end: RFC 6455 §7.4.1. */
const LEAVING = [CloseCode.GoingAway, ''] as const;

/** One page and its upstream, and all that goes between them. */
export class GatewayConnection {
  /** Counts from 1. */
  readonly id: number;
  /** What was dialled, without query, user and password. */
  readonly upstream: string;
  /** The subprotocol that was agreed; empty if none was. */
  readonly protocol: string;
  /** Of the page, or of a proxy before the gateway. */
  readonly remoteAddress: string | undefined;
  /** By the scheduler's clock. */
  readonly openedAt: Instant;
  readonly #context: GatewayContext;
  readonly #tell: ConnectionListener;
  readonly #link: Tunnel;
  readonly #page: PageSide;
  readonly #upstream: UpstreamSide;

  constructor(ends: ConnectionEnds, context: GatewayContext, tell: ConnectionListener) {
    this.id = ends.id;
    this.upstream = ends.url;
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

  /** Begins, with what came behind the handshakes. */
  open(heads: Readonly<Record<Side, Buffer>>): void {
    this.#link.listen();
    this.#tell('open', {});
    if (this.#link.isEnding) return; // a listener has ended it
    this.#page.pulse.open();
    this.#upstream.pulse.open();
    this.#link.take(heads);
  }

  /** Whether the page has sent an application ping. */
  get speaks(): boolean {
    return this.#page.speaks;
  }

  /** Whether the page answers, as far as is known; undefined if it does not speak. */
  get isResponsive(): boolean | undefined {
    return this.#page.isResponsive;
  }

  /** Whether an answer of either end is overdue. */
  get isSuspect(): boolean {
    const pulses = [this.#page.pulse, this.#upstream.pulse];
    return pulses.some(({ heartbeat }) => heartbeat.status === 'suspect');
  }

  /** Between the gateway and the page itself; undefined until the first, or if it does not speak. */
  get pageLatency(): Millis | undefined {
    return this.#page.pageLatency;
  }

  /** Between the gateway and the WebSocket layer of the browser; undefined until the first. */
  get browserLatency(): Millis | undefined {
    return this.#page.browserLatency;
  }

  /** Between the gateway and the upstream; undefined until the first. */
  get upstreamLatency(): Millis | undefined {
    return this.#upstream.latency;
  }

  /** Between the page, or else its browser, and the upstream: the sum of the last of both hops. */
  get endToEndLatency(): Millis | undefined {
    const [near, far] = [this.pageLatency ?? this.browserLatency, this.upstreamLatency];
    return near === undefined || far === undefined ? undefined : near + far;
  }

  /** The worst time from the last byte of the upstream until the page is told that it is dead. */
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
   * Ends both sides: the page gets this code, the upstream 1001.
   *
   * @throws {RangeError} if that is no code that may be sent.
   */
  close(code: number = CloseCode.GoingAway, text = ''): void {
    if (!mayBeSent(code)) throw new RangeError(`${code} cannot stand in a Close frame`);
    const end = { reason: 'terminated', code, text, by: 'gateway' } as const;
    this.#link.finish(end, { page: [code, text], upstream: LEAVING });
  }

  /** Drops both sides at once. */
  terminate(): void {
    this.#link.decide(withoutClose('terminated'));
    this.#link.drop('page');
    this.#link.drop('upstream');
  }

  // What a drain asks.

  /** Neither end is judged any more. */
  rest(): void {
    this.#page.rest();
    this.#upstream.pulse.rest();
  }

  /** Closes with 1012, and with a hint when to come back: by a ping and in the text. */
  dismiss(retryAfter: Millis): void {
    if (this.#link.isEnding) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.#page.announce({ retryAfter: String(hint) });
    const text = hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart';
    const end = { reason: 'drain', code: SERVICE_RESTART, text, by: 'gateway' } as const;
    this.#link.finish(end, { page: [SERVICE_RESTART, text], upstream: LEAVING });
  }

  // What comes.

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
   * Whether it is exactly a beat, which goes no further. Those of a page are the gateway's to answer. An
   * upstream has none to send: it is never sent one, and must not begin (docs/protocol.md). What looks
   * like one is a text of some user that it broadcasts, and would be taken for our word by every page.
   */
  #receiveText(side: Side, text: string): boolean {
    const beat = decodeBeat(text);
    if (beat === undefined) return false;
    if (side === 'page') this.#page.receiveBeat(beat);
    else this.#context.tally.beatsFromUpstreams += 1;
    return true;
  }

  /** Whether it goes no further. */
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

  /** The other end answers it, or we. */
  #receivePing(side: Side, payload: Buffer): boolean {
    if (side === 'page' && !this.#page.admits()) return true;
    if (this.#context.endToEnd) return false;
    const pong = encodeFrame(Opcode.Pong, payload, side === 'upstream');
    // RFC 6455 §5.5.3: of several Pings the latest may be answered alone.
    this.#link.insert(side, pong, { slot: 'pong of the layer' });
    return true;
  }

  // How it ends.

  #faulted(error: FrameError): void {
    const { closeCode: code, side, rule } = error;
    const isTooBig = code === FrameFault.TooBig;
    const fault = side === 'page' ? 'protocol-error' : 'upstream-invalid';
    const reason = isTooBig ? 'too-big' : fault;
    const says = [code, rule] as const;
    const atPage = [BAD_GATEWAY, 'the upstream broke the protocol'] as const;
    this.#link.finish(
      { reason, code, text: rule, by: 'gateway', error },
      // An upstream is told of its own faults; what a page did wrong looks to it like 1006.
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

  /** Nobody is judged after it. */
  #decided({ code, text }: GatewayEnd): void {
    const error = new ConnectionClosedError(code, text);
    this.#page.close(error);
    this.#upstream.close(error);
  }

  #ended(end: GatewayEnd): void {
    this.#context.tally.ended[end.reason] += 1;
    this.#tell('end', { ...end, duration: this.#context.scheduler.now() - this.openedAt });
  }
}

function withoutClose(reason: GatewayEnd['reason']): GatewayEnd {
  return { reason, code: CloseCode.Abnormal, text: '', by: 'gateway' };
}
