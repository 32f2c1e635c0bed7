// A row of a table in place of a machine: whatever runs a `Heartbeat` can run it.
import type { Answer, HeartbeatAction, HeartbeatStatus } from '../../src/machine/actions.ts';
import {
  ConnectionTable,
  ROUTINE_ANSWER,
  ROUTINE_PING,
  type Row,
} from '../../src/machine/connection-table.ts';
import type { Heartbeat } from '../../src/machine/heartbeat.ts';
import {
  type AdvertisedTiming,
  initialTiming,
  type PeerState,
  type Timing,
} from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';

/** Has the inputs and outputs of {@link Heartbeat}. Freezes the connection as often as it can. */
export class RowHeartbeat {
  readonly table: ConnectionTable;
  readonly row: Row;
  /** How often something was done to a connection that is a row. */
  asRow = 0;
  asObject = 0;

  constructor(options: HeartbeatOptions | Timing) {
    const timing =
      'timerSlack' in options ? options : initialTiming(resolveHeartbeatOptions(options));
    this.table = new ConnectionTable(timing);
    this.table.add(); // so that row 0 is another connection
    this.row = this.table.add();
  }

  open(now: number, asks?: boolean): readonly HeartbeatAction[] {
    return this.table.open(this.row, now, asks);
  }

  receive(now: number): void {
    this.#count();
    this.table.receive(this.row, now);
  }

  sent(now: number): readonly HeartbeatAction[] {
    this.#count();
    return this.#complete(this.table.sent(this.row, now));
  }

  buffered(bytes: number): void {
    this.table.buffered(this.row, bytes);
  }

  receivePing(now: number, id?: string): readonly HeartbeatAction[] {
    this.#count();
    return this.table.receivePing(this.row, now, id);
  }

  receivePong(now: number, id?: string): Answer | undefined {
    this.#count();
    const answer = this.table.receivePong(this.row, now, id);
    if (answer !== ROUTINE_ANSWER) return answer;
    const latency = this.latency ?? Number.NaN;
    return { ...answer, seq: this.table.pings(this.row), latency };
  }

  tick(now: number, isPaused?: boolean): readonly HeartbeatAction[] {
    this.#count();
    return this.#complete(this.table.tick(this.row, now, isPaused));
  }

  adopt(advertised: AdvertisedTiming): void {
    this.#act((heartbeat) => heartbeat.adopt(advertised));
  }

  setPeerState(state: PeerState): void {
    this.#act((heartbeat) => heartbeat.setPeerState(state));
  }

  set timerSlack(slack: number) {
    this.#act((heartbeat) => {
      heartbeat.timerSlack = slack;
    });
  }

  ping(now: number, id?: string): readonly HeartbeatAction[] {
    return this.#act((heartbeat) => heartbeat.ping(this.table.advance(now), id));
  }

  probe(now: number, shortTimeout: number): readonly HeartbeatAction[] {
    return this.#act((heartbeat) => heartbeat.probe(this.table.advance(now), shortTimeout));
  }

  suspend(now: number): void {
    this.#act((heartbeat) => heartbeat.suspend(this.table.advance(now)));
  }

  resume(now: number): readonly HeartbeatAction[] {
    return this.#act((heartbeat) => heartbeat.resume(this.table.advance(now)));
  }

  close(now: number, byPeer?: boolean): boolean {
    return this.#act((heartbeat) => heartbeat.close(this.table.advance(now), byPeer));
  }

  get deadline(): number {
    return this.table.deadline(this.row);
  }

  get status(): HeartbeatStatus {
    return this.table.status(this.row);
  }

  get latency(): number | undefined {
    return this.table.latency(this.row);
  }

  get lastReceived(): number {
    return this.table.lastReceived(this.row);
  }

  // What only a machine says is read from a copy.

  get lastSent(): number {
    return this.#copy.lastSent;
  }

  get rtt(): Heartbeat['rtt'] {
    return this.#copy.rtt;
  }

  get detectionBound(): number {
    return this.#copy.detectionBound;
  }

  get pingTimeout(): number {
    return this.#copy.pingTimeout;
  }

  get #copy(): Heartbeat {
    return this.table.peek(this.row);
  }

  #act<Result>(act: (heartbeat: Heartbeat) => Result): Result {
    this.#count();
    const result = act(this.table.heartbeat(this.row));
    this.table.settle(this.row);
    return result;
  }

  #complete(actions: readonly HeartbeatAction[]): readonly HeartbeatAction[] {
    if (actions !== ROUTINE_PING) return actions;
    return [{ type: 'ping', seq: this.table.pings(this.row), id: undefined, first: false }];
  }

  #count(): void {
    if (this.table.isThawed(this.row)) this.asObject += 1;
    else this.asRow += 1;
  }
}
