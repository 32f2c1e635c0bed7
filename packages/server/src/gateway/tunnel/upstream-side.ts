import type { HeartbeatError, HeartbeatEvents, Instant, Millis, PingOrder } from '@wirebeat/core';
import type { GatewayContext } from '../context.ts';
import type { ConnectionListener } from '../events.ts';
import { encodeFrame, Opcode } from '../frames/frame.ts';
import type { PageBeat } from './page-side.ts';
import { type Line, SideHeartbeat } from './side-heartbeat.ts';

/**
 * Prefix of the payload of a Ping that the gateway sends for a page. The id of the page's ping follows
 * it.
 */
const BRIDGED = 'wb';
/** Largest number of pings that wait for the upstream: as many as the machine tracks. */
const MAX_WAITING = 16;

/** What an {@link UpstreamSide} needs of its connection. */
export interface UpstreamSidePort {
  readonly line: Line;
  readonly tell: ConnectionListener;
  /** Inserts a frame into the traffic to the upstream. */
  insert(frame: Buffer, options?: { readonly slot?: string }): void;
  /** The upstream has answered the page's ping. */
  answered(ping: PageBeat): void;
  died(event: HeartbeatEvents['dead']): void;
}

/** A Ping that has not been answered yet. */
interface Asked {
  readonly payload: string;
  readonly sentAt: Instant;
  /** The id in the machine, which differs from the id of the page's ping. */
  readonly id: string | undefined;
  /** The page's ping; undefined for a Ping of the gateway itself. */
  readonly ping: PageBeat | undefined;
}

/**
 * The upstream end of a connection. It only supports protocol Pings. The gateway bridges the pings of
 * the page to it and sends its own when the page sends none; both follow one schedule.
 */
export class UpstreamSide {
  readonly pulse: SideHeartbeat;
  readonly #context: GatewayContext;
  readonly #shell: UpstreamSidePort;
  #asked: Asked[] = [];
  // Pings of the page that had to wait. A later one replaces an earlier one, because its pong answers
  // both (docs/protocol.md); but a bare ping only replaces a bare one.
  #later: PageBeat | undefined;
  #laterBare: PageBeat | undefined;

  constructor(context: GatewayContext, shell: UpstreamSidePort) {
    this.#context = context;
    this.#shell = shell;
    const { upstreamTiming, scheduler, payload } = context;
    this.pulse = new SideHeartbeat(upstreamTiming, scheduler, {
      side: 'upstream',
      hop: 'upstream',
      line: shell.line,
      tell: shell.tell,
      sendPing: (order) => this.#send(order, dotted(payload, order.id)),
      sendPong: () => {}, // its Pings are handled as frames
      died: (event) => shell.died(event),
    });
  }

  get latency(): Millis | undefined {
    return this.pulse.heartbeat.latency;
  }

  /** Sends a Ping for the page, now or as soon as fewer Pings wait. */
  ask(ping: PageBeat): void {
    if (this.#asked.length < MAX_WAITING) return this.#bridge(ping);
    if (ping.beat.id === undefined) this.#laterBare = ping;
    else {
      this.#later = ping;
      this.#laterBare = undefined;
    }
  }

  /**
   * Handles a Pong. Returns whether it is for the gateway. A Pong may answer only the latest of several
   * Pings, and then also answers the earlier ones: RFC 6455 §5.5.3.
   */
  receiveProtocolPong(bytes: Buffer): boolean {
    const payload = bytes.toString('latin1');
    const index = this.#asked.findIndex((asked) => asked.payload === payload);
    if (index === -1) return payload.split('.')[0] === this.#context.payload; // an answer that came too late
    const answered = this.#asked.splice(0, index + 1);
    const { id } = answered[index] as Asked;
    this.pulse.receiveBeat({ type: 'pong', id });
    const last = answered.findLast(({ ping }) => ping !== undefined);
    if (last?.ping !== undefined) {
      const upstreamLatency = this.#context.scheduler.now() - last.sentAt;
      this.#shell.answered(last.ping);
      this.#shell.tell('beat', { upstreamLatency });
    }
    this.#askLater();
    return true;
  }

  close(error: HeartbeatError): void {
    this.#asked = [];
    this.#later = this.#laterBare = undefined;
    this.pulse.close(error);
  }

  /** Sends the pings that had to wait. */
  #askLater(): void {
    const waiting = [this.#later, this.#laterBare];
    this.#later = this.#laterBare = undefined;
    for (const ping of waiting) if (ping !== undefined) this.ask(ping);
  }

  #bridge(ping: PageBeat): void {
    this.pulse.ping((order) => this.#send(order, dotted(BRIDGED, ping.beat.id), ping));
  }

  #send({ id }: PingOrder, payload: string, ping?: PageBeat): void {
    if (this.#asked.length >= MAX_WAITING) this.#forget();
    this.#asked.push({ payload, id, ping, sentAt: this.#context.scheduler.now() });
    this.#context.tally.pingsToUpstreams += 1;
    this.#shell.insert(encodeFrame(Opcode.Ping, Buffer.from(payload, 'latin1'), true));
  }

  /** Makes room for a Ping of the gateway: drops an earlier one of its own, or else the oldest. */
  #forget(): void {
    const own = this.#asked.findIndex(({ ping }) => ping === undefined);
    this.#asked.splice(Math.max(own, 0), 1);
  }
}

function dotted(prefix: string, id: string | undefined): string {
  return id === undefined ? prefix : `${prefix}.${id}`;
}
