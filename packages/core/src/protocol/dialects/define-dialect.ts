import type {
  Dialect,
  DialectChoice,
  DialectConnection,
  DialectDefinition,
  DialectPort,
} from './dialect.ts';
import { connectDialect, type LimitSilence, type PingWatch } from './dialect-connection.ts';

/** The maximum number of pings of the application that are timed at once, to limit memory. */
const MAX_TIMED = 16;

/**
 * Makes a dialect of its definition, for the `dialect` option.
 *
 * It expects a client or server of the protocol on the same socket, such as the official client. If the
 * protocol has pings, it adds its own and hides only their pongs. It leaves everything else to that
 * client or server.
 *
 * If the handshake settled on a subprotocol that the dialect does not belong to, it is not used.
 */
export function defineDialect(definition: DialectDefinition): Dialect {
  return withConnect(definition, (port) => connectDialect(definition, port));
}

/**
 * A dialect that sends nothing. It measures the latency of the pings that the application sends, and
 * detects a dead link if one of them stays unanswered for `pingTimeout`, or if the peer is silent for
 * longer than its protocol allows.
 */
export function observing(dialect: DialectDefinition): Dialect {
  return withConnect(dialect, (port) =>
    connectDialect(dialect, port, true, (limit) => watchPings(port, limit)),
  );
}

/**
 * A dialect for a socket that no other client or server of the protocol uses: it also answers the pings
 * of the peer, and hides all beats from the application.
 */
export function answering(dialect: DialectDefinition): Dialect {
  return withConnect(dialect, (port) => connectDialect(dialect, port, false));
}

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

function withConnect(
  definition: DialectDefinition,
  connect: (port: DialectPort) => DialectConnection,
): Dialect {
  const { subprotocols } = definition;
  const isOther = (protocol: string) =>
    protocol !== '' && subprotocols?.includes(protocol) === false;
  return {
    ...definition,
    connect: (port) => (isOther(port.protocol) ? undefined : connect(port)),
  };
}

function watchPings(port: DialectPort, limit: LimitSilence): PingWatch {
  const { heartbeat } = port.driver;
  const timed = new Map<string, number>(); // when each was sent
  let isLimited = false;
  let isLate = false; // what was received may have waited on this side
  return {
    asked(id) {
      const now = port.now();
      const [oldest = ''] = timed.keys();
      if (timed.size === MAX_TIMED) timed.delete(oldest);
      timed.set(id, now);
      if (isLimited) return; // an earlier one is unanswered
      isLimited = true;
      limit(now - heartbeat.lastReceived + heartbeat.pingTimeout);
    },
    heard() {
      isLate = heartbeat.stallAt(port.now()) > 0;
      if (isLimited) limit();
      isLimited = false;
    },
    answered(id) {
      const sentAt = timed.get(id);
      if (sentAt === undefined) return;
      timed.delete(id);
      const latency = port.now() - sentAt;
      if (!isLate) heartbeat.sample(latency);
      port.emit('pong', { id, latency, sampled: !isLate });
    },
  };
}
