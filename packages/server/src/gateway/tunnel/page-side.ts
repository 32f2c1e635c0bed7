import {
  type Beat,
  encodeBeat,
  type HeartbeatError,
  type HeartbeatEvents,
  type Instant,
  type Millis,
} from '@wirebeat/core';
import { ApplicationTier } from '../../connection/application-tier.ts';
import { FLOOD, UNRESPONSIVE } from '../../connection/close-reasons.ts';
import type { ConnectionEnd, ConnectionEvents } from '../../connection/events.ts';
import { RateLimit } from '../../connection/rate-limit.ts';
import type { GatewayContext } from '../context.ts';
import type { ConnectionListener } from '../events.ts';
import { encodeFrame, Opcode } from '../frames/frame.ts';
import { type Line, SideHeartbeat } from './side-heartbeat.ts';

/** An application ping that waits for its answer. */
export interface PageBeat {
  readonly beat: Beat;
  /** Time of arrival, in ms of the wall clock. */
  readonly received: Millis;
}

/** What a {@link PageSide} needs of its connection. */
export interface PageSidePort {
  readonly line: Line;
  readonly tell: ConnectionListener;
  /** Inserts a frame into the traffic to the page. */
  insert(frame: Buffer, options?: { readonly isMessage?: boolean; readonly slot?: string }): void;
  /** The page has sent a ping. The connection must answer with {@link PageSide.answer}. */
  asked(ping: PageBeat): void;
  /** The transport tier is dead. */
  died(event: HeartbeatEvents['dead']): void;
  /** Closes the connection. */
  expel(end: ConnectionEnd): void;
}

/**
 * The page end of a connection, with its application tier and its browser: pings both and answers their
 * pings, as a `ConnectionHeartbeat` does without a gateway.
 */
export class PageSide {
  readonly #context: GatewayContext;
  readonly #shell: PageSidePort;
  readonly #pulse: SideHeartbeat;
  #page: ApplicationTier | undefined; // created on the first application ping
  #bucket: RateLimit | undefined;
  #asked: PageBeat | undefined; // set while the machine handles its ping

  constructor(context: GatewayContext, shell: PageSidePort) {
    this.#context = context;
    this.#shell = shell;
    this.#pulse = new SideHeartbeat(context.fleet.timing, context.scheduler, {
      side: 'page',
      hop: 'browser',
      line: shell.line,
      tell: shell.tell,
      sendPing: ({ id }) => this.#sendProtocolPing(id),
      sendPong: () => this.#asked && shell.asked(this.#asked),
      died: (event) => shell.died(event),
    });
  }

  get pulse(): SideHeartbeat {
    return this.#pulse;
  }

  get speaks(): boolean {
    return this.#page !== undefined;
  }

  get isResponsive(): boolean | undefined {
    return this.#page?.isResponsive;
  }

  get pageLatency(): Millis | undefined {
    return this.#page?.latency;
  }

  get browserLatency(): Millis | undefined {
    return this.#pulse.heartbeat.latency;
  }

  /** A message, or a part of one, has arrived. */
  spoke(): void {
    this.#page?.spoke(this.#pulse.heartbeat.lastReceived);
  }

  /** Handles an application ping or pong. */
  receiveBeat(beat: Beat): void {
    if (beat.type === 'ping') return this.#receivePing(beat);
    this.#pulse.received();
    this.#page?.receiveBeat(beat);
  }

  /** Returns whether the page may send a ping now. If not, closes the connection. */
  admits(): boolean {
    const { scheduler, pingLimit } = this.#context;
    this.#bucket ??= new RateLimit();
    if (this.#bucket.take(scheduler.now(), pingLimit)) return true;
    this.#shell.expel(FLOOD);
    return false;
  }

  /** Handles a protocol Pong. Returns whether it answers one of the gateway's Pings. */
  receiveProtocolPong(payload: Buffer): boolean {
    const [prefix, id, ...rest] = payload.toString('latin1').split('.');
    const isOurs = prefix === this.#context.payload && rest.length === 0;
    if (isOurs) this.#pulse.receiveBeat({ type: 'pong', id });
    this.#page?.layerAnswered();
    return isOurs;
  }

  /** Answers a ping of the page, once the upstream has answered or if it need not. */
  answer({ beat, received }: PageBeat): void {
    const says = this.#page?.answerTo(beat, received, false);
    // A pong with an id proves that everything before it was read. If the gateway answers, only the
    // gateway has read it.
    const isOurs = beat.id !== undefined && !this.#context.endToEnd;
    const values = isOurs ? { ...says, by: 'gateway' } : says;
    this.#context.tally.pongsToPages += 1;
    // The latest pong replaces earlier waiting ones, but a bare pong only replaces a bare one.
    this.#sendBeat({ type: 'pong', id: beat.id, values }, beat.id === undefined ? 'bare' : 'pong');
  }

  /** Sends values to the page in a ping, if it has sent one itself. */
  announce(values: Readonly<Record<string, string>>): void {
    this.#page?.announce(values);
  }

  /** Stops pinging both tiers and checking their answers. */
  rest(): void {
    this.#pulse.rest();
    this.#page?.rest();
  }

  close(error: HeartbeatError): void {
    this.#pulse.close(error);
    this.#page?.close(error);
  }

  #receivePing(beat: Beat): void {
    const received = Date.now();
    this.#context.tally.pingsFromPages += 1;
    if (!this.admits()) return;
    const isFirst = this.#page === undefined;
    this.#page ??= this.#meetPage();
    this.#asked = { beat, received };
    this.#pulse.receiveBeat(beat);
    this.#asked = undefined;
    this.#page.receiveBeat(beat);
    if (isFirst) this.#page.probe(this.#pulse.heartbeat.pingTimeout);
  }

  #meetPage(): ApplicationTier {
    const { heartbeat } = this.#pulse;
    const { line } = this.#shell;
    const shell = {
      tell: <Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]) =>
        this.#tellOfPage(name, event),
      sendBeat: (beat: Beat) => this.#sendBeat(beat),
      get lastReceived(): Instant {
        return heartbeat.lastReceived;
      },
      get isPaused(): boolean {
        return line.isPaused;
      },
      giveUp: () => this.#shell.expel(UNRESPONSIVE),
    };
    return new ApplicationTier(shell, this.#context);
  }

  /** Only passes on the events of the application tier that the transport tier does not emit. */
  #tellOfPage<Name extends keyof ConnectionEvents>(
    name: Name,
    event: ConnectionEvents[Name],
  ): void {
    if (name === 'unresponsive' || name === 'responsive') this.#shell.tell(name, event as never);
    else if (name === 'pong') {
      const { latency, sampled } = event as ConnectionEvents['pong'];
      this.#shell.tell('pong', { hop: 'page', latency, sampled });
    }
  }

  #sendProtocolPing(id: string | undefined): void {
    const { payload } = this.#context;
    const bytes = Buffer.from(id === undefined ? payload : `${payload}.${id}`, 'latin1');
    this.#shell.insert(encodeFrame(Opcode.Ping, bytes, false), { slot: 'ping' });
  }

  #sendBeat(beat: Beat, slot?: string): void {
    const bytes = Buffer.from(encodeBeat(beat), 'latin1');
    const frame = encodeFrame(Opcode.Text, bytes, false);
    this.#shell.insert(frame, { isMessage: true, ...(slot !== undefined && { slot }) });
  }
}
