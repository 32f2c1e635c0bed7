import type { DurableSocket } from './durable-object.ts';

/** What is kept of a client while the object sleeps: all instants are of the wall clock, in ms. */
export interface DurableRecord {
  /** When anything was last known to have arrived. */
  readonly at: number;
  /** Whether the client sends application pings, so that it can be asked. */
  readonly isAsker?: boolean;
  readonly isFrozen?: boolean;
  /** Whether it is being closed. A socket that wakes with the object may still say that it is open. */
  readonly isEnded?: boolean;
  /** When our last ping was sent, while it is unanswered. */
  readonly askedAt?: number | undefined;
  readonly session?: string;
  /** In the order in which the clients came. */
  readonly order: number;
  readonly latency?: number;
}

/** The name of the record in the attachment, beside what the application has there. */
const KEY = 'wirebeat';

/** Reads the record of a client; `undefined` if the application has replaced the attachment. */
export function recordOf(socket: DurableSocket): DurableRecord | undefined {
  const attached = socket.deserializeAttachment();
  if (typeof attached !== 'object' || attached === null) return undefined;
  return (attached as { readonly [KEY]?: DurableRecord })[KEY];
}

/** Writes the record of a client into its attachment. */
export function keepRecord(socket: DurableSocket, record: DurableRecord): void {
  const attached = socket.deserializeAttachment();
  const others = typeof attached === 'object' ? attached : { attached };
  socket.serializeAttachment({ ...others, [KEY]: record });
}
