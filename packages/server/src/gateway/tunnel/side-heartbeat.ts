import {
  type Beat,
  HeartbeatDriver,
  type HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatEvents,
  type Millis,
  type PingOrder,
  type Scheduler,
  type Timing,
} from '@wirebeat/core';
import { Progress } from '../../connection/progress.ts';
import type { ConnectionListener } from '../events.ts';
import type { Hop, Side } from './side.ts';

/**
 * More bytes than all buffers on the way can hold: kernels keep up to 4 to 6 MiB at either end. If this
 * much has been sent, the peer is reading.
 */
const READ_BYTES = 16 * 1_048_576;

/** The traffic of one side, as its heartbeat sees it. */
export interface Line {
  /** Bytes received from the side. */
  readonly bytesRead: number;
  /** Whether reading is paused because the other side does not accept more bytes. */
  readonly isPaused: boolean;
  /** Bytes that the operating system has accepted for the side. */
  readonly bytesTaken: number;
  /** Bytes queued ahead of a Ping that is sent now. */
  readonly bytesWaiting: number;
}

/** What a {@link SideHeartbeat} needs of its side. */
export interface SideHeartbeatPort {
  readonly side: Side;
  /** The hop that its Pings and Pongs measure. */
  readonly hop: Hop;
  readonly line: Line;
  readonly tell: ConnectionListener;
  sendPing(ping: PingOrder): void;
  sendPong(id: string | undefined): void;
  died(event: HeartbeatEvents['dead']): void;
}

/**
 * Checks whether the transport tier of one side is alive. Anything received proves it. So does progress
 * on a long frame to the side, because no Ping can be sent before that frame ends. While reading is
 * paused because the other side is slow, the side is not checked.
 */
export class SideHeartbeat {
  readonly #driver: HeartbeatDriver;
  readonly #scheduler: Scheduler;
  readonly #line: Line;
  readonly #shell: SideHeartbeatPort;
  #progress: Progress | undefined; // from a ping to the next complete frame received
  #takenThen = 0;
  #isResting = false; // while reading is paused

  constructor(timing: Timing, scheduler: Scheduler, shell: SideHeartbeatPort) {
    this.#scheduler = scheduler;
    this.#shell = shell;
    this.#line = shell.line;
    this.#driver = new HeartbeatDriver(timing, scheduler, {
      sendPing: (ping) => this.#send(ping, shell.sendPing),
      sendPong: (id) => shell.sendPong(id),
      emit: (...event) => this.#emit(...event),
      beforeTick: () => this.#look(),
      get bufferedBytes() {
        return shell.line.isPaused ? 0 : shell.line.bytesWaiting;
      },
    });
  }

  get heartbeat(): HeartbeatDriver['heartbeat'] {
    return this.#driver.heartbeat;
  }

  /** Starts with a first ping. */
  open(): void {
    this.#driver.open();
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#driver.probe(pingTimeout);
  }

  /** Bytes have arrived. */
  received(): void {
    this.#driver.receive();
  }

  /** A complete frame has arrived. */
  heard(): void {
    this.#progress = undefined;
  }

  /** Bytes are being sent to the side. */
  sent(): void {
    if (this.heartbeat.isSilentTo(this.#scheduler.now())) this.#look();
    this.#driver.sent();
  }

  /** A ping or pong has arrived. */
  receiveBeat(beat: Beat): void {
    this.#driver.receiveBeat(beat);
  }

  /** Pings now with `send`. Does not wait for the answer. */
  ping(send: (ping: PingOrder) => void): void {
    this.#look();
    this.#driver.pingWith((ping) => this.#send(ping, send));
  }

  /** Reading has resumed. */
  resumed(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#driver.resume();
  }

  /** Stops pinging the side and checking its answers. */
  rest(): void {
    this.#driver.suspend();
  }

  close(error: HeartbeatError): void {
    if (this.heartbeat.status !== 'dead') this.#driver.close(error); // otherwise its status stays `dead`
  }

  #send(ping: PingOrder, send: (ping: PingOrder) => void): void {
    if (this.#progress !== undefined) this.#progress.asked();
    else this.#progress = new Progress(this.#line);
    this.#takenThen = this.#line.bytesTaken;
    send(ping);
  }

  #emit(...[name, event]: HeartbeatEvent): void {
    const { side, hop, tell } = this.#shell;
    switch (name) {
      case 'pong':
        return tell('pong', { hop, latency: event.latency, sampled: event.sampled });
      case 'suspect':
        return tell('suspect', { ...event, side });
      case 'alive':
        return tell('alive', { ...event, side });
      case 'stall':
        return tell('stall', { ...event, side });
      case 'dead':
        return this.#shell.died(event);
      default: // `ping` needs no event; `unanswered` does not occur, because every WebSocket must answer
    }
  }

  /** Checks whether bytes are moving in either direction. */
  #look(): void {
    if (this.#line.isPaused) {
      this.#isResting = true;
      this.#driver.suspend();
      return;
    }
    const timeout: Millis = this.heartbeat.pingTimeout;
    const seen = this.#progress?.look(this.#scheduler, timeout);
    if (seen === 'pardon') this.#pardon();
    else if (seen === 'life') this.#driver.receive();
    else if (this.#line.bytesTaken - this.#takenThen >= READ_BYTES) this.#pardon();
  }

  /** Cancels the outstanding pings, then pings again. */
  #pardon(): void {
    this.#takenThen = this.#line.bytesTaken;
    this.#driver.suspend();
    this.#driver.resume();
  }
}
