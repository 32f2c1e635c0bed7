import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectTiming, Wire } from './dialect.ts';
import { messageSession, objectOf } from './messages.ts';

/**
 * Engine.IO version 4, the transport of Socket.IO 3 and 4. The server sends `2` and the client answers
 * `3`. A client must not send pings: the server closes the connection if it does.
 *
 * Source: the Engine.IO protocol, version 4, sections "Handshake" and "Heartbeat".
 */
export const engineIo: Dialect = /* @__PURE__ */ defineDialect({
  name: 'engine.io',
  client: { asks: false, beats: false },
  server: { asks: true, beats: false },
  inject: 'never',
  open(end, isShared = false) {
    const write = () => (end === 'server' ? '2' : undefined);
    return messageSession({ write, read, learn }, isShared);
  },
});

function read(message: unknown) {
  if (message === '2') return { kind: 'ping', answer: '3' } as const;
  return message === '3' ? ({ kind: 'pong' } as const) : undefined;
}

/** The open packet contains the ping interval and the ping timeout of the server. */
function learn(message: Wire, told: { timing: DialectTiming }): void {
  if (typeof message !== 'string' || !message.startsWith('0{')) return;
  try {
    const { pingInterval, pingTimeout } = (objectOf(JSON.parse(message.slice(1)), ...NAMES) ??
      {}) as { pingInterval?: unknown; pingTimeout?: unknown };
    const sum = Number(pingInterval) + Number(pingTimeout);
    if (sum > 0 && sum < Number.POSITIVE_INFINITY) told.timing = { maxSilence: sum };
  } catch {
    // The Engine.IO client reports the error.
  }
}

const NAMES = ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload'];
