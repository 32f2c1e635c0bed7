import {
  ConnectionTable,
  type Heartbeat,
  type Instant,
  type Millis,
  OWNER,
  OWNER_INSTANT,
  ROW_WORDS,
  type Row,
} from '@wirebeat/core';
import type { SessionClaim } from '../fleet/session-claim.ts';
import { RowTimer } from '../timing/row-timer.ts';
import { RowWheel } from '../timing/row-wheel.ts';
import { Connection } from './connection.ts';
import { ConnectionHandle, type HandlePort } from './connection-handle.ts';
import type { ConnectionPort, PageState, RowPort } from './connection-port.ts';
import { LongMessage } from './long-message.ts';
import { RowLimits } from './row-limits.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';

// Words of the owner. The first two of each table belong to its wheel.
// Of a connection:
const SEEN = OWNER_INSTANT; // when the application last heard from the client
const FULL = OWNER_INSTANT + 1; // when the pings of the client may be full: see `RowLimits`
const BYTES = OWNER + 2; // the low bits of the bytes read when the Ping was sent
const PAGE = OWNER + 3; // the row of its page plus 1; 0 if the client sends no pings
const ORDER = OWNER + 4; // its number: a newer connection has a greater one
// Of a page:
const CONNECTION = OWNER + 2; // the row of its connection
const WELCOMED = OWNER + 3; // 1 if the client was sent what the server asks for

const NOBODY = -1;

/** Handles a row whose deadline has come. */
type Meet = (row: Row) => void;

/**
 * All connections of one server. A healthy connection is a row of a table, and a second row if its client
 * sends pings. A connection becomes a {@link Connection} object only while it is in trouble, or while
 * something unusual happens.
 */
export class ConnectionRows<Socket extends ServerSocket> implements RowPort, HandlePort {
  /** The transport tier of each connection. */
  readonly table: ConnectionTable;
  /** The application tier of each connection whose client sends pings. */
  readonly pages: ConnectionTable;
  readonly #context: () => ConnectionPort;
  readonly #wheel: RowWheel;
  readonly #pageWheel: RowWheel;
  readonly #key: symbol = Symbol('heartbeat');
  #sockets: (Socket | undefined)[] = [];
  #counters: (ByteCounter | undefined)[] = [];
  readonly #limits: RowLimits;
  readonly #thawed: Map<Row, Connection> = new Map();
  readonly #handles: Map<Row, ConnectionHandle> = new Map();
  #size = 0;
  #opened = 0;

