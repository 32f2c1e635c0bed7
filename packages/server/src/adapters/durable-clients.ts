import { ReadyState } from '@wirebeat/core';
import { RateLimit } from '../connection/rate-limit.ts';
import type { DurableSocket, DurableState } from './durable-object.ts';
import { type DurableRecord, keepRecord, recordOf } from './durable-record.ts';

/** How many connections may open in 1 ms without two of the same order. */
const ORDERS = 1_024;

/** What is known of one client. All but the record is lost when the object sleeps. */
export interface DurableClient {
  /** When anything last arrived, as far as the object was awake: by the wall clock, in ms. */
  seen: number;
  record: DurableRecord;
  readonly limit: RateLimit;
}

/** The clients of a Durable Object: in memory while it is awake, and in the attachments of their sockets. */
export class DurableClients<Socket extends DurableSocket> {
  readonly #state: DurableState<Socket>;
  readonly #known: WeakMap<Socket, DurableClient> = new WeakMap();
  #order = 0;

  constructor(state: DurableState<Socket>) {
    this.#state = state;
  }

  /** The sockets that are open, and are not being closed. */
  get open(): Socket[] {
    const isLive = (socket: Socket) => isOpen(socket) && this.get(socket).record.isEnded !== true;
    return this.#state.getWebSockets().filter(isLive);
  }

  accepted(socket: Socket): void {
    keepRecord(socket, this.#newRecord());
  }

  get(socket: Socket): DurableClient {
    const known = this.#known.get(socket);
    if (known !== undefined) return known;
    const record = recordOf(socket) ?? this.#newRecord();
    const client = { seen: record.at, record, limit: new RateLimit() };
    this.#known.set(socket, client);
    return client;
  }

  /** Changes the record of a client, here and in its attachment. */
  keep(socket: Socket, change: Partial<DurableRecord>): void {
    const client = this.get(socket);
    client.record = { ...client.record, ...change };
    keepRecord(socket, client.record);
  }

  closed(socket: Socket): void {
    this.#known.delete(socket);
  }

  /** When anything last arrived, with the pings that the runtime has answered. */
  seen(socket: Socket): number {
    const answered = this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    return Math.max(this.get(socket).seen, answered);
  }

  /** Whether our last ping is unanswered, and nothing else has arrived since. */
  isWaiting(socket: Socket): boolean {
    const { askedAt } = this.get(socket).record;
    return askedAt !== undefined && this.seen(socket) < askedAt;
  }

  #newRecord(): DurableRecord {
    const at = Date.now();
    this.#order = Math.max(this.#order + 1, at * ORDERS); // it also rises over a sleep
    return { at, order: this.#order };
  }
}

export function isOpen({ readyState }: DurableSocket): boolean {
  return readyState === ReadyState.Open;
}
