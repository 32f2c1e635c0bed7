import type { IncomingMessage } from 'node:http';
import { InvalidOptionError } from '@wirebeat/core';

/** What a function of the request gives: where to dial, or nothing where there is no upstream. */
export type UpstreamAddress = string | URL | null | undefined;

/** Where the upstream is. */
export type Upstream =
  | string
  | URL
  | ((request: IncomingMessage) => UpstreamAddress | Promise<UpstreamAddress>);

/** Where to dial, of parts that cannot change one another. */
export interface Address {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  /** The operator's credentials, as an `Authorization` header has them: RFC 7617 §2. */
  readonly authorization: string | undefined;
  /** Without query, user and password: it may stand in a log. */
  readonly url: string;
}

const SCHEMES: Readonly<Record<string, { readonly isSecure: boolean; readonly port: number }>> = {
  'ws:': { isSecure: false, port: 80 },
  'http:': { isSecure: false, port: 80 },
  'wss:': { isSecure: true, port: 443 },
  'https:': { isSecure: true, port: 443 },
};

/** @throws {InvalidOptionError} if it is no URL of a WebSocket, nor a function. */
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

/** @throws {InvalidOptionError} if it is no URL of a WebSocket. */
function addressOf(given: unknown): Address {
  // By what it has: a URL may be of another realm.
  const text = (given as Partial<URL> | null | undefined)?.href ?? given;
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url && SCHEMES[url.protocol];
  if (url === undefined || scheme === undefined) {
    throw new InvalidOptionError(
      'upstream',
      'a ws:, wss:, http: or https: URL, or a function',
      given,
    );
  }
  const { hostname, port, pathname, search } = url;
  return {
    isSecure: scheme.isSecure,
    host: hostname.replace(/^\[|\]$/g, ''), // RFC 3986 §3.2.2: brackets are the URL's, not the host's
    port: port === '' ? scheme.port : Number(port),
    path: pathname + search,
    authorization: authorizationOf(url),
    url: `${scheme.isSecure ? 'wss' : 'ws'}://${url.host}${pathname}`,
  };
}

/** @throws {InvalidOptionError} if the credentials are not encoded as a URL's must be. */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  try {
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(pair).toString('base64')}`;
  } catch {
    const expected = 'a URL with credentials in percent-encoding';
    throw new InvalidOptionError('upstream', expected, 'something else'); // they stay out of logs
  }
}

/**
 * The path that is asked for goes on where the upstream's URL has none of its own, and the query is
 * added to that of the URL. As text: no host can come of it.
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
