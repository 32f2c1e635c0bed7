import type { HeartbeatError, HeartbeatEvents, Instant, Millis, PingOrder } from '@wirebeat/core';
import type { GatewayContext } from '../context.ts';
import type { ConnectionListener } from '../events.ts';
import { encodeFrame, Opcode } from '../frames/frame.ts';
import type { PageBeat } from './page-side.ts';
import { type Line, SideHeartbeat } from './side-heartbeat.ts';

/** What begins the payload of a Ping that a page has asked for. Its id follows. */
const BRIDGED = 'wb';
/** How many pings wait for the upstream: as many as the machine remembers of its own. */
const MAX_WAITING = 16;

/** What an {@link UpstreamSide} needs of its connection. */
export interface UpstreamSidePort {
  readonly line: Line;
  readonly tell: ConnectionListener;
  /** Puts a frame between those that go to the upstream. */
  insert(frame: Buffer, options?: { readonly slot?: string }): void;
  /** The page's ping was answered. */
  answered(ping: PageBeat): void;
  died(event: HeartbeatEvents['dead']): void;
}

/** A Ping that is on its way. */
interface Asked {
  readonly payload: string;
  readonly sentAt: Instant;
  /** Its id in the machine, which is not that of the page. */
  readonly id: string | undefined;
  /** Absent of the gateway's own. */
  readonly ping: PageBeat | undefined;
}

/**
 * The upstream at the other end, which knows protocol Pings and nothing else. Pages ask it through
 * the gateway, and where they do not, the gateway asks itself: each Ping is one of one schedule.
 */
export class UpstreamSide {
  readonly pulse: SideHeartbeat;
  readonly #context: GatewayContext;
  readonly #shell: UpstreamSidePort;
  #asked: Asked[] = [];
  // Pings of the page for which there was no place. The later stands for the earlier, for its pong
  // answers both (docs/protocol.md); but a bare one only for a bare one.
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
      sendPong: () => {}, // its Pings are told as bytes
      died: (event) => shell.died(event),
    });
  }

  get latency(): Millis | undefined {
    return this.pulse.heartbeat.latency;
  }

  /** Asks for a page, now or as soon as fewer wait. */
  ask(ping: PageBeat): void {
    if (this.#asked.length < MAX_WAITING) return this.#bridge(ping);
    if (ping.beat.id === undefined) this.#laterBare = ping;
    else {
      this.#later = ping;
      this.#laterBare = undefined;
    }
  }

  /**
   * A Pong came. Whether it is for us. RFC 6455 §5.5.3: it may answer only the latest of several
   * Pings, and so answers those before it.
   */
  receiveProtocolPong(bytes: Buffer): boolean {
    const payload = bytes.toString('latin1');
    const index = this.#asked.findIndex((asked) => asked.payload === payload);
    if (index === -1) return payload.split('.')[0] === this.#context.payload; // it came too late
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

  /** There is place for the pings that had to wait. */
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

  /** The gateway's own Ping takes the place of another of its own, or of the oldest. */
  #forget(): void {
    const own = this.#asked.findIndex(({ ping }) => ping === undefined);
    this.#asked.splice(Math.max(own, 0), 1);
  }
}

function dotted(prefix: string, id: string | undefined): string {
  return id === undefined ? prefix : `${prefix}.${id}`;
}
