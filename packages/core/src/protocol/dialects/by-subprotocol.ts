import type { Dialect, DialectChoice } from './dialect.ts';

/**
 * Chooses the dialect by the subprotocol that the handshake settled on. If it belongs to none of them,
 * the connection has wirebeat's own heartbeat.
 */
export function bySubprotocol(...dialects: readonly Dialect[]): DialectChoice {
  return {
    connect(port) {
      const chosen = dialects.find(({ subprotocols }) => subprotocols?.includes(port.protocol));
      return chosen?.connect(port);
    },
  };
}
