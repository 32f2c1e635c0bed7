import { IS_PAGE } from '../../development.ts';
import type { Dialect, Wire } from './dialect.ts';
import { all, asking, define, listening } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { type Learned, messageSession } from './messages.ts';
import { textOf } from './wire.ts';

/**
 * Engine.IO version 4, the transport of Socket.IO 3 and 4. The server sends `2` and the client answers
 * `3`. A client must not send pings: the server closes the connection if it does.
 *
 * Source: the Engine.IO protocol, version 4, sections "Handshake" and "Heartbeat".
 */
export const engineIo: Dialect = /* @__PURE__ */ define(
  {
    name: 'engine.io',
    client: { asks: false, beats: false },
    server: { asks: true, beats: false },
    inject: 'never',
    open(end, isShared) {
      const write = () => (!IS_PAGE && end === 'server' ? '2' : undefined);
      const grammar = { write, read, learn };
      return messageSession(IS_PAGE ? grammar : inOrder(grammar), isShared);
    },
  },
  textOf,
  IS_PAGE ? listening : /* @__PURE__ */ all(listening, asking),
);

function read(message: unknown) {
  if (message === '2') return { kind: 'ping', answer: '3' } as const;
  return message === '3' ? ({ kind: 'pong' } as const) : undefined;
}

/** The open packet contains the ping interval and the ping timeout of the server. */
function learn(message: Wire, learned: Learned): void {
  if (typeof message !== 'string' || !message.startsWith('0{')) return;
  try {
    const { pingInterval, pingTimeout } = JSON.parse(message.slice(1));
    const sum = Number(pingInterval) + Number(pingTimeout);
    if (sum > 0 && sum < Number.POSITIVE_INFINITY) learned.timing = { maxSilence: sum };
  } catch {
    // The Engine.IO client reports the error.
  }
}
