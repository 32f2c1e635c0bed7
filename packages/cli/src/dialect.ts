import { randomUUID } from 'node:crypto';

/** How another protocol than ours writes a ping that a client may send, and its pong. */
export interface Dialect {
  readonly name: string;
  /** What speaks it. */
  readonly of: string;
  /** The subprotocol that it needs. */
  readonly subprotocol?: string;
  /** What is said first, once. */
  readonly opening?: string;
  /** A ping, told from others by `id` where the protocol has a place for it. */
  ping(id: string): string;
  /** Whether `text` is the pong to it. Never throws, whatever came. */
  isPong(text: string, id: string): boolean;
}

/** A member of a JSON object; undefined of anything else. */
function member(text: string, name: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  } catch {
    return undefined;
  }
}

const JSON_PING = JSON.stringify({ type: 'ping' });

/**
 * Those in which a client may ask. Of Socket.IO, SignalR and Action Cable the server asks, or nobody
 * answers: there is nothing to measure.
 */
export const DIALECTS: readonly Dialect[] = [
  {
    name: 'graphql',
    of: 'graphql-ws, after its subprotocol graphql-transport-ws',
    subprotocol: 'graphql-transport-ws',
    opening: JSON.stringify({ type: 'connection_init' }),
    ping: () => JSON_PING,
    isPong: (text) => member(text, 'type') === 'pong',
  },
  {
    name: 'json',
    of: '{"type":"ping"} and {"type":"pong"}',
    ping: () => JSON_PING,
    isPong: (text) => member(text, 'type') === 'pong',
  },
  {
    name: 'phoenix',
    of: 'Phoenix channels, version 2 of their serializer',
    ping: (id) => JSON.stringify([null, id, 'phoenix', 'heartbeat', {}]),
    isPong: (text, id) => member(text, '1') === id && member(text, '3') === 'phx_reply',
  },
  {
    name: 'text',
    of: '"ping" and "pong"',
    ping: () => 'ping',
    isPong: (text) => text === 'pong',
  },
];

/** An id that no other ping of any program has. */
export function pingId(): string {
  return randomUUID();
}
