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
  /** By the wall clock. */
  readonly received: Millis;
}

/** What a {@link PageSide} needs of its connection. */
export interface PageSidePort {
  readonly line: Line;
  readonly tell: ConnectionListener;
  /** Puts a frame between those that go to the page. */
  insert(frame: Buffer, options?: { readonly isMessage?: boolean; readonly slot?: string }): void;
  /** The page asks: it is to be answered by {@link PageSide.answer}. */
  asked(ping: PageBeat): void;
  /** Its WebSocket layer is dead. */
  died(event: HeartbeatEvents['dead']): void;
  /** It is shown out. */
  expel(end: ConnectionEnd): void;
}

/**
 * The page at one end of a connection, and its browser: what is asked of them and what they answer,
 * as a `ConnectionHeartbeat` does it where there is no gateway.
 */
export class PageSide {
  readonly #context: GatewayContext;
  readonly #shell: PageSidePort;
  readonly #pulse: SideHeartbeat;
  #page: ApplicationTier | undefined; // from its first application ping on
  #bucket: RateLimit | undefined;
  #asked: PageBeat | undefined; // while its ping is told to the machine

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

  /** A message of it came, or a part of one. */
  spoke(): void {
    this.#page?.spoke(this.#pulse.heartbeat.lastReceived);
  }

  /** It sent a beat. */
  receiveBeat(beat: Beat): void {
    if (beat.type === 'ping') return this.#receivePing(beat);
    this.#pulse.received();
    this.#page?.receiveBeat(beat);
  }

  /** Its layer sent a Ping. Whether it may. */
  admits(): boolean {
    const { scheduler, pingLimit } = this.#context;
    this.#bucket ??= new RateLimit();
    if (this.#bucket.take(scheduler.now(), pingLimit)) return true;
    this.#shell.expel(FLOOD);
    return false;
  }

  /** Its layer sent a Pong. Whether that answers one of ours. */
  receiveProtocolPong(payload: Buffer): boolean {
    const [prefix, id, ...rest] = payload.toString('latin1').split('.');
    const isOurs = prefix === this.#context.payload && rest.length === 0;
    if (isOurs) this.#pulse.receiveBeat({ type: 'pong', id });
    this.#page?.layerAnswered();
    return isOurs;
  }

  /** The upstream has answered, or need not. */
  answer({ beat, received }: PageBeat): void {
    const says = this.#page?.answerTo(beat, received, false);
    // With an id the pong proves that what came before was read: by us, where we answer.
    const isOurs = beat.id !== undefined && !this.#context.endToEnd;
    const values = isOurs ? { ...says, by: 'gateway' } : says;
    this.#context.tally.pongsToPages += 1;
    // The latest stands for those before it, but a bare one only for a bare one.
    this.#sendBeat({ type: 'pong', id: beat.id, values }, beat.id === undefined ? 'bare' : 'pong');
  }

  /** Tells it when to come back, if it speaks. */
  announce(values: Readonly<Record<string, string>>): void {
    this.#page?.announce(values);
  }

  /** Neither asked nor judged any more. */
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
    const shell = {
      tell: <Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]) =>
        this.#tellOfPage(name, event),
      sendBeat: (beat: Beat) => this.#sendBeat(beat),
      get lastReceived(): Instant {
        return heartbeat.lastReceived;
      },
      isPaused: () => this.#shell.line.isPaused,
      giveUp: () => this.#shell.expel(UNRESPONSIVE),
    };
    return new ApplicationTier(shell, this.#context);
  }

  /** A page knows of itself whether it answers. What else it tells, its pulse tells as well. */
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
