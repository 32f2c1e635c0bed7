import type {
  ConnectionTable,
  HeartbeatStatus,
  Instant,
  Millis,
  PingOptions,
  Row,
} from '@wirebeat/core';
import type { ConnectionHeartbeat } from '../connection-heartbeat.ts';
import type { SessionClaim, SessionHolder } from '../fleet/session-claim.ts';
import type { Values } from '../timing/advertisement.ts';
import type { Connection } from './connection.ts';
import type { Tier } from './events.ts';
import type { Authenticated } from './last-seen.ts';
import type { ServerSocket } from './server-socket.ts';

/** What a {@link ConnectionHandle} needs of the rows of its server. */
export interface HandlePort {
  readonly table: ConnectionTable;
  socket(row: Row): ServerSocket;
  /** The number of the connection. */
  order(row: Row): number;
  pageLatency(row: Row): Millis | undefined;
  isResponsive(row: Row): boolean | undefined;
  lastSeen(row: Row): Instant;
  see(row: Row, at: Instant): void;
  hasEnded(row: Row): boolean;
  epochOf(claim: SessionClaim): number | undefined;
  /** Calls `act` with the object of the connection, which is created if there is none. */
  act<Result>(row: Row, act: (connection: Connection) => Result): Result;
}

/**
 * A connection as the application sees it: always the same object, whether the connection is a row or
 * not. Created when the application first asks for it.
 */
export class ConnectionHandle implements ConnectionHeartbeat, SessionHolder, Authenticated {
  readonly socket: ServerSocket;
  session: SessionClaim | number;
  readonly #row: Row;
  readonly #rows: HandlePort;
  #ended: { readonly connection: Connection; readonly lastSeen: Instant } | undefined;

  constructor(row: Row, rows: HandlePort) {
    this.socket = rows.socket(row);
    this.session = rows.order(row);
    this.#row = row;
    this.#rows = rows;
  }

  get status(): HeartbeatStatus {
    return this.#ended?.connection.heartbeat.status ?? this.#rows.table.status(this.#row);
  }

  get transportLatency(): Millis | undefined {
    if (this.#ended !== undefined) return this.#ended.connection.heartbeat.latency;
    return this.#rows.table.latency(this.#row);
  }

  get applicationLatency(): Millis | undefined {
    if (this.#ended !== undefined) return this.#ended.connection.applicationLatency;
    return this.#rows.pageLatency(this.#row);
  }

  get isResponsive(): boolean | undefined {
    if (this.#ended !== undefined) return this.#ended.connection.isResponsive;
    return this.#rows.isResponsive(this.#row);
  }

  get lastReceived(): Instant {
    return this.#ended?.connection.lastReceived ?? this.#rows.table.lastReceived(this.#row);
  }

  get lastSeen(): Instant {
    return this.#ended?.lastSeen ?? this.#rows.lastSeen(this.#row);
  }

  get detectionBound(): Millis {
    if (this.#ended !== undefined) return this.#ended.connection.heartbeat.detectionBound;
    return this.#rows.table.peek(this.#row).detectionBound;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined || this.#rows.hasEnded(this.#row);
  }

  ping(options?: PingOptions & { readonly tier?: Tier }): Promise<Millis> {
    return this.#with((connection) => connection.ping(options));
  }

  announce(values: Values): void {
    this.#with((connection) => connection.announce(values));
  }

  terminate(): void {
    this.socket.terminate();
  }

  detach(): void {
    this.#with((connection) => connection.detach());
  }

  /** Stops pinging the client and checking its answers, because the connection will be closed. */
  stopPinging(): void {
    this.#with((connection) => connection.stopPinging());
  }

  /**
   * Closes the connection with 1012 and tells the client how long to wait before it reconnects, in ms.
   */
  closeForRestart(retryAfter: Millis): void {
    this.#with((connection) => connection.closeForRestart(retryAfter));
  }

  seen(at: Instant): void {
    if (!this.hasEnded) this.#rows.see(this.#row, at);
  }

  /** `undefined` while the connection holds no session. */
  get epoch(): number | undefined {
    const { session } = this;
    return typeof session === 'number' ? undefined : this.#rows.epochOf(session);
  }

  bound({ epoch, isAnswered }: { readonly epoch: number; readonly isAnswered: boolean }): void {
    this.#with((connection) => {
      if (isAnswered) connection.announce({ session: 'ok' });
      connection.emit('session', { epoch });
    });
  }

  replace(by: ServerSocket | undefined): void {
    this.#with((connection) => connection.replace(by));
  }

  /** The connection has ended. Its row will be used by another one, so this object keeps what it needs. */
  end(connection: Connection): void {
    this.#ended ??= { connection, lastSeen: this.#rows.lastSeen(this.#row) };
  }

  #with<Result>(act: (connection: Connection) => Result): Result {
    if (this.#ended !== undefined) return act(this.#ended.connection);
    return this.#rows.act(this.#row, act);
  }
}
