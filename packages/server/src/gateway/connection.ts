import type { Duplex } from 'node:stream';
import {
  CloseCode,
  ConnectionClosedError,
  decodeBeat,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type Timer,
} from '@wirebeat/core';
import { BAD_GATEWAY, SERVICE_RESTART, UPSTREAM_DEAD } from '../ends.ts';
import type { ConnectionEnd } from '../liveness-events.ts';
import { mayBeSent, readClose } from './close-frame.ts';
import { Flow, type FlowWatcher } from './flow.ts';
import { encodeClose, encodeFrame, Opcode } from './frame.ts';
import { FrameError, FrameFault } from './frame-error.ts';
import type { GatewayContext } from './gateway-context.ts';
import type { ConnectionListener, EndReason, GatewayEnd } from './gateway-events.ts';
import { PageSide } from './page-side.ts';
import type { Line } from './pulse.ts';
import { otherOf, SIDES, type Side } from './side.ts';
import { UpstreamError } from './upstream-error.ts';
import { UpstreamSide } from './upstream-side.ts';

/** How long the last bytes of a connection that the gateway ends may take to leave. */
const LEAVE_WAIT: Millis = 1_000;

/** Both ends of a connection, after both handshakes. */
export interface ConnectionEnds {
  readonly id: number;
  readonly page: Duplex;
  readonly upstream: Duplex;
  /** Without query, user and password. */
  readonly url: string;
  /** The subprotocol that was agreed; empty if none was. */
  readonly protocol: string;
  readonly remoteAddress: string | undefined;
}

