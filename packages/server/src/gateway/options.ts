import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import {
  HEARTBEAT_SCHEMA,
  InvalidOptionError,
  initialTiming,
  type Millis,
  type Resolved,
  resolveHeartbeatOptions,
  resolveOptions,
  type Timing,
} from '@wirebeat/core';
import {
  type ResolvedServerOptions,
  resolveServerOptions,
  SERVER_SCHEMA,
  type ServerOptions,
} from '../options.ts';
import { type Address, resolveUpstream, type Upstream } from './http/address.ts';
import {
  HEADER_SCHEMA,
  type HeaderOptions,
  type ResolvedHeaderOptions,
  resolveHeaderOptions,
} from './http/headers.ts';
import type { Refusal } from './http/request.ts';
import { defaultMaxConnections, defaultMaxHeapBytes } from './memory.ts';

/** The result of `allow`: `true`, `false` for 403, a status in [400, 599], or a complete response. */
export type Verdict =
  | boolean
  | number
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** Heartbeat options for the connections to the upstream. */
export interface UpstreamHeartbeatOptions {
  /**
   * Time in ms without traffic in either direction after which the gateway sends a protocol Ping.
   * `false`: no Pings.
   * @default 15_000
   */
  readonly pingInterval?: Millis | false;
  /**
   * Time in ms after a Ping until the upstream is dead, if nothing at all was received. The default is
   * shorter than the timeout of clients, so that the gateway reports the dead upstream before they
   * detect it. `false`: no limit.
   * @default 15_000
   */
  readonly pingTimeout?: Millis | false;
}

/** The options that work for pages as they do for a server without a gateway. */
type PageOptions = Pick<
  ServerOptions,
  | 'pingInterval'
  | 'pingTimeout'
  | 'jitter'
  | 'random'
  | 'scheduler'
  | 'advertise'
  | 'pingLimit'
  | 'whenUnresponsive'
  | 'maxUnresponsive'
>;

/** Options of `createGateway`. */
export interface GatewayOptions extends HeaderOptions, PageOptions {
  /**
   * The address of the upstream: a `ws:`, `wss:`, `http:` or `https:` URL, or a function of the request
   * that returns one and may be async. If the URL has no path, the gateway appends the path of the
   * request; it always adds the query of the request. The gateway dials the URL that a function returns
   * unchanged, and answers `undefined` or `null` with 404.
   *
   * A function must not copy a host from the request unchecked. Otherwise, anyone could make the
   * gateway dial hosts that only the gateway can reach.
   */
  readonly upstream: Upstream;
  /**
   * Decides whether to accept a request, for example by `Origin` or cookie. May be async.
   * @default every request is accepted
   */
  readonly allow?: (request: IncomingMessage) => Verdict | Promise<Verdict>;
  /**
   * TLS options for `wss:` and `https:` upstreams: `ca`, `cert`, `key`, `servername` and so on, as in
   * `node:tls`.
   */
  readonly tls?: ConnectionOptions;
  /**
   * Whether heartbeats pass from end to end: the gateway turns an application ping of the page into a
   * protocol Ping to the upstream, and passes a Ping of the upstream on to the browser. `false`: the
   * gateway answers both. @default true
   */
  readonly endToEnd?: boolean;
  readonly upstreamHeartbeat?: UpstreamHeartbeatOptions;
  /**
   * Largest number of connections, including handshakes in progress. The gateway answers more with 503.
   * A listener drops TCP connections beyond 1.25 times this number before they send a request.
   * @default one for each 64 KiB of heap that V8 allows this process: 1 024 with 64 MiB, 65 536 with 4
   * GiB
   */
  readonly maxConnections?: number | false;
  /**
   * Largest number of heap bytes in use by this process at which the gateway accepts a handshake. With
   * more, it answers 503.
   * @default three quarters of what V8 allows
   */
  readonly maxHeapBytes?: number | false;
  /**
   * Largest size of a message in bytes, in either direction. A longer one closes the connection with
   * 1009. `false`: no limit. @default false
   */
  readonly maxMessageBytes?: number | false;
  /**
   * Time in ms for a client of a listener to finish the TLS handshake, and the same time again to send
   * its complete request; then 408. `false`: no limit.
   * @default 10_000
   */
  readonly handshakeTimeout?: Millis | false;
  /**
   * Time in ms from the request to the upstream's response; then 504. `false`: no limit. @default
   * 10_000
   */
  readonly connectTimeout?: Millis | false;
  /**
   * Time in ms from the start of a close until the gateway drops both TCP connections. @default 5_000
   */
  readonly closeTimeout?: Millis;
}

