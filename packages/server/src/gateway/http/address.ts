import type { IncomingMessage } from 'node:http';
import { InvalidOptionError } from '@wirebeat/core';

/** The return value of an `upstream` function: the URL to dial, or nothing if there is no upstream. */
export type UpstreamAddress = string | URL | null | undefined;

/** The `upstream` option: a URL, or a function that chooses one per request. */
export type Upstream =
  | string
  | URL
  | ((request: IncomingMessage) => UpstreamAddress | Promise<UpstreamAddress>);

/** A parsed upstream URL. No part can change another one when it is used. */
export interface Address {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** Path with the query. */
  readonly path: string;
  /** The credentials of the URL as an `Authorization` header: RFC 7617 §2. */
  readonly authorization: string | undefined;
  /** The URL without query, user and password, so that it may be logged. */
  readonly url: string;
}

const SCHEMES: Readonly<Record<string, { readonly isSecure: boolean; readonly port: number }>> = {
  'ws:': { isSecure: false, port: 80 },
  'http:': { isSecure: false, port: 80 },
  'wss:': { isSecure: true, port: 443 },
  'https:': { isSecure: true, port: 443 },
};

/** @throws {InvalidOptionError} if `upstream` is neither a WebSocket URL nor a function. */
export function resolveUpstream(
  upstream: Upstream,
): (request: IncomingMessage) => Promise<Address | undefined> {
  if (typeof upstream === 'function') {
    return async (request) => {
      const given = await upstream(request);
      return given === undefined || given === null ? undefined : addressOf(given);
    };
  }
  const address = addressOf(upstream);
  const origin = address.url.slice(0, -split(address.path)[0].length);
  return async ({ url = '/' }) => {
    const path = joined(address.path, url);
    return { ...address, path, url: origin + split(path)[0] };
  };
}

/** Stands in errors for a URL that may contain credentials. */
const HIDDEN = 'another text, not shown';

/** @throws {InvalidOptionError} if the value is not a WebSocket URL. */
function addressOf(given: unknown): Address {
  // Checked by its members, because a URL may be from another realm.
  const text = (given as Partial<URL> | null | undefined)?.href ?? given;
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url && SCHEMES[url.protocol];
  if (url === undefined || scheme === undefined) {
    const expected = 'a ws:, wss:, http: or https: URL, or a function';
    // A text may contain a password, and the error may be logged.
    throw new InvalidOptionError('upstream', expected, typeof text === 'string' ? HIDDEN : given);
  }
  const { hostname, port, pathname, search } = url;
  return {
    isSecure: scheme.isSecure,
    host: hostname.replace(/^\[|\]$/g, ''), // RFC 3986 §3.2.2: the brackets belong to the URL, not to the host
    port: port === '' ? scheme.port : Number(port),
    path: pathname + search,
    authorization: authorizationOf(url),
    url: `${scheme.isSecure ? 'wss' : 'ws'}://${url.host}${pathname}`,
  };
}

/** @throws {InvalidOptionError} if the credentials are not percent-encoded correctly. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    const expected = 'a URL with credentials in percent-encoding';
    throw new InvalidOptionError('upstream', expected, HIDDEN);
  }
}

/**
 * Returns the path to dial: the path of the request if the upstream's URL has none, with the query of
 * the request added to that of the URL. It joins text, so that a request cannot change the host.
 */
function joined(own: string, asked: string): string {
  const [ownPath, ownQuery] = split(own);
  const [askedPath, askedQuery] = split(asked);
  const query = [ownQuery, askedQuery]
    .filter((part) => part !== undefined && part !== '')
    .join('&');
  const path = ownPath === '/' ? askedPath : ownPath;
  return query === '' ? path : `${path}?${query}`;
}

function split(path: string): [path: string, query?: string] {
  const mark = path.indexOf('?');
  return mark === -1 ? [path] : [path.slice(0, mark), path.slice(mark + 1)];
}
