import type { Instant, Millis } from '../../time.ts';
import type {
  DialectBeat,
  DialectConnection,
  DialectDefinition,
  DialectPort,
  DialectSession,
  Wire,
} from './dialect.ts';
import { likeData, wireOf } from './wire.ts';

/**
 * How a dialect shares its socket. `shared`: with a client or server of the protocol. `observing`: the
 * same, and nothing is sent. `answering`: with nobody, so pings of the peer are answered.
 */
export type DialectMode = 'shared' | 'observing' | 'answering';

const NEVER: Millis = Number.POSITIVE_INFINITY;
/** Pings of the application that are timed at once. A peer that answers none takes no more memory. */
const MAX_TIMED = 16;
/** What stands for a ping without an id. No ping of the application can have it as its id. */
const NO_ID = '.';

/**
 * Connects the session of a dialect with the heartbeat of a socket.
 *
 * Where this end asks, the heartbeat is held to its pongs, because a dialect is chosen by name: the
 * peer speaks it. Where this end only listens, no ping of ours could end a doubt, so the heartbeat is
 * muted and judges the peer by the silence that its protocol promises not to exceed.
 */
export class WatchedDialect implements DialectConnection {
  readonly name: string;
  readonly asks: boolean;
  readonly #mode: DialectMode;
  readonly #port: DialectPort;
  readonly #session: DialectSession;
  readonly #timed: Map<string, Instant> = new Map(); // when the application sent its pings
  #promised: Millis = NEVER; // the longest silence of the peer, by the protocol
  #isAsking = false;
  #isHeld = false; // a ping waits for the end of a message of the application
  #isLimited = false; // a ping of the application limits the silence

  constructor(definition: DialectDefinition, mode: DialectMode, port: DialectPort) {
    this.name = definition.name;
    this.asks = mode !== 'observing' && definition[port.end].asks;
    this.#mode = mode;
    this.#port = port;
    this.#session = definition.open(port.end, mode !== 'answering');
    port.driver.open(false);
    this.#update();
  }

  receive(data: unknown, isText = typeof data === 'string'): unknown {
    const { driver, send } = this.#port;
    driver.receive();
    if (this.#isLimited) this.#limit(NEVER);
    const message = wireOf(data, isText);
    if (message === undefined) return data;
    const reading = this.#session.receive(message);
    this.#update();
    if (reading === undefined) return data;
    for (const beat of reading.beats) {
      if (beat.kind === 'pong') this.#answered(beat);
      else if (beat.kind === 'ping' && beat.answer !== undefined) send(beat.answer);
    }
    return reading.rest === message ? data : likeData(reading.rest, data);
  }

  ping(id = NO_ID): Wire | undefined {
    if (!this.#isAsking) return undefined;
    const ping = this.#session.ping(id);
    if (ping === undefined && this.#session.isMidMessage) {
      this.#isHeld = true;
      this.#port.driver.suspend(); // the peer cannot answer it yet
    }
    return ping;
  }

  sending(data: unknown): void {
    const message = wireOf(data, typeof data === 'string');
    const id = message && this.#session.sent(message);
    if (id !== undefined && this.#mode === 'observing') this.#asked(id);
  }

  sent(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#port.driver.resume(); // pings
  }

  /** Applies what the session has learned. */
  #update(): void {
    const { ready, timing } = this.#session;
    const { driver } = this.#port;
    const { pingInterval: promised = NEVER, maxSilence = NEVER } = timing;
    if (maxSilence !== this.#promised) {
      this.#promised = maxSilence;
      this.#limit(NEVER);
    }
    if (this.#mode === 'answering' && promised < driver.heartbeat.pingInterval) {
      driver.heartbeat.adopt({ pingInterval: promised });
    }
    if (!this.asks || !ready || this.#isAsking) return;
    this.#isAsking = true;
    driver.receiveBeat({ type: 'pong' }); // the peer speaks the dialect
    const { pingInterval, pingTimeout } = driver.heartbeat;
    if (pingInterval < NEVER) driver.probe(pingTimeout);
  }

  /** Limits the silence of the peer, in ms, besides what the options and the protocol say. */
  #limit(silence: Millis): void {
    const { driver, maxSilence } = this.#port;
    this.#isLimited = silence < NEVER;
    driver.heartbeat.maxSilence = Math.min(maxSilence, this.#promised, silence);
    driver.rearm();
  }

  /** The application has sent a ping. */
  #asked(id: string): void {
    const { driver, now } = this.#port;
    const [oldest = ''] = this.#timed.keys();
    if (this.#timed.size === MAX_TIMED) this.#timed.delete(oldest);
    this.#timed.set(id, now());
    const { lastReceived, pingTimeout } = driver.heartbeat;
    if (!this.#isLimited) this.#limit(now() - lastReceived + pingTimeout);
  }

  #answered({ id, isOurs }: Extract<DialectBeat, { kind: 'pong' }>): void {
    const { driver, now, emit } = this.#port;
    if (id === undefined) return;
    if (isOurs) return driver.receiveBeat({ type: 'pong', id: id === NO_ID ? undefined : id });
    const sentAt = this.#timed.get(id);
    if (sentAt === undefined) return;
    this.#timed.delete(id);
    const latency = now() - sentAt;
    const sampled = driver.heartbeat.stallAt(now()) === 0; // else it may have waited on this side
    if (sampled) driver.heartbeat.sample(latency);
    emit('pong', { id, latency, sampled });
  }
}
