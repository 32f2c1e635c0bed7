import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import type { Socket } from 'node:net';
import { InvalidOptionError, resolveOptions } from '@wirebeat/core';
import { listOf } from './check-request.ts';

/** Headers that the gateway adds to the request to an upstream. */
export type ExtraHeaders = Readonly<Record<string, string>>;

/** Options for the headers of the request to the upstream. */
export interface HeaderOptions {
  /**
   * Names of the request headers that the gateway forwards. The gateway always creates the headers of
   * the handshake itself.
   * @default origin, cookie, authorization, user-agent, accept-language
   */
  readonly forwardHeaders?: readonly string[];
  /** Names of the cookies that the gateway forwards. `true`: all; `false`: none. @default true */
  readonly cookies?: boolean | readonly string[];
  /** Headers to add. They replace forwarded headers of the same name and may include `host`. */
  readonly headers?: ExtraHeaders | ((request: IncomingMessage) => ExtraHeaders);
  /**
   * How to set `X-Forwarded-For`, `-Host` and `-Proto`. `replace`: to what the gateway sees, because
   * anyone can send such headers. `append`: adds to the headers of the request; use it behind a trusted
   * proxy. `false`: none.
   * @default 'replace'
   */
  readonly forwarded?: 'replace' | 'append' | false;
}

/** {@link HeaderOptions} with every default filled in. */
export interface ResolvedHeaderOptions {
  readonly names: readonly string[];
  readonly cookies: ReadonlySet<string> | boolean;
  readonly extra: (request: IncomingMessage) => ExtraHeaders;
  readonly forwarded: 'replace' | 'append' | false;
}

const NAMES = ['origin', 'cookie', 'authorization', 'user-agent', 'accept-language'];

/** Headers that apply to a single connection: RFC 9110 §7.6.1. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Prefix of an IPv4 address on a dual-stack socket: RFC 4291 §2.5.5.2. */
const MAPPED = /^::ffff:(?=\d+\.)/;

/** Headers that each end creates itself: RFC 6455 §4.1. */
const HANDSHAKE = /^sec-websocket-/;

/** The options of {@link HeaderOptions}. */
export const HEADER_SCHEMA = {
  forwardHeaders: { type: 'list' },
  cookies: { type: 'any', default: true, off: true },
  headers: { type: 'any' },
  forwarded: { type: 'choice', of: ['replace', 'append', false], default: 'replace' },
} as const;

/** @throws {InvalidOptionError} if an option is invalid. */
export function resolveHeaderOptions(options: HeaderOptions): ResolvedHeaderOptions {
  const resolved = resolveOptions(HEADER_SCHEMA, options);
  const { forwardHeaders = NAMES, cookies, headers = {}, forwarded } = resolved;
  if (!isList(forwardHeaders)) {
    throw new InvalidOptionError('forwardHeaders', 'a list of names', forwardHeaders);
  }
  if (typeof cookies !== 'boolean' && !isList(cookies)) {
    throw new InvalidOptionError('cookies', 'true, false, or a list of names', cookies);
  }
  if (typeof headers !== 'function') checkHeaders(headers);
  return {
    names: forwardHeaders.map((name) => name.toLowerCase()).filter(goesOn),
    cookies: typeof cookies === 'boolean' ? cookies : new Set(cookies),
    extra: typeof headers === 'function' ? headers : () => headers,
    forwarded,
  };
}

/** The error does not contain the value, which may be a secret. @throws {InvalidOptionError} */
function checkHeaders(headers: ExtraHeaders): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new InvalidOptionError('headers', 'an object or a function', headers);
  }
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidOptionError('headers', `valid HTTP headers, unlike ${name}`, 'a header');
    }
  }
}

/**
 * Returns the headers of the request to an upstream, apart from those of the handshake itself.
 * `authorization` comes from the upstream's URL and replaces the header of the page.
 */
export function upstreamHeaders(
  request: IncomingMessage,
  { names, cookies, extra, forwarded }: ResolvedHeaderOptions,
  authorization?: string,
): Record<string, string | string[]> {
  const headers = endToEnd(request.headers);
  const chosen: Record<string, string | string[]> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) chosen[name] = value;
  }
  const cookie =
    chosen['cookie'] === undefined ? '' : chosenCookies(String(chosen['cookie']), cookies);
  delete chosen['cookie'];
  if (cookie !== '') chosen['cookie'] = cookie;
  if (authorization !== undefined) chosen['authorization'] = authorization;
  if (forwarded !== false) {
    Object.assign(chosen, forwardedHeaders(headers, request.socket, forwarded));
  }
  for (const [name, value] of Object.entries(extra(request))) {
    if (goesOn(name.toLowerCase())) chosen[name.toLowerCase()] = value;
  }
  return chosen;
}

/**
 * Returns the headers of the upstream's response to forward to the page, as pairs of name and value.
 */
export function answerHeaders(raw: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([raw[index] as string, raw[index + 1] as string]);
  }
  const connection = pairs.filter(([name]) => name.toLowerCase() === 'connection');
  const named = new Set(connection.flatMap(([, value]) => namesIn(value)));
  return pairs.filter(([name]) => goesOn(name.toLowerCase()) && !named.has(name.toLowerCase()));
}

/** Removes the headers that `Connection` names. They are for the gateway only: RFC 9110 §7.6.1. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set(namesIn(headers.connection));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !named.has(name)));
}

function namesIn(connection: string | undefined): string[] {
  return listOf(connection).map((name) => name.toLowerCase());
}

function forwardedHeaders(
  headers: IncomingHttpHeaders,
  socket: Partial<Socket>,
  manner: 'replace' | 'append',
): Record<string, string> {
  const known = (name: string) => (manner === 'append' ? single(headers, name) : undefined);
  const { remoteAddress: address = 'unknown' } = socket;
  const remoteAddress = address.replace(MAPPED, ''); // the plain IPv4 form that upstreams expect
  const before = known('x-forwarded-for');
  const isSecure = (socket as { readonly encrypted?: boolean }).encrypted === true;
  const host = known('x-forwarded-host') ?? headers.host;
  return {
    'x-forwarded-for': before === undefined ? remoteAddress : `${before}, ${remoteAddress}`,
    'x-forwarded-proto': known('x-forwarded-proto') ?? (isSecure ? 'https' : 'http'),
    ...(host !== undefined && { 'x-forwarded-host': host }),
  };
}

/** Parses cookies: RFC 6265 §4.2.1. */
function chosenCookies(header: string, cookies: ReadonlySet<string> | boolean): string {
  if (typeof cookies === 'boolean') return cookies ? header : '';
  const pairs = header.split(/;\s*/);
  return pairs.filter((pair) => cookies.has(cookieName(pair))).join('; ');
}

/** A cookie without `=` is all value and has no name: draft-ietf-httpbis-rfc6265bis §5.6. */
function cookieName(pair: string): string {
  return pair.includes('=') ? pair.slice(0, pair.indexOf('=')).trim() : '';
}

function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function goesOn(name: string): boolean {
  return !HOP_BY_HOP.has(name) && !HANDSHAKE.test(name);
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
