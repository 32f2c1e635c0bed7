import type { Socket as NetSocket } from 'node:net';
import { type Beat, type Millis, ReadyState, ROUTINE_ANSWER, type Row } from '@wirebeat/core';
import { builtin } from '../builtin.ts';
import type { ConnectionPort } from './connection-port.ts';
import { ConnectionRows } from './connection-rows.ts';
import type { Tier } from './events.ts';
import { BARE_PONG, bytesOf, payloadOf, pingFrame, readPayload } from './ping-payload.ts';
import type { ServerSocket } from './server-socket.ts';
import { beatOf, type SocketPort } from './socket-tap.ts';

const ignore = (): void => {};

const [ENQ, ACK, W, B] = [5, 6, 0x77, 0x62];

/** A routine ping or pong of a page, as text and as a whole frame (RFC 6455 §5.2). */
interface Routine {
  readonly text: string;
  readonly frame: Uint8Array;
}

function routine(text: string): Routine {
  return { text, frame: prepared(bytesOf(`\u0081${String.fromCharCode(text.length)}${text}`)) };
}

/** Of bytes that are no `Buffer`, Node would make one for each write. */
function prepared(frame: Uint8Array): Uint8Array {
  return globalThis.Buffer?.from(frame) ?? frame;
}

/** Elsewhere `ws` may be another implementation, which writes to the socket in its own way. */
function isNode(): boolean {
  const { versions } = globalThis.process ?? {};
  return versions !== undefined && !('bun' in versions) && !('deno' in versions);
}

/**
 * Handles the usual case on rows, without an object for the connection: a bare ping or pong that is in
 * time, other messages, and a ping that is due. In any other case, a `Connection` object decides.
 */
export class FastPath<Socket extends ServerSocket> implements SocketPort {
  readonly #context: () => ConnectionPort;
  readonly #granule: Millis;
  #rows: ConnectionRows<Socket> | undefined;
  /** The class of the sockets to which whole frames may be written; undefined outside of Node. */
  readonly #wire: typeof NetSocket | undefined = isNode() ? builtin('node:net')?.Socket : undefined;
  /** The prototype of a socket to which frames may be written: that of nearly all. */
  #wirePrototype: unknown;
  readonly #ping: Routine = routine('\u0005wb');
  readonly #pong: Routine = routine('\u0006wb');
  #protocolPing: Uint8Array | undefined;

  /** `context` is called when the first connection opens. `granule`: how exactly deadlines are met. */
  constructor(context: () => ConnectionPort, granule: Millis) {
    this.#context = context;
    this.#granule = granule;
  }

