import { defineDialect } from './define-dialect.ts';
import type { Dialect } from './dialect.ts';
import { messageSession, objectOf, parseShort } from './messages.ts';

/**
 * The `graphql-transport-ws` protocol: either end may send `{"type":"ping"}` at any time, and the
 * other answers `{"type":"pong"}`. The server of graphql-ws echoes the payload of a ping, so your
 * pings carry their id in it. If a server does not echo it, pongs are matched by order.
 *
 * Source: the protocol document of graphql-ws, messages `Ping` and `Pong`.
 */
export const graphql: Dialect = /* @__PURE__ */ defineDialect({
  name: 'graphql',
  subprotocols: ['graphql-transport-ws'],
  client: { asks: true, beats: false },
  server: { asks: true, beats: false },
  inject: 'id',
  open: (_end, isShared = false) => messageSession({ write, read }, isShared),
});

function write(id: string): string {
  return JSON.stringify({ type: 'ping', payload: { wirebeat: id } });
}

function read(message: unknown) {
  if (typeof message !== 'string' || message[0] !== '{') return undefined;
  const found = objectOf(parseShort(message), 'type', 'payload');
  const payload = found?.['payload'];
  const id = objectOf(payload, 'wirebeat')?.['wirebeat'];
  const named = { id: typeof id === 'string' ? id : undefined };
  if (found?.['type'] === 'pong') return { kind: 'pong', ...named } as const;
  if (found?.['type'] !== 'ping') return undefined;
  const answer = JSON.stringify({ type: 'pong', ...(payload !== undefined && { payload }) });
  return { kind: 'ping', answer, ...named } as const;
}
