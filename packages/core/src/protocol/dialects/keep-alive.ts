import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectTiming, Wire } from './dialect.ts';
import { messageSession, objectOf, parseShort } from './messages.ts';

/** How long a server of this protocol may be silent. */
export interface KeepAliveOptions {
  readonly name?: string;
  /** Time without any message, in ms, after which the connection is dead. @default 30_000 */
  readonly maxSilence?: number;
}

/**
 * The legacy GraphQL protocol of subscriptions-transport-ws and AWS AppSync: after
 * `connection_ack`, the server sends `{"type":"ka"}` at intervals, without an answer. Latency
 * cannot be measured.
 *
 * A server of subscriptions-transport-ws sends `ka` only if it is configured to, so the time starts
 * with the first one. A `connectionTimeoutMs` in the acknowledgement (AppSync) limits the time.
 */
export function keepAlive(options: KeepAliveOptions = {}): Dialect {
  const { name = 'ka', maxSilence = 30_000 } = options;
  return defineDialect({
    name,
    subprotocols: ['graphql-ws'],
    client: { asks: false, beats: false },
    server: { asks: false, beats: true },
    inject: 'never',
    open(end, isShared = false) {
      let limit = maxSilence;
      const learn = (message: Wire, told: { timing: DialectTiming }) => {
        const timeout = timeoutIn(message);
        if (timeout !== undefined) limit = Math.min(timeout, maxSilence);
        const isPromised = timeout !== undefined || read(message) !== undefined;
        if (isPromised) told.timing = { maxSilence: limit };
      };
      const write = () => (end === 'server' ? '{"type":"ka"}' : undefined);
      return messageSession({ write, read, learn }, isShared);
    },
  });
}

/**
 * AWS AppSync. Its servers send `ka` about once a minute; the official client waits five minutes.
 */
export const appSync: Dialect = /* @__PURE__ */ keepAlive({
  name: 'appsync',
  maxSilence: 75_000,
});

function read(message: Wire) {
  if (typeof message !== 'string' || message[0] !== '{') return undefined;
  const type = objectOf(parseShort(message), 'type')?.['type'];
  return type === 'ka' || type === 'keepalive' ? ({ kind: 'beat' } as const) : undefined;
}

/** `connectionTimeoutMs` of an acknowledgement: in its payload, or beside its type. */
function timeoutIn(message: Wire): number | undefined {
  if (typeof message !== 'string' || !message.includes('connection_ack')) return undefined;
  const found = parseShort(message) as Record<string, unknown> | undefined;
  if (found?.['type'] !== 'connection_ack') return undefined;
  const payload = found['payload'] as Record<string, unknown> | null | undefined;
  const timeout = Number(payload?.['connectionTimeoutMs'] ?? found['connectionTimeoutMs']);
  return timeout > 0 ? timeout : undefined;
}
