import { IS_PAGE } from '../../development.ts';
import type { Dialect, Wire } from './dialect.ts';
import { define, listening } from './dialect-connection.ts';
import { type Learned, messageSession, readJson } from './messages.ts';
import { textOf } from './wire.ts';

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
  return define(
    {
      name,
      subprotocols: ['graphql-ws'],
      client: { asks: false, beats: false },
      server: { asks: false, beats: true },
      inject: 'never',
      open(end, isShared) {
        let limit = maxSilence;
        const learn = (message: Wire, learned: Learned, beat: object | undefined) => {
          const timeout = timeoutIn(message);
          if (timeout > 0) limit = Math.min(timeout, maxSilence);
          if (beat || timeout > 0) learned.timing = { maxSilence: limit };
        };
        const write = () => (!IS_PAGE && end === 'server' ? '{"type":"ka"}' : undefined);
        return messageSession({ write, read, learn }, isShared);
      },
    },
    textOf,
    listening,
  );
}

/**
 * AWS AppSync. Its servers send `ka` about once a minute; the official client waits five minutes.
 */
export const appSync: Dialect = /* @__PURE__ */ keepAlive({
  name: 'appsync',
  maxSilence: 75_000,
});

function read(message: Wire) {
  const { type } = readJson(message);
  return type === 'ka' || type === 'keepalive' ? ({ kind: 'beat' } as const) : undefined;
}

/** `connectionTimeoutMs` of an acknowledgement: in its payload, or beside its type. */
function timeoutIn(message: Wire): number {
  const { type, payload, connectionTimeoutMs } = readJson(message) as Acknowledgement;
  const inPayload = Object(payload) as Acknowledgement;
  return type === 'connection_ack'
    ? Number(inPayload.connectionTimeoutMs ?? connectionTimeoutMs)
    : 0;
}

interface Acknowledgement {
  readonly type?: unknown;
  readonly payload?: unknown;
  readonly connectionTimeoutMs?: unknown;
}
