import { IS_PAGE } from '../../development.ts';
import type { Dialect, DialectBeat, Wire } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { MARK, messageSession, pongWith, readJson } from './messages.ts';
import { textOf } from './wire.ts';

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
  const isArray = serializer === 2;
  const members = isArray ? [1, 2, 3] : ['ref', 'topic', 'event'];
  const write = (event: string, ref: string, payload = {}) =>
    JSON.stringify(
      isArray ? [null, ref, 'phoenix', event, payload] : { topic: 'phoenix', event, payload, ref },
    );
  const read = (message: Wire): DialectBeat | undefined => {
    const value = readJson(message, isArray ? '[' : '{');
    const [ref, topic, event] = members.map((name) => value[name]);
    if (topic !== 'phoenix' || typeof ref !== 'string') return undefined;
    if (event === 'phx_reply') return pongWith(ref);
    if (event !== 'heartbeat') return undefined;
    // A page receives none.
    return { kind: 'ping', answer: IS_PAGE ? '' : write('phx_reply', ref, REPLY), id: ref };
  };
  const grammar = {
    write: (id: string) => write('heartbeat', MARK + id),
    read,
    sent(message: Wire) {
      const beat = read(message);
      return beat?.kind === 'ping' ? beat.id : undefined;
    },
    timing: { pingInterval: PING_INTERVAL },
  };
  return define(
    {
      name: 'phoenix',
      client: { asks: true, beats: false },
      server: { asks: false, beats: false },
      inject: 'id',
      open: (_end, isShared) => messageSession(grammar, isShared),
    },
    textOf,
    asking,
  );
}

const REPLY = { status: 'ok', response: {} };
