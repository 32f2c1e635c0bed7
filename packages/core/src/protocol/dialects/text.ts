import type { Dialect } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { messageSession } from './messages.ts';
import { textOf } from './wire.ts';

/** How a {@link text} heartbeat is written. */
export interface TextOptions {
  readonly name?: string;
  /** @default 'ping' */
  readonly ping?: string;
  /** @default 'pong' */
  readonly pong?: string;
}

/**
 * A heartbeat of two constant text messages: many servers answer `ping` with `pong`. Pongs are
 * matched with pings by their order.
 */
export function text(options: TextOptions = {}): Dialect {
  const { name = 'text', ping = 'ping', pong = 'pong' } = options;
  const grammar = {
    write: () => ping,
    read(message: unknown) {
      if (message === pong) return { kind: 'pong' } as const;
      return message === ping ? ({ kind: 'ping', answer: pong } as const) : undefined;
    },
  };
  const role = { asks: true, beats: false };
  return define(
    {
      name,
      client: role,
      server: role,
      inject: 'order',
      open: (_end, isShared) => messageSession(inOrder(grammar), isShared),
    },
    textOf,
    asking,
  );
}

/**
 * The keep-alive of tRPC over WebSockets: either end sends `PING`, and the other answers `PONG`.
 */
export const trpc: Dialect = /* @__PURE__ */ text({ name: 'trpc', ping: 'PING', pong: 'PONG' });
