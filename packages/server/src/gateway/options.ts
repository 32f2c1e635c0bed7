import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import type { ConnectionOptions } from 'node:tls';
import {
  checkFunction,
  checkNames,
  countOrOff,
  duration,
  durationOrOff,
  InvalidOptionError,
  initialTiming,
  type Millis,
  resolveHeartbeatOptions,
  type Timing,
} from '@wirebeat/core';
import {
  type ResolvedServerOptions,
  resolveServerOptions,
  type ServerOptions,
} from '../options.ts';
import { type Address, resolveUpstream, type Upstream } from './http/address.ts';
import {
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

/** {@link GatewayOptions} with every default filled in. */
export interface ResolvedGatewayOptions {
  readonly page: ResolvedServerOptions<never>;
  readonly upstreamTiming: Timing;
  readonly upstreamOf: (request: IncomingMessage) => Promise<Address | undefined>;
  /** Resolves to `undefined` if the request is accepted. */
  readonly refusalOf: (request: IncomingMessage) => Promise<Refusal | undefined>;
  readonly headers: ResolvedHeaderOptions;
  readonly tls: ConnectionOptions | undefined;
  readonly endToEnd: boolean;
  readonly maxConnections: number;
  readonly maxHeapBytes: number;
  readonly maxMessageBytes: number;
  readonly handshakeTimeout: Millis;
  readonly connectTimeout: Millis;
  readonly closeTimeout: Millis;
}

/** The defaults of the gateway's own options, each with its reason. */
const DEFAULTS = {
  pingInterval: 15_000, // the upstream is near, so a Ping costs little; keeps idle timeouts of 20 s from firing
  // Below the client's 20 s: the gateway reports a dead upstream before the client detects it.
  pingTimeout: 15_000,
  handshakeTimeout: 10_000, // a client waits this long by default
  connectTimeout: 10_000, // a client waits this long by default
  closeTimeout: 5_000, // a closing handshake needs less
} as const;

const PAGE_NAMES = [
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

const OWN_NAMES = [
  'upstream',
  'allow',
  'forwardHeaders',
  'cookies',
  'headers',
  'forwarded',
  'tls',
  'endToEnd',
  'upstreamHeartbeat',
  'maxConnections',
  'maxHeapBytes',
  'maxMessageBytes',
  'handshakeTimeout',
  'connectTimeout',
  'closeTimeout',
] as const;

/** @throws {InvalidOptionError} if an option is out of range or unknown. */
export function resolveGatewayOptions(options: GatewayOptions): ResolvedGatewayOptions {
  checkNames('options', options, [...OWN_NAMES, ...PAGE_NAMES]);
  const page = resolveServerOptions<never>(pageOptions(options));
  const { endToEnd = true, tls } = options;
  if (typeof endToEnd !== 'boolean')
    throw new InvalidOptionError('endToEnd', 'a boolean', endToEnd);
  if (tls !== undefined) checkNames('tls', tls, Object.keys(tls ?? {}));
  return {
    page,
    upstreamTiming: resolveTiming(options.upstreamHeartbeat, page),
    upstreamOf: resolveUpstream(options.upstream),
    refusalOf: resolveAllow(options.allow),
    headers: resolveHeaderOptions(options),
    tls,
    endToEnd,
    maxConnections: countOrOff('maxConnections', options.maxConnections, defaultMaxConnections()),
    maxHeapBytes: countOrOff('maxHeapBytes', options.maxHeapBytes, defaultMaxHeapBytes()),
    maxMessageBytes: countOrOff('maxMessageBytes', options.maxMessageBytes, NO_LIMIT),
    handshakeTimeout: durationOrOff(
      'handshakeTimeout',
      options.handshakeTimeout,
      DEFAULTS.handshakeTimeout,
    ),
    connectTimeout: durationOrOff(
      'connectTimeout',
      options.connectTimeout,
      DEFAULTS.connectTimeout,
    ),
    closeTimeout: duration('closeTimeout', options.closeTimeout, DEFAULTS.closeTimeout),
  };
}

const NO_LIMIT = Number.POSITIVE_INFINITY;

function pageOptions(options: GatewayOptions): ServerOptions {
  const given = Object.entries(options).filter(([name]) =>
    PAGE_NAMES.some((known) => known === name),
  );
  return Object.fromEntries(given);
}

function resolveTiming(
  given: UpstreamHeartbeatOptions = {},
  { timing }: ResolvedServerOptions<never>,
): Timing {
  checkNames('upstreamHeartbeat', given, ['pingInterval', 'pingTimeout']);
  const { pingInterval = DEFAULTS.pingInterval, pingTimeout = DEFAULTS.pingTimeout } = given;
  const { jitter, random } = timing.options;
  return initialTiming(resolveHeartbeatOptions({ pingInterval, pingTimeout, jitter, random }));
}

function resolveAllow(
  allow: GatewayOptions['allow'],
): (request: IncomingMessage) => Promise<Refusal | undefined> {
  checkFunction('allow', allow);
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
  throw new InvalidOptionError('allow', 'a function that gives true, false or a status', verdict);
}
