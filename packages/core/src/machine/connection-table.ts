// Theory of operation
//
// Nearly every connection of a server is well nearly all the time: a bare ping when it is due, a bare
// pong in time, and bytes and messages meanwhile. For that a connection needs no object, only 64 bytes of
// one typed array, a row. Whatever else happens *thaws* the row: a `Heartbeat` with the same state takes
// over and decides. Once that is at rest and well again, it is *frozen* into the row and dropped.
//
//            anything but the routine
//     row ──────────────────────────────► Heartbeat
//      ▲                                      │
//      └──────── at rest, and alive ──────────┘
//
// So a row has no rules of its own: what it does is what a `Heartbeat` would do, which a property test
// shows for random schedules.

import type { Instant, Millis } from '../time.ts';
import type { Answer, HeartbeatAction, HeartbeatStatus } from './actions.ts';
import { Heartbeat } from './heartbeat.ts';
import * as word from './row.ts';
import { RowDeadlines } from './row-deadlines.ts';
import { RowMemory } from './row-memory.ts';
import { freeze, thaw } from './row-state.ts';
import { drawInterval, type Timing } from './timing.ts';

/** The number of a connection in a {@link ConnectionTable}. It is reused after `remove`. */
export type Row = number;

/** The order of a row for its routine ping. Its number is `pings(row)`. */
export const ROUTINE_PING: readonly HeartbeatAction[] = Object.freeze([
  Object.freeze({ type: 'ping', seq: 0, id: undefined, first: false }),
]);
/** The answer to the routine ping of a row. Its latency is `latency(row)`. */
export const ROUTINE_ANSWER: Answer = Object.freeze({
  seq: 0,
  id: undefined,
  latency: 0,
  sampled: true,
});

const SCRATCH = new Int32Array(word.ROW_WORDS);
const NOTHING: readonly HeartbeatAction[] = Object.freeze([]);
const NEVER: Instant = Number.POSITIVE_INFINITY;
const MAX_INTERVAL: Millis = 2 ** (31 - word.MICROS_BITS) - 1;

/**
 * The heartbeats of very many connections with the same timing: a row of 64 bytes for each that is well,
 * a {@link Heartbeat} for each of the others. The inputs and outputs are those of `Heartbeat`, with the
 * row first. The clock is one for all rows: if it runs backwards or is not a number, time stands still.
 */
