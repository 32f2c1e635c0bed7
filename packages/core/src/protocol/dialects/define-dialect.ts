import type { Instant, Millis } from '../../time.ts';
import type {
  Dialect,
  DialectDefinition,
  DialectEnd,
  DialectPort,
  DialectRole,
  DialectSession,
} from './dialect.ts';
import { all, alone, asking, define, holding, listening } from './dialect-connection.ts';
import { wireOf } from './wire.ts';

const LISTENS: DialectRole = { asks: false, beats: false };
const NEVER: Millis = Number.POSITIVE_INFINITY;
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
  return define(definition, wireOf, all(listening, asking), holding);
}

/**
 * A dialect that sends nothing. It measures the latency of the pings that the application sends, and
 * detects a dead link if one of them stays unanswered for `pingTimeout`, or if the peer is silent for
 * longer than its protocol allows.
 */
export function observing(dialect: DialectDefinition): Dialect {
  const observed = (port: DialectPort): DialectDefinition => ({
    ...dialect,
    client: LISTENS,
    server: LISTENS,
    open: (...args) => observe(dialect.open(...args), port),
  });
  return {
    ...dialect,
    connect: (port) => define(observed(port), wireOf, listening).connect(port),
  };
}

/**
 * A dialect for a socket that no other client or server of the protocol uses: it also answers the pings
 * of the peer, and hides all beats from the application.
 */
export function answering(dialect: DialectDefinition): Dialect {
  const own = { ...dialect, open: (end: DialectEnd) => dialect.open(end) };
  return define(own, wireOf, all(listening, alone, asking), holding);
}

function observe(session: DialectSession, port: DialectPort): DialectSession {
  const { heartbeat } = port.driver;
  const timed: { readonly id: string; readonly sentAt: Instant }[] = [];
  let limit: Millis | undefined; // of the silence, while a ping is unanswered
  return {
    ready: true,
    get timing() {
      const { maxSilence = NEVER, ...rest } = session.timing;
      return limit === undefined
        ? session.timing
        : { ...rest, maxSilence: Math.min(limit, maxSilence) };
    },
    ping: () => undefined,
    sent(message) {
      const id = session.sent(message);
      if (id === undefined) return id;
      const now = port.now();
      if (timed.push({ id, sentAt: now }) > MAX_TIMED) timed.shift();
      limit ??= now - heartbeat.lastReceived + heartbeat.pingTimeout;
      return id;
    },
    receive(message) {
      const now = port.now();
      const sampled = heartbeat.stallAt(now) === 0; // otherwise it may have waited on this side
      limit = undefined;
      const reading = session.receive(message);
      for (const beat of reading?.beats ?? []) {
        const at = timed.findIndex(({ id }) => beat.kind === 'pong' && beat.id === id);
        const [answered] = at < 0 ? [] : timed.splice(at, 1);
        if (!answered) continue;
        const { id, sentAt } = answered;
        const latency = now - sentAt;
        if (sampled) heartbeat.sample(latency);
        port.emit('pong', { id, latency, sampled });
      }
      return reading;
    },
  };
}
