import type { Dialect, Wire } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { messageSession, readJson } from './messages.ts';
import { textOf } from './wire.ts';

/**
 * The `graphql-transport-ws` protocol: either end may send `{"type":"ping"}` at any time, and the
 * other answers `{"type":"pong"}`. The server of graphql-ws echoes the payload of a ping, so your
 * pings carry their id in it. If a server does not echo it, pongs are matched by order.
 *
 * Source: the protocol document of graphql-ws, messages `Ping` and `Pong`.
 */
export const graphql: Dialect = /* @__PURE__ */ define(
  {
    name: 'graphql',
    subprotocols: ['graphql-transport-ws'],
    client: { asks: true, beats: false },
    server: { asks: true, beats: false },
    inject: 'id',
    open: (_end, isShared) => messageSession(inOrder({ write, read }), isShared),
  },
  textOf,
  asking,
);

function write(id: string): string {
  return JSON.stringify({ type: 'ping', payload: { wirebeat: id } });
}

function read(message: Wire) {
  const { type, payload } = readJson(message);
  const { wirebeat } = Object(payload) as { readonly wirebeat?: unknown };
  const id = typeof wirebeat === 'string' ? wirebeat : undefined;
  if (type === 'pong') return { kind: type, id, isOurs: id !== undefined } as const;
  if (type !== 'ping') return undefined;
  // A payload that is undefined is left out.
  return { kind: type, answer: JSON.stringify({ type: 'pong', payload }) } as const;
}
