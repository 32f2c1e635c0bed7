import type { ConnectionHandle } from './connection-handle.ts';
import type { ConnectionRows } from './connection-rows.ts';
import type { ServerSocket } from './server-socket.ts';

/** All connections of one server as a map from sockets to handles, which are created on demand. */
export class ConnectionMap<Socket extends ServerSocket>
  implements ReadonlyMap<Socket, ConnectionHandle>
{
  readonly #rows: ConnectionRows<Socket>;

  constructor(rows: ConnectionRows<Socket>) {
    this.#rows = rows;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(socket: Socket): ConnectionHandle | undefined {
    const row = this.#rows.rowOf(socket);
    return row === undefined ? undefined : this.#rows.handle(row);
  }

  has(socket: Socket): boolean {
    return this.#rows.rowOf(socket) !== undefined;
  }

  forEach(
    act: (
      handle: ConnectionHandle,
      socket: Socket,
      map: ReadonlyMap<Socket, ConnectionHandle>,
    ) => void,
  ): void {
    for (const [socket, handle] of this) act(handle, socket, this);
  }

  *keys(): Generator<Socket, undefined> {
    for (const row of this.#rows.rows()) yield this.#rows.socket(row);
  }

  *values(): Generator<ConnectionHandle, undefined> {
    for (const row of this.#rows.rows()) yield this.#rows.handle(row);
  }

  *entries(): Generator<[Socket, ConnectionHandle], undefined> {
    for (const row of this.#rows.rows()) yield [this.#rows.socket(row), this.#rows.handle(row)];
  }

  [Symbol.iterator](): Generator<[Socket, ConnectionHandle], undefined> {
    return this.entries();
  }
}
