import type { Gateway, GatewayConnection } from '@wirebeat/server/gateway';
import { safeJson, safeText } from '../safe-text.ts';
import type { Look } from '../terminal.ts';

/** One entry of the log. The names of durations end in their unit. */
export interface Entry {
  readonly event: string;
  readonly [name: string]: unknown;
}

/** Writes one log entry. */
export type Log = (entry: Entry) => void;

/** The forms of the log: a JSON object per line for programs, or text for people. */
export const LOG_FORMATS = ['json', 'pretty'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/** Formats an entry as one line. Escapes what pages and upstreams have sent. */
export function lineOf(entry: Entry, format: LogFormat, look: Look, now: Date): string {
  const time = now.toISOString();
  if (format === 'json') return safeJson({ time, ...entry });
  const { event, ...values } = entry;
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const words = given.map(([name, value]) => `${name}=${wordOf(value)}`);
  const line = safeText([time.slice(11, 23), event.padEnd(12), ...words].join(' '));
  return BAD.has(event) ? look.bad(line) : line;
}

/** The events that are bad news. */
const BAD: ReadonlySet<string> = new Set(['dead', 'refuse', 'unresponsive', 'reload-failed']);

/** Puts a text in quotes if it has more than one word. */
function wordOf(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[\s="]/.test(text) ? JSON.stringify(text) : text;
}

/** Logs the events of the gateway, except heartbeats and latencies, which are in the metrics. */
export function logEvents(gateway: Gateway, log: Log): void {
  const of = ({ id, path, remoteAddress, upstream }: GatewayConnection) => ({
    connection: id,
    path,
    from: remoteAddress,
    upstream,
  });
  gateway.on('open', ({ connection }) => log({ event: 'open', ...of(connection) }));
  gateway.on('refuse', ({ request, status, reason, error }) =>
    log({
      event: 'refuse',
      path: pathOf(request.url),
      from: request.socket.remoteAddress,
      status,
      reason,
      error: error?.message,
    }),
  );
  gateway.on('dead', ({ connection, side, reason, silentFor }) =>
    log({ event: 'dead', ...of(connection), side, reason, silentForMs: Math.round(silentFor) }),
  );
  gateway.on('unresponsive', ({ connection, silentFor }) =>
    log({ event: 'unresponsive', ...of(connection), silentForMs: Math.round(silentFor) }),
  );
  gateway.on('responsive', ({ connection }) => log({ event: 'responsive', ...of(connection) }));
  gateway.on('end', ({ connection, reason, code, text, by, blame, evidence, duration, error }) =>
    log({
      event: 'end',
      ...of(connection),
      reason,
      code,
      text,
      by,
      blame,
      evidence,
      durationMs: Math.round(duration),
      bytesFromPage: connection.bytesFromPage,
      bytesFromUpstream: connection.bytesFromUpstream,
      error: error?.message,
    }),
  );
}

function pathOf(url = '/'): string {
  return url.split('?')[0] ?? '/';
}
