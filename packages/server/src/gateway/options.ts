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

/** What `allow` says: `true`, `false` for 403, a status in [400, 599], or a whole answer. */
export type Verdict =
  | boolean
  | number
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** How upstreams are asked whether they live. */
export interface UpstreamHeartbeatOptions {
  /** Silence in either direction after which a protocol Ping is sent. @default 15_000 */
  readonly pingInterval?: Millis | false;
  /**
   * Wait after a Ping until the upstream is dead, if nothing at all was received. Less than that of the
   * pages, so that they are told before they find it out. @default 15_000
   */
  readonly pingTimeout?: Millis | false;
}

/** How pages are asked: as those of a server without a gateway. */
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
   * Where the upstream is: a `ws:`, `wss:`, `http:` or `https:` URL, or a function of the request, which
   * may be async. The path of a request goes on where a URL has none; its query is added. What a
   * function gives is dialled as it is; `undefined` or `null` is answered with 404.
   *
   * Such a function chooses. It must not take a host out of the request unchecked: the gateway would
   * dial for anybody what it alone can reach.
   */
  readonly upstream: Upstream;
  /**
   * Whom to let in: by `Origin`, by cookie, by whatever the request says. May be async.
   * @default everybody
   */
  readonly allow?: (request: IncomingMessage) => Verdict | Promise<Verdict>;
  /** TLS towards `wss:` and `https:`: `ca`, `cert`, `key`, `servername` and so on, as of `node:tls`. */
  readonly tls?: ConnectionOptions;
  /**
   * Whether each end sees the other: an application ping of the page becomes a protocol Ping to the
   * upstream, and its Ping one to the browser. `false`: the gateway answers both. @default true
   */
  readonly endToEnd?: boolean;
  readonly upstreamHeartbeat?: UpstreamHeartbeatOptions;
  /**
   * How many connections there may be, with handshakes under way. More are answered with 503. A listener
   * drops TCP connections beyond a quarter more, before they ask.
   * @default one for each 64 KiB of heap that V8 allows this process: 1 024 with 64 MiB, 65 536 with 4 GiB
   */
  readonly maxConnections?: number | false;
  /**
   * How many bytes of this process's heap may be in use when a handshake comes: with more, it is answered
   * with 503.
   * @default three quarters of what V8 allows
   */
  readonly maxHeapBytes?: number | false;
  /** Of a message in either direction. A longer one ends the connection with 1009. @default false */
  readonly maxMessageBytes?: number | false;
  /**
   * For a client of a listener to finish the handshake of TLS, and as long again to send its whole
   * request; then 408.
   * @default 10_000
   */
  readonly handshakeTimeout?: Millis | false;
  /** From the request to the upstream's answer; then 504. @default 10_000 */
  readonly connectTimeout?: Millis | false;
  /** From the first sign of an end until both TCP connections are dropped. @default 5_000 */
  readonly closeTimeout?: Millis;
}

/** {@link GatewayOptions} as the gateway keeps them. */
export interface ResolvedGatewayOptions {
  readonly page: ResolvedServerOptions<never>;
  readonly upstreamTiming: Timing;
  readonly upstreamOf: (request: IncomingMessage) => Promise<Address | undefined>;
  /** Undefined: let in. */
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

/** Every default of the gateway's own, with its reason. */
const DEFAULTS = {
  pingInterval: 15_000, // it is near: a Ping costs little, and idle timeouts of 20 s are met
  pingTimeout: 15_000, // below the client's 20 s: a page is told before it finds out
  handshakeTimeout: 10_000, // as long as a client waits by default
  connectTimeout: 10_000, // likewise
  closeTimeout: 5_000, // a server that has said goodbye needs less
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

/** @throws {InvalidOptionError} if an option is out of its range or unknown. */
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
  // Whoever forgets to return something lets nobody in.
  throw new InvalidOptionError('allow', 'a function that gives true, false or a status', verdict);
}
