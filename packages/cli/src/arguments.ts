import { InvalidArgumentError } from 'commander';

/** The longest wait that a timer keeps. */
const MAX_SECONDS = 2_147_483;

/** A URL that a WebSocket can dial. Here, as below, what is none throws a sentence. */
export function webSocketUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWebSocket = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url === undefined || !isWebSocket || url.hash !== '') {
    throw new InvalidArgumentError('It must be a URL with ws:// or wss:// and without #fragment.');
  }
  return url.href;
}

export function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number > 0.');
}

export function seconds(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds > 0 and <= ${MAX_SECONDS}.`);
}

/** Headers by name; each time one more. RFC 9110 §5.6.2: a name is a token. */
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

/** Subprotocols; each time one more. */
export function subprotocol(text: string, before: readonly string[] = []): readonly string[] {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(text)) {
    throw new InvalidArgumentError('It must be the name of one subprotocol.');
  }
  return [...before, text];
}

/** The origins of pages, RFC 6454 §7; each time one more. */
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

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`. */
export function place(text: string): Place {
  const [, bracketed, plain, digits] =
    /^(?:(?:\[([\w.:%-]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new InvalidArgumentError('It must be a port, or host:port.');
  }
  return { port, ...(host !== undefined && { host }) };
}