export class ConnectionTable {
  readonly #objects: Map<Row, Heartbeat> = new Map();
  readonly #memory: RowMemory = new RowMemory();
  readonly #deadlines: RowDeadlines = new RowDeadlines(this.#memory);
  #timing: Timing;
  #fits: boolean; // whether the timing has a place in rows

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#fits = fitsRows(timing);
  }

  // Rows.

  /** The memory of all rows. It is replaced when the table grows. */
  get words(): Int32Array {
    return this.#memory.words;
  }

  /** The instant from which the words of rows count. */
  get origin(): Instant {
    return this.#memory.origin;
  }

  /** The number of connections that are objects at present. */
  get thawed(): number {
    return this.#objects.size;
  }

  /** Adds a connection, which is not open yet. The words of the owner are 0. */
  add(): Row {
    const row = this.#memory.take();
    this.words[row * word.ROW_WORDS + word.FLAGS] = word.THAWED;
    this.#objects.set(row, new Heartbeat(this.#timing));
    return row;
  }

  remove(row: Row): void {
    this.#objects.delete(row);
    this.#deadlines.suspicions.delete(row);
    this.#memory.release(row);
  }

  /** Returns the machine of a row. Thaws it; call {@link settle} when you are done with the machine. */
  heartbeat(row: Row): Heartbeat {
    const known = this.#objects.get(row);
    if (known !== undefined) return known;
    const heartbeat = this.peek(row);
    this.#deadlines.suspicions.delete(row);
    this.words[row * word.ROW_WORDS + word.FLAGS] = word.THAWED;
    this.#objects.set(row, heartbeat);
    return heartbeat;
  }

  /** Returns the machine of a row, or a copy of it: to read, not to change. */
  peek(row: Row): Heartbeat {
    const heartbeat = this.#objects.get(row) ?? new Heartbeat(this.#timing);
    if (this.isThawed(row)) return heartbeat;
    const suspicion = this.#deadlines.suspicions.get(row);
    if (suspicion !== undefined) heartbeat.suspicion = suspicion;
    thaw(heartbeat, this.words, row * word.ROW_WORDS, this.origin, this.#memory.now);
    return heartbeat;
  }

  isThawed(row: Row): boolean {
    return (this.#flags(row) & word.THAWED) !== 0;
  }

  /** Freezes the machine of a row, if it is at rest and well. Returns whether it is a row now. */
  settle(row: Row): boolean {
    const heartbeat = this.#objects.get(row);
    if (heartbeat === undefined) return true;
    if (!this.isAtRest(row)) return false;
    this.#objects.delete(row);
    const at = row * word.ROW_WORDS;
    const { suspicion } = heartbeat;
    freeze(heartbeat, this.words, at, this.origin, this.#timing);
    if (suspicion.patienceAt(this.#memory.now) === 1) return true;
    this.#deadlines.suspicions.set(row, suspicion);
    this.words[at + word.FLAGS] = (this.words[at + word.FLAGS] as number) | word.RAISED;
    return true;
  }

  /** Gives all connections another timing, from their next period on: see {@link Heartbeat.rebase}. */
  rebase(timing: Timing): void {
    this.#eachRow((row, flags) => {
      if ((flags & word.SILENT) !== 0) this.heartbeat(row); // its deadline is that of the old timing
    });
    this.#timing = timing;
    this.#fits = fitsRows(timing);
    if (!this.#fits) this.#eachRow((row) => this.heartbeat(row));
    for (const heartbeat of this.#objects.values()) heartbeat.rebase(timing);
  }

  // Inputs.

  /** See {@link Heartbeat.open}. */
  open(row: Row, now: Instant, asks = true): readonly HeartbeatAction[] {
    const actions = this.heartbeat(row).open(this.advance(now), asks);
    this.settle(row);
    return actions;
  }

  /** See {@link Heartbeat.receive}. A hot path: neither allocates nor throws. */
  receive(row: Row, now: Instant): void {
    const at = row * word.ROW_WORDS;
    const words = this.words;
    const flags = words[at + word.FLAGS] as number;
    const instant = this.#memory.advance(now);
    if ((flags & word.THAWED) !== 0) return (this.#objects.get(row) as Heartbeat).receive(instant);
    words[at + word.RECEIVED] = Math.floor(instant) - this.origin;
    words[at + word.FLAGS] = flags & ~word.SILENT;
  }

  /** See {@link Heartbeat.sent}. */
  sent(row: Row, now: Instant): readonly HeartbeatAction[] {
    const instant = this.#memory.advance(now);
    if (this.isThawed(row)) return this.heartbeat(row).sent(instant);
    this.words[row * word.ROW_WORDS + word.SENT] = Math.floor(instant) - this.origin;
    return NOTHING;
  }

  /** See {@link Heartbeat.receivePing}. */
  receivePing(row: Row, now: Instant, id?: string): readonly HeartbeatAction[] {
    const instant = this.#memory.advance(now);
    if (!this.isPunctual(row, instant)) {
      const actions = this.heartbeat(row).receivePing(instant, id);
      this.settle(row);
      return actions;
    }
    const at = row * word.ROW_WORDS;
    const words = this.words;
    words[at + word.FLAGS] = ((words[at + word.FLAGS] as number) & ~word.SILENT) | word.PEER_PINGS;
    words[at + word.SENT] = words[at + word.RECEIVED] = Math.floor(instant) - this.origin;
    return [{ type: 'pong', id }];
  }

  /** See {@link Heartbeat.receivePong}. Returns {@link ROUTINE_ANSWER} for a routine ping. */
  receivePong(row: Row, now: Instant, id?: string): Answer | undefined {
    const instant = this.#memory.advance(now);
    if (!this.isPunctual(row, instant)) {
      const answer = this.heartbeat(row).receivePong(instant, id);
      this.settle(row);
      return answer;
    }
    const at = row * word.ROW_WORDS;
    const words = this.words;
    const flags = words[at + word.FLAGS] as number;
    const isAnswer = (flags & word.ASKED) !== 0 && id === undefined;
    words[at + word.RECEIVED] = Math.floor(instant) - this.origin;
    words[at + word.FLAGS] = isAnswer
      ? (flags & ~(word.ASKED | word.SILENT)) | word.PEER_ANSWERS
      : flags & ~word.SILENT;
    if (!isAnswer) return undefined;
    this.#deadlines.measure(row, instant);
    return ROUTINE_ANSWER;
  }

  /** See {@link Heartbeat.tick}. Returns {@link ROUTINE_PING} for the routine ping of a row. */
  tick(row: Row, now: Instant, isPaused = false): readonly HeartbeatAction[] {
    const instant = this.#memory.advance(now);
    if (isPaused || !this.isToPing(row, instant)) {
      if (!this.isThawed(row) && Math.floor(instant) < this.deadline(row)) return NOTHING;
      const actions = this.heartbeat(row).tick(instant, isPaused);
      this.settle(row);
      return actions;
    }
    return this.ping(row, now);
  }

  /** The same for a row for which {@link isToPing} holds: it is not checked again. */
  ping(row: Row, now: Instant): readonly HeartbeatAction[] {
    const instant = this.#memory.advance(now);
    const at = row * word.ROW_WORDS;
    const { words, origin } = this.#memory;
    const whole = Math.floor(instant);
    const interval = drawInterval(this.#timing);
    words[at + word.COUNT] = (words[at + word.COUNT] as number) + 1;
    words[at + word.SENT] = words[at + word.PINGED] = whole - origin;
    words[at + word.PERIOD] =
      (interval << word.MICROS_BITS) | Math.round((instant - whole) * 1_000);
    words[at + word.FLAGS] = (words[at + word.FLAGS] as number) | word.ASKED | word.SILENT;
    return ROUTINE_PING;
  }

  /** See {@link Heartbeat.buffered}. A row does not know unsent bytes. */
  buffered(row: Row, bytes: number): void {
    if (bytes > 0) this.heartbeat(row).buffered(bytes);
    else this.#objects.get(row)?.buffered(0);
  }

  // Outputs.

  /** Whether a connection is a row, and would stay one if a ping or pong came now. */
  isPunctual(row: Row, now: Instant): boolean {
    const at = row * word.ROW_WORDS;
    const { words, origin } = this.#memory;
    const { timerSlack } = this.#timing;
    const flags = words[at + word.FLAGS] as number;
    if ((flags & word.THAWED) !== 0) return false;
    const present = Math.floor(now);
    // The usual case of a pong: no deadline is before the ping, so none can be overdue.
    const isAsked = (flags & word.ASKED) !== 0;
    if (isAsked && present - origin - (words[at + word.PINGED] as number) <= timerSlack)
      return true;
    return present - this.#deadlines.of(row, this.#timing) <= timerSlack;
  }

  /** Whether a connection is a row, and a `tick` now would send its routine ping. */
  isToPing(row: Row, now: Instant): boolean {
    if ((this.#flags(row) & (word.THAWED | word.ASKED)) !== 0 || this.pings(row) === 0)
      return false;
    const late = Math.floor(now) - this.#deadlines.of(row, this.#timing);
    return late >= 0 && late <= this.#timing.timerSlack;
  }

  /** Whether nothing was received since the routine ping of a row. */
  isSilent(row: Row): boolean {
    return (this.#flags(row) & word.SILENT) !== 0;
  }

  /** Whether {@link settle} would freeze the machine of a row. */
  isAtRest(row: Row): boolean {
    const heartbeat = this.#objects.get(row);
    if (heartbeat === undefined) return true;
    return this.#fits && freeze(heartbeat, SCRATCH, 0, this.origin, this.#timing);
  }

  /** See {@link Heartbeat.deadline}. */
  deadline(row: Row): Instant {
    const flags = this.#flags(row);
    if ((flags & word.THAWED) !== 0) return (this.#objects.get(row) as Heartbeat).deadline;
    return this.#deadlines.of(row, this.#timing);
  }

  /** See {@link Heartbeat.status}. */
  status(row: Row): HeartbeatStatus {
    return this.#objects.get(row)?.status ?? 'alive';
  }

  /** See {@link Heartbeat.latency}. */
  latency(row: Row): Millis | undefined {
    const heartbeat = this.#objects.get(row);
    if (heartbeat !== undefined) return heartbeat.latency;
    const latest = this.words[row * word.ROW_WORDS + word.LATEST] as number;
    return latest < 0 ? undefined : latest / 1_000;
  }

  /** See {@link Heartbeat.lastReceived}. */
  lastReceived(row: Row): Instant {
    const heartbeat = this.#objects.get(row);
    if (heartbeat !== undefined) return heartbeat.lastReceived;
    return this.origin + (this.words[row * word.ROW_WORDS + word.RECEIVED] as number);
  }

  /** The number of pings sent on a connection that is a row. */
  pings(row: Row): number {
    return this.words[row * word.ROW_WORDS + word.COUNT] as number;
  }

  // Time.

  /** Advances the clock of all rows, and returns its time. */
  advance(now: Instant): Instant {
    return this.#memory.advance(now);
  }

  /** Calls `act` for each connection that is well. */
  #eachRow(act: (row: Row, flags: number) => void): void {
    for (let row = 0; row < this.#memory.size; row += 1) {
      const flags = this.#flags(row);
      if (flags !== 0 && (flags & word.THAWED) === 0) act(row, flags);
    }
  }

  #flags(row: Row): number {
    return this.words[row * word.ROW_WORDS + word.FLAGS] as number;
  }
}

/**
 * Whether rows can hold connections with this timing: intervals in whole ms of at most half an hour, and
 * no pings that messages schedule.
 */
function fitsRows({ pingInterval, jitter, probeAfter }: Timing): boolean {
  const isWhole = Number.isInteger(pingInterval) || jitter > 0; // jitter rounds
  return isWhole && pingInterval <= MAX_INTERVAL && probeAfter === NEVER;
}
