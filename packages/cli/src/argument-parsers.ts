import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

/** The longest delay of a Node timer, in s. */
const MAX_SECONDS = 2_147_483;

/**
 * Parses a WebSocket URL.
 *
 * Like the other parsers here, throws `InvalidArgumentError` with a complete sentence if the text is
 * invalid.
 */
export function webSocketUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWebSocket = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url === undefined || !isWebSocket || url.hash !== '') {
    throw new InvalidArgumentError('It must be a URL with ws:// or wss:// and without #fragment.');
  }
  return url.href;
}

/** Parses the URL of an upstream. A gateway dials `http:` URLs as `ws:`, and `https:` as `wss:`. */
export function upstreamUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^(?:ws|http)s?:$/.test(url.protocol) && url.hash === '')
    return url.href;
  throw new InvalidArgumentError('It must be a ws://, wss://, http:// or https:// URL.');
}

export function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number > 0.');
}

/** Creates a parser for whole numbers in [min, max]. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

export function seconds(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds > 0 and <= ${MAX_SECONDS}.`);
}

/** Adds a header to those before it. A name is a token: RFC 9110 §5.6.2. */
export function header(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be "Name: value".');
  }
  return { ...before, [name]: value };
}

/** Adds a subprotocol to those before it. */
export function subprotocol(text: string, before: readonly string[] = []): readonly string[] {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(text)) {
    throw new InvalidArgumentError('It must be the name of one subprotocol.');
  }
  return [...before, text];
}

/** Adds an origin to those before it: RFC 6454 §7. */
export function origin(text: string, before: readonly string[] = []): readonly string[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.origin === 'null' || url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError('It must be an origin, such as http://localhost:3000.');
  }
  return [...before, url.origin];
}

/** Where to listen. */
export interface Place {
  readonly port: number;
  readonly host?: string;
}

/** Parses a port with an optional host: `8080`, `:8080`, `127.0.0.1:8080` or `[::1]:8080`. */
export function place(text: string): Place {
  const [, bracketed, plain, digits] =
    /^(?:(?:\[([\w.:%-]+)\]|([\w.-]+))?:)?(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new InvalidArgumentError('It must be a port, or host:port.');
  }
  return { port, ...(host !== undefined && { host }) };
}

/** Reads the PEM file with certificates at a path. */
export function pemFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new InvalidArgumentError('It must be a PEM file with certificates.');
}
