import type { Dialect, DialectChoice, DialectDefinition } from './dialect.ts';
import { type DialectMode, WatchedDialect } from './dialect-connection.ts';

/**
 * Makes a dialect of its definition, for the `dialect` option.
 *
 * It expects a client or server of that protocol on the same socket, such as the official client. It
 * adds pings of its own where the protocol has them, hides only their pongs, and leaves everything
 * else to that client or server.
 *
 * If the handshake settled on a subprotocol that the dialect does not belong to, it is not used.
 */
export function defineDialect(definition: DialectDefinition): Dialect {
  return withMode(definition, 'shared');
}

/**
 * A dialect that sends nothing. It measures the pings of the client that uses the socket, and detects a
 * dead link when one of them stays unanswered, or when the peer misses the beats that it promised.
 */
export function observing(dialect: DialectDefinition): Dialect {
  return withMode(dialect, 'observing');
}

/**
 * A dialect for a socket that no other client or server of the protocol uses: it also answers the pings
 * of the peer, and hides all beats from the application.
 */
export function answering(dialect: DialectDefinition): Dialect {
  return withMode(dialect, 'answering');
}

/**
 * Chooses the dialect by the subprotocol that the handshake settled on. If none of them belongs to it,
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

function withMode(definition: DialectDefinition, mode: DialectMode): Dialect {
  const { name, subprotocols, client, server, inject } = definition;
  return {
    name,
    ...(subprotocols && { subprotocols }),
    client,
    server,
    inject,
    open: (end, isShared) => definition.open(end, isShared),
    connect(port) {
      const isOther = port.protocol !== '' && subprotocols && !subprotocols.includes(port.protocol);
      return isOther ? undefined : new WatchedDialect(definition, mode, port);
    },
  };
}
