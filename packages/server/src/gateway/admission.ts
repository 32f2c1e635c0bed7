import { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import { getHeapStatistics } from 'node:v8';
import { InvalidOptionError } from '@wirebeat/core';
import type { RefuseReason } from './events.ts';
import type { Refusal } from './http/check-request.ts';

/** The result of `allow`: `true`, `false` for 403, a status in [400, 599], or a complete response. */
export type Verdict =
  | boolean
  | number
  | {
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** How long refused clients are asked to wait, in seconds: RFC 9110 §10.2.3. */
const RETRY_AFTER = { 'Retry-After': '1' };

/** What V8 reserves for new objects in addition to the heap limit: three semi-spaces of 16 MiB. */
const YOUNG_BYTES = 48 * 1_048_576;
/**
 * Heap in bytes planned per connection. An idle connection uses 18 KiB, and 30 KiB with all the pings
 * that may wait; a handshake may have headers of 16 KiB. The rest is for the process itself.
 */
const CONNECTION_BYTES = 65_536;
/** Largest used part of the heap at which the gateway accepts a handshake. */
const FULL = 0.75;

/** What decides whether a gateway has room for another connection. */
export interface Occupancy {
  readonly isClosing: boolean;
  /** Number of connections and of other handshakes. */
  readonly taken: number;
  readonly maxConnections: number;
  readonly maxHeapBytes: number;
}

/** Returns why a gateway accepts no further connection now, or `undefined` if it does. */
export function refusalFor({
  isClosing,
  taken,
  maxConnections,
  maxHeapBytes,
}: Occupancy): (Refusal & { readonly reason: RefuseReason }) | undefined {
  const answer = { status: 503, headers: RETRY_AFTER };
  if (isClosing) return { ...answer, reason: 'draining', body: 'The gateway is closing.' };
  if (taken >= maxConnections) {
    return { ...answer, reason: 'too-many', body: 'Too many connections.' };
  }
  if (getHeapStatistics().used_heap_size <= maxHeapBytes) return undefined;
  return { ...answer, reason: 'memory', body: 'The gateway is low on memory.' };
}

/** Returns a function that resolves to the refusal of a request, or to `undefined` if `allow` accepts it. */
export function resolveAllow(
  allow: ((request: IncomingMessage) => Verdict | Promise<Verdict>) | undefined,
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

/** Returns how far the heap of this process can grow before the process crashes, in bytes. */
function heapLimit(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  return Math.max(limit - YOUNG_BYTES, limit / 4);
}

/** Returns how many connections this process can hold, whatever their pages do. */
export function defaultMaxConnections(): number {
  return Math.floor(heapLimit() / CONNECTION_BYTES);
}

/** Returns the largest number of heap bytes in use at which one more connection is accepted. */
export function defaultMaxHeapBytes(): number {
  return Math.floor(heapLimit() * FULL);
}
