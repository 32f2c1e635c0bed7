import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import {
  HEARTBEAT_SCHEMA,
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
import {
  defaultMaxConnections,
  defaultMaxHeapBytes,
  resolveAllow,
  type Verdict,
} from './admission.ts';
import { type Address, resolveUpstream, type Upstream } from './http/address.ts';
import type { Refusal } from './http/check-request.ts';
import {
  HEADER_SCHEMA,
  type HeaderOptions,
  type ResolvedHeaderOptions,
  resolveHeaderOptions,
} from './http/headers.ts';

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
const PAGE_OPTIONS = [
  'pingInterval',
  'pingTimeout',
  'jitter',
  'random',
  'scheduler',
  'advertise',
  'pingLimit',
  'whenUnresponsive',
  'maxUnresponsive',
] as const;
type PageOptions = Pick<ServerOptions, (typeof PAGE_OPTIONS)[number]>;

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
  const pageSchema = partOf({ ...HEARTBEAT_SCHEMA, ...SERVER_SCHEMA }, PAGE_OPTIONS);
  const schema = { ...GATEWAY_SCHEMA, ...HEADER_SCHEMA, ...pageSchema };
  const resolved = resolveOptions<GatewayOptions, typeof schema>(schema, options);
  const page = resolveServerOptions<never>(partOf(options, PAGE_OPTIONS));
  return {
    ...resolved,
    page,
    upstreamTiming: resolveTiming(resolved.upstreamHeartbeat, page),
    upstreamOf: resolveUpstream(options.upstream),
    refusalOf: resolveAllow(resolved.allow),
    headers: resolveHeaderOptions(partOf(options, HEADER_OPTIONS)),
    maxConnections: resolved.maxConnections ?? defaultMaxConnections(),
    maxHeapBytes: resolved.maxHeapBytes ?? defaultMaxHeapBytes(),
  };
}

const HEADER_OPTIONS = Object.keys(HEADER_SCHEMA) as (keyof HeaderOptions)[];

/** Returns the properties with these names. */
function partOf<Whole extends object, Name extends keyof Whole>(
  whole: Whole,
  names: readonly Name[],
): Pick<Whole, Name> {
  const entries = Object.entries(whole).filter(([name]) => names.includes(name as Name));
  return Object.fromEntries(entries) as Pick<Whole, Name>;
}

function resolveTiming(
  given: UpstreamHeartbeatOptions = {},
  { timing }: ResolvedServerOptions<never>,
): Timing {
  const { jitter, random } = timing;
  const upstream = resolveOptions(UPSTREAM_SCHEMA, given, 'upstreamHeartbeat');
  const heartbeat = resolveHeartbeatOptions({ jitter, random });
  return initialTiming({ ...heartbeat, ...upstream, maxInterval: upstream.pingInterval });
}