  get rows(): ConnectionRows<Socket> {
    this.#rows ??= new ConnectionRows(
      this.#context,
      this.#granule,
      (row) => this.#meet(row),
      (page) => this.#meetPage(page),
    );
    return this.#rows;
  }

  // Implementation of `SocketPort`.

  rowOf(socket: object): Row | undefined {
    const { rows } = this;
    const row = rows.rowOf(socket);
    return row !== undefined && rows.table.isThawed(row) && rows.hasEnded(row) ? undefined : row;
  }

  receiveMessage(row: Row, data: unknown, isBinary: boolean): boolean {
    const { rows } = this;
    if (!rows.table.isThawed(row)) {
      if (!isBinary && this.#receiveBareBeat(row, data as Uint8Array)) return true;
      const beat = beatOf(data, isBinary);
      if (beat === undefined) {
        this.#receiveOther(row);
        return false;
      }
    }
    const beat = beatOf(data, isBinary);
    rows.act(row, (connection) => connection.receiveMessage(beat));
    return beat !== undefined;
  }

  receiveProtocolPing(row: Row): boolean {
    const { rows } = this;
    const { scheduler, lastSeen } = this.#context();
    const now = scheduler.now();
    const isRoutine = !rows.table.isThawed(row) && lastSeen === undefined;
    if (isRoutine && rows.admits(row, now)) {
      rows.table.receive(row, now);
      rows.see(row, now);
    } else rows.act(row, (connection) => connection.receiveProtocolPing());
    return false;
  }

  receiveProtocolPong(row: Row, payload: Uint8Array): boolean {
    const { table } = this.rows;
    const { scheduler, payload: prefix } = this.#context();
    const now = scheduler.now();
    const pong = readPayload(prefix, payload);
    const isRoutine = pong === undefined || pong === BARE_PONG;
    if (!isRoutine || !table.isPunctual(row, now)) {
      return this.rows.act(row, (connection) => connection.receiveProtocolPong(payload));
    }
    if (pong === undefined) table.receive(row, now);
    else if (table.receivePong(row, now) === ROUTINE_ANSWER) this.#emitPong(row, 'transport');
    return pong !== undefined;
  }

  closed(row: Row, code: number, text: string): boolean {
    this.rows.act(row, (connection) => connection.closed(code, text));
    return false;
  }

  sending(row: Row, isWhole: boolean): void {
    const { rows } = this;
    const wasRow = !rows.table.isThawed(row);
    if (wasRow && isWhole) {
      const now = this.#context().scheduler.now();
      const page = rows.pageOf(row);
      rows.table.sent(row, now);
      if (page !== undefined) rows.pages.sent(page, now);
      return;
    }
    // It stays an object at least until the message has ended: rows do not track fragments.
    const connection = rows.thaw(row);
    connection.sending();
    if (wasRow) connection.rearm();
  }

  messageEnded(row: Row, held: Beat | undefined): void {
    this.rows.act(row, (connection) => connection.messageEnded(held));
  }

  // Rows.

  /** A message other than a ping or pong has arrived: it only marks the row. */
  #receiveOther(row: Row): void {
    const { rows } = this;
    const now = this.#context().scheduler.now();
    const page = rows.pageOf(row);
    rows.table.receive(row, now);
    rows.see(row, now);
    if (page !== undefined) rows.pages.receive(page, now);
  }

  /** Returns whether the message is a bare ping or pong that a row can handle. */
  #receiveBareBeat(row: Row, data: Uint8Array): boolean {
    if (data.length !== 3 || data[1] !== W || data[2] !== B) return false;
    const [first] = data;
    const { rows } = this;
    const { scheduler, lastSeen } = this.#context();
    const now = scheduler.now();
    const page = rows.pageOf(row);
    if (page === undefined || lastSeen !== undefined) return false;
    if (!rows.pages.isPunctual(page, now)) return false;
    if (first === ACK) rows.table.receive(row, now);
    else if (first !== ENQ || !this.#answer(row, now)) return false;
    rows.see(row, now);
    if (first === ENQ) rows.pages.receivePing(page, now);
    else if (rows.pages.receivePong(page, now) === ROUTINE_ANSWER)
      this.#emitPong(row, 'application');
    return true;
  }

  /** Answers a bare ping at once, if the server does that, nothing waits to be sent, and `pingLimit` allows it. */
  #answer(row: Row, now: Millis): boolean {
    const { rows } = this;
    if (this.#context().answer === 'bridge') return false;
    const isReady = rows.table.isPunctual(row, now) && this.#isClear(rows.socket(row));
    if (!isReady || !rows.admits(row, now)) return false;
    rows.table.receivePing(row, now);
    this.#send(row, this.#pong);
    return true;
  }

  /** A row is due: sends its routine ping, or lets a `Connection` decide. */
  #meet(row: Row): void {
    const { rows } = this;
    const { table } = rows;
    const { scheduler, policy } = this.#context();
    const now = scheduler.now();
    const due = table.deadline(row);
    if (due > now) return rows.list(row, due);
    if (!table.isToPing(row, now) || !this.#isClear(rows.socket(row))) {
      return rows.act(row, (connection) => connection.transport.tick());
    }
    policy.placesFor(rows.order(row));
    table.ping(row, now);
    rows.noteBytes(row);
    this.#sendProtocolPing(row);
    this.#emitPing(row, 'transport');
    if (!table.isThawed(row)) rows.list(row); // a listener may have asked something of it
  }

  #meetPage(page: Row): void {
    const { rows } = this;
    const { pages } = rows;
    const row = rows.ofPage(page);
    const { scheduler, policy } = this.#context();
    const now = scheduler.now();
    const due = pages.deadline(page);
    if (due > now) return rows.listPage(page, due);
    if (!pages.isToPing(page, now) || !this.#isClear(rows.socket(row))) {
      return rows.act(row, (connection) => connection.tickPage());
    }
    policy.placesFor(rows.order(row));
    pages.ping(page, now);
    rows.table.sent(row, now); // proxies have seen traffic from us
    this.#send(row, this.#ping);
    this.#emitPing(row, 'application');
    if (!pages.isThawed(page)) rows.listPage(page);
  }

  // Sending.

  /** Whether the socket is open and read, and nothing waits to be sent, so that no frame is half written. */
  #isClear(socket: Socket): boolean {
    const isOpen = socket.readyState === ReadyState.Open && socket.isPaused !== true;
    return isOpen && socket.bufferedAmount === 0;
  }

  #sendProtocolPing(row: Row): void {
    const { payload } = this.#context();
    this.#protocolPing ??= prepared(pingFrame(payload));
    const wire = this.#wireOf(row);
    if (wire !== undefined) wire.write(this.#protocolPing);
    else this.rows.socket(row).ping(payloadOf(payload, undefined), undefined, ignore);
  }

  #send(row: Row, { text, frame }: Routine): void {
    const wire = this.#wireOf(row);
    if (wire !== undefined) wire.write(frame);
    else this.#context().tap.send(this.rows.socket(row), text);
  }

  /**
   * The TCP or TLS socket of a connection, if a whole frame may be written to it. Nothing waits to be sent,
   * so the frame is written between two frames of `ws`.
   */
  #wireOf(row: Row): NetSocket | undefined {
    const counter = this.rows.counter(row) as NetSocket | undefined;
    if (counter === undefined || this.#wire === undefined) return undefined;
    const prototype: unknown = Object.getPrototypeOf(counter);
    if (prototype === this.#wirePrototype) return counter; // faster than `instanceof` of a stream
    if (!(counter instanceof this.#wire)) return undefined;
    this.#wirePrototype = prototype;
    return counter;
  }

  // Events: without a listener, no event object is created.

  #emitPing(row: Row, tier: Tier): void {
    const { hasListener, emit } = this.#context();
    if (hasListener('ping')) emit(row, 'ping', { id: undefined, tier });
  }

  #emitPong(row: Row, tier: Tier): void {
    const { hasListener, emit } = this.#context();
    if (!hasListener('pong')) return;
    const { rows } = this;
    const measured = tier === 'transport' ? rows.table.latency(row) : rows.pageLatency(row);
    emit(row, 'pong', { id: undefined, latency: measured ?? 0, sampled: true, tier });
  }
}
