import { X509Certificate } from 'node:crypto';
import type { Place } from '../argument-parsers.ts';
import { safeText } from '../safe-text.ts';
import type { GatewaySettings } from './settings.ts';

/** Returns what a gateway with these settings would do, in lines for people. */
export function planOf(settings: GatewaySettings, file: string | undefined): readonly string[] {
  const { place, status, tls, within, log, readiness, options } = settings;
  const scheme = tls === undefined ? 'ws' : 'wss';
  const lines: [name: string, text: string][] = [
    [
      'listens at',
      `${scheme}://${placeOf(place)}${tls === undefined ? '' : certificateOf(tls.cert)}`,
    ],
    ['upstream', `${safeText(options.upstream)}${pathOf(options.upstream)}`],
    ['status', statusOf(status, scheme, place)],
    ['readiness', readinessOf(settings)],
    ['SIGTERM', `closes all connections within ${within} ms`],
    ['log', log],
  ];
  const { upstream: _, tls: __, headers, ...rest } = options;
  if (headers !== undefined) lines.push(['headers', Object.keys(headers).join(', ')]);
  for (const [name, value] of Object.entries(rest)) lines.push([name, JSON.stringify(value)]);
  const head = `${file === undefined ? 'The command line' : file} is valid.`;
  if (readiness === false || status === false) lines.splice(3, 1);
  return [head, ...lines.map(([name, text]) => `  ${name.padEnd(18)} ${text}`)];
}

function placeOf({ host = '*', port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function certificateOf(pem: string): string {
  const { subject, validTo } = new X509Certificate(pem);
  return `, certificate of ${safeText(subject).replace('CN=', '')} until ${validTo}`;
}

function pathOf(upstream: string): string {
  const { pathname } = new URL(upstream);
  return pathname === '/' ? ', with the path of the request' : '';
}

function statusOf(status: GatewaySettings['status'], scheme: string, place: Place): string {
  if (status === false) return 'off';
  const pages = '/healthz, /readyz, /metrics';
  const url =
    status === 'public'
      ? `${scheme === 'ws' ? 'http' : 'https'}://${placeOf(place)}`
      : `http://${placeOf(status)}`;
  return `${url}: ${pages}`;
}

function readinessOf({ readiness, options }: GatewaySettings): string {
  if (readiness === false) return 'off';
  const { interval, timeout } = readiness;
  return `opens a WebSocket to ${safeText(options.upstream)} every ${interval} ms and pings it, timeout ${timeout} ms`;
}
