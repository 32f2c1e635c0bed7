import {
  type Beat,
  HeartbeatDriver,
  type HeartbeatError,
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
  readonly #pacemaker: HeartbeatDriver;
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
    this.#pacemaker = new HeartbeatDriver(timing, scheduler, {
      sendPing: (ping) => this.#send(ping, shell.sendPing),
      sendPong: (id) => shell.sendPong(id),
      emit: (name, event) => this.#hear(name, event),
      buffered: () => this.#look(),
    });
  }

  get heartbeat(): HeartbeatDriver['heartbeat'] {
    return this.#pacemaker.heartbeat;
  }

  /** Starts with a first ping. */
  open(): void {
    this.#pacemaker.open();
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#pacemaker.probe(pingTimeout);
  }

  /** Bytes have arrived. */
  received(): void {
    this.#pacemaker.receive();
  }

  /** A complete frame has arrived. */
  heard(): void {
    this.#progress = undefined;
  }

  /** Bytes are being sent to the side. */
  sent(): void {
    this.#pacemaker.sent();
  }

  /** A ping or pong has arrived. */
  receiveBeat(beat: Beat): void {
    this.#pacemaker.receiveBeat(beat);
  }

  /** Pings now with `send`. Does not wait for the answer. */
  ping(send: (ping: PingOrder) => void): void {
    this.#pacemaker.notify((ping) => this.#send(ping, send));
  }

  /** Reading has resumed. */
  resumed(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#pacemaker.resume();
  }

  /** Stops pinging the side and checking its answers. */
  rest(): void {
    this.#pacemaker.suspend();
  }

  close(error: HeartbeatError): void {
    if (this.heartbeat.status !== 'dead') this.#pacemaker.close(error); // otherwise its status stays `dead`
  }

  #send(ping: PingOrder, send: (ping: PingOrder) => void): void {
    if (this.#progress !== undefined) this.#progress.asked();
    else this.#progress = new Progress(this.#line);
    this.#takenThen = this.#line.bytesTaken;
    send(ping);
  }

  #hear<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    const { side, hop, tell } = this.#shell;
    const told = event as unknown;
    switch (name) {
      case 'pong': {
        const { latency, sampled } = told as HeartbeatEvents['pong'];
        return tell('pong', { hop, latency, sampled });
      }
      case 'suspect':
        return tell('suspect', { ...(told as HeartbeatEvents['suspect']), side });
      case 'alive':
        return tell('alive', { ...(told as HeartbeatEvents['alive']), side });
      case 'stall':
        return tell('stall', { ...(told as HeartbeatEvents['stall']), side });
      case 'dead':
        return this.#shell.died(told as HeartbeatEvents['dead']);
      default: // `ping` needs no event; `unanswered` does not occur, because every WebSocket must answer
    }
  }

  /**
   * Returns the bytes that wait to be sent, and checks whether bytes are moving in either direction.
   */
  #look(): number {
    if (this.#line.isPaused) {
      this.#isResting = true;
      this.#pacemaker.suspend();
      return 0;
    }
    const timeout: Millis = this.heartbeat.pingTimeout;
    const seen = this.#progress?.look(this.#scheduler, timeout);
    if (seen === 'pardon') this.#pardon();
    else if (seen === 'life') this.#pacemaker.receive();
    else if (this.#line.bytesTaken - this.#takenThen >= READ_BYTES) this.#pardon();
    return this.#line.bytesWaiting;
  }

  /** Cancels the outstanding pings, then pings again. */
  #pardon(): void {
    this.#takenThen = this.#line.bytesTaken;
    this.#pacemaker.suspend();
    this.#pacemaker.resume();
  }
}
