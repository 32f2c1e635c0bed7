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
 * What has gone to a peer, beyond what all buffers on the way may hold: kernels keep up to 4 to 6 MiB
 * at either end. That much more has gone only if the peer reads.
 */
const READ_BYTES = 16 * 1_048_576;

/** The two directions of one side, as far as its heartbeat looks at them. */
export interface Line {
  /** Bytes that came from it. */
  readonly bytesRead: number;
  /** Nothing is read from it: the other side takes nothing. */
  readonly isPaused: boolean;
  /** Bytes that its system has taken over for it. */
  readonly bytesTaken: number;
  /** Bytes that stand before a Ping that is sent now. */
  readonly bytesWaiting: number;
}

/** What a {@link SideHeartbeat} tells and asks for. */
export interface SideHeartbeatPort {
  readonly side: Side;
  /** Between whom its Pings and Pongs go. */
  readonly hop: Hop;
  readonly line: Line;
  readonly tell: ConnectionListener;
  sendPing(ping: PingOrder): void;
  sendPong(id: string | undefined): void;
  died(event: HeartbeatEvents['dead']): void;
}

/**
 * Whether the WebSocket layer of one side lives. Anything received is life; so is a long frame to it
 * that it takes, for no Ping can go before that frame is over. While nothing is read from it because
 * the other side is slow, it is not judged.
 */
export class SideHeartbeat {
  readonly #pacemaker: HeartbeatDriver;
  readonly #scheduler: Scheduler;
  readonly #line: Line;
  readonly #shell: SideHeartbeatPort;
  #progress: Progress | undefined; // from a ping to the next whole frame that comes
  #takenThen = 0;
  #isResting = false; // as long as nothing is read

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

  /** Begins, with a first ping. */
  open(): void {
    this.#pacemaker.open();
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#pacemaker.probe(pingTimeout);
  }

  /** Bytes came. */
  received(): void {
    this.#pacemaker.receive();
  }

  /** A whole frame came. */
  heard(): void {
    this.#progress = undefined;
  }

  /** Something goes to it. */
  sent(): void {
    this.#pacemaker.sent();
  }

  /** A ping or pong came. */
  receiveBeat(beat: Beat): void {
    this.#pacemaker.receiveBeat(beat);
  }

  /** Pings now; `send` sends it. Nobody waits for the answer. */
  ping(send: (ping: PingOrder) => void): void {
    this.#pacemaker.notify((ping) => this.#send(ping, send));
  }

  /** It is read from again. */
  resumed(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#pacemaker.resume();
  }

  /** Neither asked nor judged any more. */
  rest(): void {
    this.#pacemaker.suspend();
  }

  close(error: HeartbeatError): void {
    if (this.heartbeat.status !== 'dead') this.#pacemaker.close(error); // which it stays
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
      default: // a ping was sent; none is unanswered, for every WebSocket must answer
    }
  }

  /** Time has passed: is anything on its way, in either direction? */
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

  /** What is owed is forgiven, and asked for afresh. */
  #pardon(): void {
    this.#takenThen = this.#line.bytesTaken;
    this.#pacemaker.suspend();
    this.#pacemaker.resume();
  }
}