/** What a closing gateway sends: a code and text to either end, or nothing. */
interface Farewell {
  readonly page?: readonly [code: number, text: string];
  readonly upstream?: readonly [code: number, text: string];
}

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
  readonly #sockets: Readonly<Record<Side, Duplex>>;
  readonly #flows: Readonly<Record<Side, Flow>>; // by where they come from
  readonly #page: PageSide;
  readonly #upstream: UpstreamSide;
  readonly #left: Set<Side> = new Set(['page', 'upstream']);
  #end: GatewayEnd | undefined;
  #timer: Timer | undefined;

  constructor(ends: ConnectionEnds, context: GatewayContext, tell: ConnectionListener) {
    const { page, upstream } = ends;
    this.id = ends.id;
    this.upstream = ends.url;
    this.protocol = ends.protocol;
    this.remoteAddress = ends.remoteAddress;
    this.openedAt = context.scheduler.now();
    this.#context = context;
    this.#tell = tell;
    this.#sockets = { page, upstream };
    const { maxMessageBytes } = context;
    this.#flows = {
      page: new Flow(
        { side: 'page', source: page, sink: upstream, maxMessageBytes },
        this.#watcher('page'),
      ),
      upstream: new Flow(
        { side: 'upstream', source: upstream, sink: page, maxMessageBytes },
        this.#watcher('upstream'),
      ),
    };
    this.#page = new PageSide(context, {
      line: lineOf(this.#flows.page, this.#flows.upstream, page),
      tell,
      insert: (frame, options) => this.#flows.upstream.insert(frame, options),
      asked: (ping) => (context.endToEnd ? this.#upstream.ask(ping) : this.#page.answer(ping)),
      died: (event) => this.#pageDied(event),
      expel: (end) => this.#expel(end),
    });
    this.#upstream = new UpstreamSide(context, {
      line: lineOf(this.#flows.upstream, this.#flows.page, upstream),
      tell,
      insert: (frame, options) => this.#flows.page.insert(frame, options),
      answered: (ping) => this.#page.answer(ping),
      died: (event) => this.#upstreamDied(event),
    });
  }

  /** Begins, with what came behind the handshakes. */
  open(heads: Readonly<Record<Side, Buffer>>): void {
    this.#listen('page');
    this.#listen('upstream');
    this.#tell('open', {});
    this.#page.pulse.open();
    this.#upstream.pulse.open();
    for (const side of SIDES) if (heads[side].length > 0) this.#read(side, heads[side]);
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
    return this.#flows.page.bytesRead;
  }

  get bytesFromUpstream(): number {
    return this.#flows.upstream.bytesRead;
  }

  /**
   * Ends both sides: the page gets this code, the upstream 1001.
   *
   * @throws {RangeError} if that is no code that may be sent.
   */
  close(code: number = CloseCode.GoingAway, text = ''): void {
    if (!mayBeSent(code)) throw new RangeError(`${code} cannot stand in a Close frame`);
    this.#finish(
      { reason: 'terminated', code, text, by: 'gateway' },
      { page: [code, text], upstream: LEAVING },
    );
  }

  /** Drops both sides at once. */
  terminate(): void {
    this.#decide({ reason: 'terminated', code: CloseCode.Abnormal, text: '', by: 'gateway' });
    this.#drop();
  }

  // What a drain asks.

  /** Neither end is judged any more. */
  rest(): void {
    this.#page.rest();
    this.#upstream.pulse.rest();
  }

  /** Closes with 1012, and with a hint when to come back: by a ping and in the text. */
  dismiss(retryAfter: Millis): void {
    if (this.#end !== undefined) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.#page.announce({ retryAfter: String(hint) });
    const text = hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart';
    const end = { reason: 'drain', code: SERVICE_RESTART, text, by: 'gateway' } as const;
    this.#finish(end, { page: [SERVICE_RESTART, text], upstream: LEAVING });
  }

  // What comes.

  #listen(side: Side): void {
    const socket = this.#sockets[side];
    socket.on('data', (chunk: Buffer) => this.#read(side, chunk));
    socket.on('drain', () => this.#drained(side));
    socket.on('end', () => this.#ended(side));
    socket.on('error', (error) => this.#gone(side, error));
    socket.on('close', () => this.#closed(side));
  }

  #read(side: Side, chunk: Buffer): void {
    const { tally } = this.#context;
    const isPage = side === 'page';
    const [from, to] = isPage ? [this.#page, this.#upstream] : [this.#upstream, this.#page];
    tally[isPage ? 'bytesFromPages' : 'bytesFromUpstreams'] += chunk.length;
    const flow = this.#flows[side];
    if (flow.isShut) return flow.read(chunk);
    const { frames, messages } = flow;
    from.pulse.received();
    try {
      flow.read(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#faulted(error);
    }
    tally[isPage ? 'framesFromPages' : 'framesFromUpstreams'] += flow.frames - frames;
    if (flow.frames > frames) from.pulse.heard();
    if (isPage && (flow.messages > messages || flow.isWithinFrame)) this.#page.spoke();
    to.pulse.sent();
  }

  /** It takes bytes again, so the other side is read again. */
  #drained(side: Side): void {
    const other = otherOf(side);
    if (!this.#flows[other].isPaused) return;
    this.#flows[other].drained();
    (other === 'page' ? this.#page : this.#upstream).pulse.resumed();
  }

  #watcher(side: Side): FlowWatcher {
    return {
      receiveText: (text) => {
        const beat = decodeBeat(text);
        if (beat !== undefined) this.#page.receiveBeat(beat);
        return beat !== undefined;
      },
      receiveControl: (opcode, payload) => this.#receiveControl(side, opcode, payload),
      closed: () => this.#closePassed(),
    };
  }

  /** Whether it goes no further. */
  #receiveControl(side: Side, opcode: number, payload: Buffer): boolean {
    switch (opcode) {
      case Opcode.Ping:
        return this.#receivePing(side, payload);
      case Opcode.Pong:
        return (side === 'page' ? this.#page : this.#upstream).receiveProtocolPong(payload);
      default: {
        const { code, text } = readClose(payload, side);
        this.#decide({ reason: 'closed', code, text, by: side });
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
    this.#flows[otherOf(side)].insert(pong, { slot: 'pong of the layer' });
    return true;
  }

  // How it ends.

  /** A Close frame has gone on. With the second, RFC 6455 §7.1.1 has the server close first. */
  #closePassed(): void {
    this.#limit(this.#context.closeTimeout);
    if (this.#flows.page.isShut && this.#flows.upstream.isShut) this.#sockets.page.end();
  }

  /** One side will send nothing more: a WebSocket has no half of a connection. */
  #ended(side: Side): void {
    this.#decide({ reason: 'abnormal', code: CloseCode.Abnormal, text: '', by: side });
    this.#limit(this.#context.closeTimeout);
    for (const each of SIDES) {
      this.#flows[each].shut();
      this.#sockets[each].end();
    }
  }

  #gone(side: Side, error: Error): void {
    this.#decide({ reason: 'abnormal', code: CloseCode.Abnormal, text: '', by: side, error });
  }

  #closed(side: Side): void {
    if (!this.#left.delete(side)) return;
    if (this.#left.size > 0) return this.#ended(side);
    this.#timer?.cancel();
    const end = this.#end ?? unreachable();
    this.#context.tally.ended[end.reason] += 1;
    this.#tell('end', { ...end, duration: this.#context.scheduler.now() - this.openedAt });
  }

  #faulted(error: FrameError): void {
    const { closeCode: code, side, rule } = error;
    const isTooBig = code === FrameFault.TooBig;
    const says = [code, rule] as const;
    const fault = side === 'page' ? 'protocol-error' : 'upstream-invalid';
    const reason: EndReason = isTooBig ? 'too-big' : fault;
    const atPage = isTooBig ? says : ([BAD_GATEWAY, 'the upstream broke the protocol'] as const);
    this.#finish(
      { reason, code, text: rule, by: 'gateway', error },
      // An upstream is told of its own faults; what a page did wrong looks to it like 1006.
      side === 'page' ? { page: says } : { page: atPage, upstream: says },
    );
  }

  #pageDied({ reason, silentFor, error }: HeartbeatEvents['dead']): void {
    this.#tell('dead', { side: 'page', reason, silentFor, error });
    this.#finish({ reason: 'page-dead', code: CloseCode.Abnormal, text: '', by: 'gateway', error });
    this.#sockets.page.destroy();
  }

  #upstreamDied({ reason, silentFor, error: cause }: HeartbeatEvents['dead']): void {
    const error = new UpstreamError({ kind: 'dead', url: this.upstream, silentFor, cause });
    this.#tell('dead', { side: 'upstream', reason, silentFor, error });
    const text = 'upstream-dead';
    const end = { reason: text, code: UPSTREAM_DEAD, text, by: 'gateway', error } as const;
    this.#finish(end, { page: [UPSTREAM_DEAD, text] });
    this.#sockets.upstream.destroy();
  }

  #expel({ reason, code = CloseCode.PolicyViolation, text }: ConnectionEnd): void {
    const why = reason === 'flood' ? 'flood' : 'unresponsive';
    this.#finish({ reason: why, code, text, by: 'gateway' }, { page: [code, text] });
  }

  /** The gateway ends it. Where a frame is half sent, no Close frame can follow: that is 1006. */
  #finish(end: GatewayEnd, { page, upstream }: Farewell = {}): void {
    if (this.#end !== undefined && end.reason === 'drain') return;
    this.#decide(end);
    this.#flows.upstream.shut(page && encodeClose(...page, false));
    this.#flows.page.shut(upstream && encodeClose(...upstream, true));
    for (const side of SIDES) this.#sockets[side].end();
    this.#limit(LEAVE_WAIT);
  }

  /** The first reason counts. Nobody is judged after it. */
  #decide(end: GatewayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const error = new ConnectionClosedError(end.code, end.text);
    this.#page.close(error);
    this.#upstream.close(error);
  }

  /** Whoever is still there after this time is dropped. */
  #limit(within: Millis): void {
    const { scheduler } = this.#context;
    this.#timer ??= scheduler.at(scheduler.now() + within, () => this.#drop());
  }

  #drop(): void {
    for (const side of SIDES) this.#sockets[side].destroy();
  }
}

const LEAVING = [CloseCode.GoingAway, ''] as const;

function lineOf(incoming: Flow, outgoing: Flow, socket: Duplex): Line {
  return {
    get bytesRead() {
      return incoming.bytesRead;
    },
    get isPaused() {
      return incoming.isPaused;
    },
    get bytesTaken() {
      return outgoing.bytesWritten - socket.writableLength;
    },
    get bytesWaiting() {
      return socket.writableLength + (outgoing.isWithinFrame ? 1 : 0);
    },
  };
}

/** Both ends have closed, so one of them did so first and was decided on. */
function unreachable(): never {
  throw new Error('unreachable: a connection that ended for no reason');
}