/** The gateway's own options, apart from those for headers. Durations are in ms. */
export const GATEWAY_SCHEMA = {
  upstream: { type: 'any' },
  allow: { type: 'function' },
  tls: { type: 'object' },
  endToEnd: { type: 'boolean', default: true },
  upstreamHeartbeat: { type: 'object' },
  maxConnections: { type: 'count', off: true },
  maxHeapBytes: { type: 'count', off: true },
  maxMessageBytes: { type: 'count', default: false, off: true },
  handshakeTimeout: { type: 'duration', default: 10_000, off: true }, // as long as clients wait
  connectTimeout: { type: 'duration', default: 10_000, off: true }, // as long as clients wait
  closeTimeout: { type: 'duration', default: 5_000 }, // a closing handshake needs less
} as const;

/** The options of {@link UpstreamHeartbeatOptions}. Durations are in ms. */
export const UPSTREAM_SCHEMA = {
  // The upstream is near, so a Ping costs little. Idle timeouts of 20 s never fire.
  pingInterval: { type: 'duration', default: 15_000, off: true },
  // Below the client's 20 s: the gateway reports a dead upstream before the client detects it.
  pingTimeout: { type: 'duration', default: 15_000, off: true },
} as const;

/** {@link GatewayOptions} with every default filled in. */
export interface ResolvedGatewayOptions
  extends Omit<
    Resolved<GatewayOptions, typeof GATEWAY_SCHEMA>,
    'upstream' | 'allow' | 'upstreamHeartbeat' | 'maxConnections' | 'maxHeapBytes'
  > {
  readonly page: ResolvedServerOptions<never>;
  readonly upstreamTiming: Timing;
  readonly upstreamOf: (request: IncomingMessage) => Promise<Address | undefined>;
  /** Resolves to `undefined` if the request is accepted. */
  readonly refusalOf: (request: IncomingMessage) => Promise<Refusal | undefined>;
  readonly headers: ResolvedHeaderOptions;
  readonly maxConnections: number;
  readonly maxHeapBytes: number;
}

/** @throws {InvalidOptionError} if an option is out of range or unknown. */
export function resolveGatewayOptions(options: GatewayOptions): ResolvedGatewayOptions {
  const {
    session,
    registry,
    whenIsolated,
    whenDead,
    authenticated,
    maxBufferedBytes,
    dialect,
    ...shared
  } = SERVER_SCHEMA;
  const { pingTimeout, random } = HEARTBEAT_SCHEMA;
  const pageSchema = { ...shared, pingTimeout, random };
  const schema = { ...GATEWAY_SCHEMA, ...HEADER_SCHEMA, ...pageSchema };
  const resolved = resolveOptions<GatewayOptions, typeof schema>(schema, options);
  const page = resolveServerOptions<never>(partOf(options, pageSchema));
  return {
    ...resolved,
    page,
    upstreamTiming: resolveTiming(resolved.upstreamHeartbeat, page),
    upstreamOf: resolveUpstream(options.upstream),
    refusalOf: resolveAllow(resolved.allow),
    headers: resolveHeaderOptions(partOf(options, HEADER_SCHEMA)),
    maxConnections: resolved.maxConnections ?? defaultMaxConnections(),
    maxHeapBytes: resolved.maxHeapBytes ?? defaultMaxHeapBytes(),
  };
}

/** Returns the options that this schema has. */
function partOf<Options extends object>(options: Options, schema: object): Partial<Options> {
  const entries = Object.entries(options).filter(([name]) => name in schema);
  return Object.fromEntries(entries) as Partial<Options>;
}

function resolveTiming(
  given: UpstreamHeartbeatOptions = {},
  { timing }: ResolvedServerOptions<never>,
): Timing {
  const { jitter, random } = timing.options;
  const upstream = resolveOptions(UPSTREAM_SCHEMA, given, 'upstreamHeartbeat');
  const heartbeat = resolveHeartbeatOptions({ jitter, random });
  return initialTiming({ ...heartbeat, ...upstream, isIntervalGiven: true });
}

function resolveAllow(
  allow: GatewayOptions['allow'],
): (request: IncomingMessage) => Promise<Refusal | undefined> {
  if (allow === undefined) return async () => undefined;
  return async (request) => refusalBy(await allow(request));
}

function refusalBy(verdict: Verdict): Refusal | undefined {
  if (verdict === true) return undefined;
  const {
    status,
    body = '',
    headers = {},
  } = typeof verdict === 'object' && verdict !== null
    ? verdict
    : { status: verdict === false ? 403 : verdict };
  if (Number.isInteger(status) && status >= 400 && status <= 599) {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
    return { status, body, headers };
  }
  // A function that returns nothing accepts nobody.
  throw new InvalidOptionError('allow', 'a function that returns true, false or a status', verdict);
}
