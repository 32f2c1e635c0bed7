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
  /** `user:password`, if the URL has them. */
  readonly auth: string | undefined;
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
  return async ({ url = '/' }) => ({ ...address, path: joined(address.path, url) });
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
  const { hostname, port, pathname, search, username, password } = url;
  const auth = username === '' ? undefined : `${username}:${password}`;
  return {
    isSecure: scheme.isSecure,
    host: hostname.replace(/^\[|\]$/g, ''), // RFC 3986 §3.2.2: brackets are the URL's, not the host's
    port: port === '' ? scheme.port : Number(port),
    path: pathname + search,
    auth: auth && decodeURIComponent(auth),
    url: `${scheme.isSecure ? 'wss' : 'ws'}://${url.host}${pathname}`,
  };
}

/**
 * The path that is asked for goes on where the upstream's URL has none of its own, and the query is
 * added to that of the URL. As text: no host can come of it.
 */
function joined(own: string, asked: string): string {
  const [ownPath = '/', ownQuery] = split(own);
  const [askedPath = '/', askedQuery] = split(asked);
  const query = [ownQuery, askedQuery]
    .filter((part) => part !== undefined && part !== '')
    .join('&');
  const path = ownPath === '/' ? askedPath : ownPath;
  return query === '' ? path : `${path}?${query}`;
}

function split(path: string): string[] {
  const mark = path.indexOf('?');
  return mark === -1 ? [path] : [path.slice(0, mark), path.slice(mark + 1)];
}
