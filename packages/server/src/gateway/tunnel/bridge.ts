import type { Millis, PingOrder } from '@wirebeat/core';
import { BridgedPings, type PageBeat } from '../../connection/bridged-pings.ts';
import { payloadOf, readPayload } from '../../connection/ping-payload.ts';
import type { TransportTier } from '../../connection/transport-tier.ts';
import type { GatewayContext } from '../context.ts';

/**
 * Prefix of the payload of a Ping that the gateway sends for a page. The id of the page's ping follows
 * it.
 */
const BRIDGED = 'wb';

/** What a {@link Bridge} needs of its connection. */
export interface BridgePort {
  readonly upstream: TransportTier;
  /** The upstream has answered the page's ping. */
  answered(ping: PageBeat, upstreamLatency: Millis): void;
}

/**
 * The Pings on their way to the upstream of one connection. It only supports protocol Pings, so the
 * pings of the page become such. The gateway sends its own when the page sends none; both follow one
 * schedule.
 */
export class Bridge {
  readonly #context: GatewayContext;
  readonly #port: BridgePort;
  readonly #pings: BridgedPings = new BridgedPings((ping) => this.#send(ping));

  constructor(context: GatewayContext, port: BridgePort) {
    this.#context = context;
    this.#port = port;
  }

  /** Sends a Ping for the page, now or as soon as fewer Pings wait. */
  ask(ping: PageBeat): void {
    this.#pings.ask(ping);
  }

  /** A Ping is being sent, for the page or for none. */
  pinged(
    { id }: PingOrder,
    payload: string = payloadOf(this.#context.payload, id),
    ping?: PageBeat,
  ): void {
    this.#pings.sent({ payload, id, ping, sentAt: this.#context.scheduler.now() });
    this.#context.tally.pingsToUpstreams += 1;
  }

  /** Handles a Pong of the upstream. Returns whether it is for the gateway. */
  receivePong(payload: Buffer): boolean {
    const answer = this.#pings.answer(payload.toString('latin1'));
    if (answer === undefined) return readPayload(this.#context.payload, payload) !== undefined; // an answer that came too late
    const { id, last } = answer;
    this.#port.upstream.receiveBeat({ type: 'pong', id });
    if (last !== undefined) {
      this.#port.answered(last.ping, this.#context.scheduler.now() - last.sentAt);
    }
    this.#pings.askLater();
    return true;
  }

  clear(): void {
    this.#pings.clear();
  }

  #send(ping: PageBeat): void {
    const payload = payloadOf(BRIDGED, ping.beat.id);
    this.#port.upstream.pingWith((order) => this.pinged(order, payload, ping), { payload });
  }
}