  /** `meet` and `meetPage` are called when something is due on a row. */
  constructor(context: () => ConnectionPort, granule: Millis, meet: Meet, meetPage: Meet) {
    const { policy, wheel } = context();
    this.#context = context;
    this.table = new ConnectionTable(policy.timing);
    this.pages = new ConnectionTable(policy.pageTiming);
    this.#limits = new RowLimits(this.table, FULL);
    this.#wheel = new RowWheel(this.table, wheel, granule, (row) => {
      if (this.#sockets[row] === undefined) this.table.remove(row);
      else if (this.table.isThawed(row)) this.#thawed.get(row)?.timer.wake();
      else meet(row);
    });
    this.#pageWheel = new RowWheel(this.pages, wheel, granule, (page) => {
      if (this.ofPage(page) === NOBODY) this.pages.remove(page);
      else if (this.pages.isThawed(page)) this.#thawed.get(this.ofPage(page))?.pageTimer?.wake();
      else meetPage(page);
    });
  }

  // Adding and removing connections.

  /** Adds a connection, which is not open yet. */
  add(socket: Socket, counter: ByteCounter | undefined): Connection {
    const row = this.table.add();
    if (row >= this.#sockets.length) this.#grow();
    this.#sockets[row] = socket;
    this.#counters[row] = counter;
    this.#opened += 1;
    this.table.words[row * ROW_WORDS + ORDER] = this.#opened;
    this.#resize(this.#size + 1);
    this.#context().policy.placesFor(this.#opened);
    Object.defineProperty(socket, this.#key, { value: row, configurable: true });
    return this.thaw(row);
  }

  /** Removes a connection that has ended. Its row is free once it is in no list. */
  remove(row: Row): void {
    const socket = this.#sockets[row];
    const connection = this.#thawed.get(row);
    if (socket === undefined || connection === undefined) return;
    this.#handles.get(row)?.end(connection);
    const page = this.pageOf(row);
    Reflect.deleteProperty(socket, this.#key);
    this.#sockets[row] = this.#counters[row] = undefined;
    this.#thawed.delete(row);
    this.#handles.delete(row);
    this.#limits.remove(row);
    this.#resize(this.#size - 1);
    if (page !== undefined) this.#removePage(page);
    if (!this.#wheel.isListed(row)) this.table.remove(row);
    if (this.#size > 0) return;
    this.#wheel.clear((left) => this.table.remove(left)); // so that no timer is left
    this.#pageWheel.clear((left) => this.pages.remove(left));
  }

  /** Its row is free once it is in no list. */
  #removePage(page: Row): void {
    this.pages.words[page * ROW_WORDS + CONNECTION] = NOBODY; // its row may soon be another's
    if (!this.#pageWheel.isListed(page)) this.pages.remove(page);
  }

  rowOf(socket: object): Row | undefined {
    return (socket as { readonly [key: symbol]: Row | undefined })[this.#key];
  }

  /** Whether the connection of this row has not ended. */
  isOpen(row: Row): boolean {
    return this.#sockets[row] !== undefined;
  }

  socket(row: Row): Socket {
    return this.#sockets[row] as Socket;
  }

  counter(row: Row): ByteCounter | undefined {
    return this.#counters[row];
  }

  order(row: Row): number {
    return this.table.words[row * ROW_WORDS + ORDER] as number;
  }

  /** The connection as the application sees it. */
  handle(row: Row): ConnectionHandle {
    const known = this.#handles.get(row);
    if (known !== undefined) return known;
    const handle = new ConnectionHandle(row, this);
    this.#handles.set(row, handle);
    return handle;
  }

  knownHandle(row: Row): ConnectionHandle | undefined {
    return this.#handles.get(row);
  }

  /** Whether the heartbeat of a connection has ended. */
  hasEnded(row: Row): boolean {
    return this.#thawed.get(row)?.hasEnded === true;
  }

  // Rows and objects.

  /** Calls `act` with the object of a connection, which is created if there is none. */
  act<Result>(row: Row, act: (connection: Connection) => Result): Result {
    const wasRow = !this.#thawed.has(row);
    const connection = this.thaw(row);
    connection.depth += 1;
    try {
      return act(connection);
    } finally {
      connection.depth -= 1;
      if (!this.settle(connection) && wasRow && !connection.hasEnded) connection.rearm();
    }
  }

  thaw(row: Row): Connection {
    const known = this.#thawed.get(row);
    if (known !== undefined) return known;
    this.table.advance(this.#context().scheduler.now());
    const connection = new Connection(row, this, this.#context());
    this.#thawed.set(row, connection);
    return connection;
  }

  /** Replaces the object of a connection by rows, if it is at rest and healthy. Returns whether it did. */
  settle(connection: Connection): boolean {
    const { row } = connection;
    const page = this.pageOf(row);
    if (!connection.isAtRest || !this.table.isAtRest(row)) return false;
    if (page !== undefined && !this.pages.isAtRest(page)) return false;
    connection.release();
    this.#thawed.delete(row);
    this.table.settle(row);
    this.list(row);
    if (page === undefined) return true;
    this.pages.words[page * ROW_WORDS + WELCOMED] = connection.isWelcomed === true ? 1 : 0;
    this.pages.settle(page);
    this.listPage(page);
    return true;
  }

  /** Lists a row for its deadline. It may be met a little earlier, and its deadline may move meanwhile. */
  list(row: Row, due: Instant = this.table.deadline(row)): void {
    this.#wheel.list(row, due, this.#context().policy.batches);
  }

  /** The same for the row of a page. */
  listPage(page: Row, due: Instant = this.pages.deadline(page)): void {
    this.#pageWheel.list(page, due, this.#context().policy.batches);
  }

  /** Applies the server's timing from the next ping of each connection on. */
  retime(): void {
    const { policy } = this.#context();
    const changed = [...this.rows()].filter((row) => this.#isWaiting(row));
    for (const row of changed) this.thaw(row);
    this.table.rebase(policy.timing);
    this.pages.rebase(policy.pageTiming);
    for (const connection of this.#thawed.values()) connection.retime();
    for (const row of this.rows()) if (!this.#isRow(row)) this.act(row, () => {});
    for (const row of changed) this.#thawed.get(row)?.rearm(); // nothing else sets their timers
  }

  /** Whether a routine ping is unanswered: its deadline follows the old timing. */
  #isWaiting(row: Row): boolean {
    const page = this.pageOf(row);
    return this.table.isSilent(row) || (page !== undefined && this.pages.isSilent(page));
  }

  #isRow(row: Row): boolean {
    const page = this.pageOf(row);
    return !this.table.isThawed(row) && (page === undefined || !this.pages.isThawed(page));
  }

  // What a Connection reads of its row when it takes over.

  machine(row: Row): Heartbeat {
    return this.table.heartbeat(row);
  }

  timer(row: Row): RowTimer {
    return new RowTimer(this.#context().wheel, this.#wheel, row);
  }

  pageTimer(row: Row): RowTimer {
    return new RowTimer(this.#context().wheel, this.#pageWheel, this.pageOf(row) as Row);
  }

  page(row: Row): PageState | undefined {
    const page = this.pageOf(row);
    if (page === undefined) return undefined;
    this.pages.advance(this.#context().scheduler.now());
    const isWelcomed = this.pages.words[page * ROW_WORDS + WELCOMED] === 1;
    return { machine: this.pages.heartbeat(page), isWelcomed };
  }

  /** The client has sent its first ping: gives its page a row. Returns its machine. */
  addPage(row: Row): Heartbeat {
    const page = this.pages.add();
    this.table.words[row * ROW_WORDS + PAGE] = page + 1;
    this.pages.words[page * ROW_WORDS + CONNECTION] = row;
    return this.pages.heartbeat(page);
  }

  /** Counts the bytes received: a `LongMessage` while a Ping is unanswered. */
  incoming(row: Row): ByteCounter | LongMessage | undefined {
    const counter = this.#counters[row];
    if (counter === undefined || !this.table.isSilent(row)) return counter;
    const { bytesRead } = counter;
    const since = (bytesRead | 0) - (this.table.words[row * ROW_WORDS + BYTES] as number);
    return new LongMessage(counter, bytesRead - (since | 0));
  }

  // The words of a row.

  pageOf(row: Row): Row | undefined {
    const page = this.table.words[row * ROW_WORDS + PAGE] as number;
    return page === 0 ? undefined : page - 1;
  }

  ofPage(page: Row): Row {
    return this.pages.words[page * ROW_WORDS + CONNECTION] as number;
  }

  /** Notes how many bytes had been read when a Ping is sent. */
  noteBytes(row: Row): void {
    const counter = this.#counters[row];
    if (counter !== undefined) this.table.words[row * ROW_WORDS + BYTES] = counter.bytesRead | 0;
  }

  /** Notes that the application received something from the client. */
  see(row: Row, at: Instant): void {
    const word = row * ROW_WORDS + SEEN;
    const since = Math.floor(at) - this.table.origin;
    if (since > (this.table.words[word] as number)) this.table.words[word] = since;
  }

  lastSeen(row: Row): Instant {
    return this.table.origin + (this.table.words[row * ROW_WORDS + SEEN] as number);
  }

  /** Returns whether the client may send a ping now, and counts it if so. */
  admits(row: Row, now: Instant): boolean {
    return this.#limits.admits(row, now, this.#context().pingLimit);
  }

  pageLatency(row: Row): Millis | undefined {
    const connection = this.#thawed.get(row);
    if (connection !== undefined) return connection.applicationLatency;
    const page = this.pageOf(row);
    return page === undefined ? undefined : this.pages.latency(page);
  }

  isResponsive(row: Row): boolean | undefined {
    const connection = this.#thawed.get(row);
    if (connection !== undefined) return connection.isResponsive;
    return this.pageOf(row) === undefined ? undefined : true;
  }

  epochOf(claim: SessionClaim): number | undefined {
    return this.#context().sessions?.epochOf(claim);
  }

  /** The connections that hold sessions. */
  holders(): ConnectionHandle[] {
    return [...this.#handles.values()].filter(({ session }) => typeof session !== 'number');
  }

  /** The number of connections. */
  get size(): number {
    return this.#size;
  }

  /** The rows of all connections, without those that end meanwhile. */
  *rows(): Generator<Row, undefined> {
    for (let row = 0; row < this.#sockets.length; row += 1) {
      if (this.#sockets[row] !== undefined) yield row;
    }
  }

  #resize(size: number): void {
    this.#size = size;
    this.#context().policy.count(size);
  }

  /** Grows the arrays with the table. By itself, an array would reserve twice the memory that it needs. */
  #grow(): void {
    const length = this.table.words.length / ROW_WORDS;
    this.#sockets = Array.from({ length }, (_, row) => this.#sockets[row]);
    this.#counters = Array.from({ length }, (_, row) => this.#counters[row]);
  }
}
