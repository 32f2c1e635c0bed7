import type { ConnectionHeartbeat } from '../connection-heartbeat.ts';
import type { RuntimeSocket } from './runtime-socket.ts';

/** The connections of a server by the sockets of the runtime. */
export class Connections<Raw extends object> implements ReadonlyMap<Raw, ConnectionHeartbeat> {
  readonly #all: ReadonlyMap<RuntimeSocket<Raw>, ConnectionHeartbeat>;
  readonly #socketOf: (raw: Raw) => RuntimeSocket<Raw> | undefined;

  constructor(
    all: ReadonlyMap<RuntimeSocket<Raw>, ConnectionHeartbeat>,
    socketOf: (raw: Raw) => RuntimeSocket<Raw> | undefined,
  ) {
    this.#all = all;
    this.#socketOf = socketOf;
  }

  get size(): number {
    return this.#all.size;
  }

  get(raw: Raw): ConnectionHeartbeat | undefined {
    const socket = this.#socketOf(raw);
    return socket && this.#all.get(socket);
  }

  has(raw: Raw): boolean {
    return this.get(raw) !== undefined;
  }

  forEach(
    act: (
      connection: ConnectionHeartbeat,
      raw: Raw,
      map: ReadonlyMap<Raw, ConnectionHeartbeat>,
    ) => void,
  ): void {
    for (const [raw, connection] of this) act(connection, raw, this);
  }

  *keys(): Generator<Raw, undefined> {
    for (const socket of this.#all.keys()) yield socket.raw;
  }

  *values(): Generator<ConnectionHeartbeat, undefined> {
    yield* this.#all.values();
  }

  *entries(): Generator<[Raw, ConnectionHeartbeat], undefined> {
    for (const [socket, connection] of this.#all) yield [socket.raw, connection];
  }

  [Symbol.iterator](): Generator<[Raw, ConnectionHeartbeat], undefined> {
    return this.entries();
  }
}
