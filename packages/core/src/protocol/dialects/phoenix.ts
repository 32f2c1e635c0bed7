import { defineDialect } from './define-dialect.ts';
import type { Dialect, Wire } from './dialect.ts';
import { messageSession, objectOf, parseShort } from './messages.ts';

/** The serializer of Phoenix. */
export interface PhoenixOptions {
  /** 2: arrays, the default of Phoenix. 1: objects, as Supabase writes them. @default 2 */
  readonly serializer?: 1 | 2;
}

/** Phoenix drops a client that has sent nothing for 60 s. */
const PING_INTERVAL = 30_000;

/**
 * Phoenix channels and Supabase Realtime: the client sends `heartbeat` to the topic `phoenix`, and the
 * reply carries the same `ref`.
 *
 * Source: the serializers and the heartbeat of the JavaScript client of Phoenix 1.8.
 */
export function phoenix({ serializer = 2 }: PhoenixOptions = {}): Dialect {
  const forms = serializer === 2 ? ARRAYS : OBJECTS;
  const grammar = {
    write: (id: string) => forms.ping(id),
    read(message: Wire) {
      if (typeof message !== 'string' || message[0] !== forms.first) return undefined;
      const [ref, topic, event] = forms.read(parseShort(message)) ?? [];
      if (topic !== 'phoenix' || typeof ref !== 'string') return undefined;
      if (event === 'phx_reply') return { kind: 'pong', id: ref } as const;
      if (event !== 'heartbeat') return undefined;
      return { kind: 'ping', answer: forms.pong(ref), id: ref } as const;
    },
    timing: { pingInterval: PING_INTERVAL },
  };
  return defineDialect({
    name: 'phoenix',
    client: { asks: true, beats: false },
    server: { asks: false, beats: false },
    inject: 'id',
    open: (_end, isShared = false) => messageSession(grammar, isShared),
  });
}

const REPLY = { status: 'ok', response: {} };

type Parts = readonly [ref: unknown, topic: unknown, event: unknown];

const ARRAYS = {
  first: '[',
  ping: (ref: string) => JSON.stringify([null, ref, 'phoenix', 'heartbeat', {}]),
  pong: (ref: string) => JSON.stringify([null, ref, 'phoenix', 'phx_reply', REPLY]),
  read(value: unknown): Parts | undefined {
    if (!Array.isArray(value) || value.length !== 5) return undefined;
    return [value[1], value[2], value[3]];
  },
};

const OBJECTS = {
  first: '{',
  ping: (ref: string) => JSON.stringify({ topic: 'phoenix', event: 'heartbeat', payload: {}, ref }),
  pong: (ref: string) =>
    JSON.stringify({ topic: 'phoenix', event: 'phx_reply', payload: REPLY, ref }),
  read(value: unknown): Parts | undefined {
    const found = objectOf(value, 'topic', 'event', 'payload', 'ref', 'join_ref');
    return found && [found['ref'], found['topic'], found['event']];
  },
};
