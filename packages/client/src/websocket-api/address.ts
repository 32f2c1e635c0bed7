import { IS_PAGE } from '../development.ts';

/** A token of RFC 9110 §5.6.2, which RFC 6455 §4.1 requires for a subprotocol. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Reads the address as the constructor of `WebSocket` does. A relative address is resolved against
 * the address of the page; `http` becomes `ws`, and `https` becomes `wss`.
 *
 * @throws {DOMException} `SyntaxError` if it is invalid, or has another scheme or a fragment.
 * @throws {TypeError} if it is undefined.
 */
export function readUrl(given: unknown): string {
  if (given === undefined) throw new TypeError('A WebSocket needs an address');
  const { document, location } = globalThis as {
    document?: { baseURI?: string };
    location?: { href?: string };
  };
  const text = `${given}`;
  let href = '';
  try {
    href = new URL(text, document?.baseURI ?? location?.href).href.replace(/^http/, 'ws');
  } catch {
    // It is refused below. `URL.canParse` is missing in some runtimes.
  }
  if (!/^wss?:[^#]+$/.test(href)) throw syntaxError(`\`${text}\` is no address of a WebSocket`);
  return href;
}

/**
 * Reads the subprotocols as the constructor of `WebSocket` does. Undefined if there are none to
 * offer.
 *
 * @throws {DOMException} `SyntaxError` if one is not a token, or is repeated, ignoring case.
 */
export function readProtocols(given: unknown): string[] | undefined {
  if (given === undefined) return undefined;
  const isList = typeof given === 'object' && given !== null && Symbol.iterator in given;
  const names = Array.from(isList ? (given as Iterable<unknown>) : [given], (name) => `${name}`);
  const different = new Set(names.map((name) => name.toLowerCase()));
  if (different.size < names.length || !names.every((name) => TOKEN.test(name))) {
    throw syntaxError(
      IS_PAGE ? `\`${names}\` cannot be offered as subprotocols` : refusalOf(names),
    );
  }
  return names;
}

/** Says which name is not a token, or that one is repeated. */
function refusalOf(names: readonly string[]): string {
  const invalid = names.find((name) => !TOKEN.test(name));
  return invalid === undefined
    ? `Expected subprotocols that differ, ignoring case, got \`${names}\``
    : `Expected a subprotocol to be 1 or more of A-Z, a-z, 0-9 and !#$%&'*+-.^_\`|~, got \`${invalid}\``;
}

/** Creates the error that the standard throws for invalid arguments. */
export function syntaxError(message: string): Error {
  return domException(message, 'SyntaxError');
}

/** Creates a `DOMException` or, if the runtime has no such class, an `Error` with that name. */
export function domException(message: string, name: string): Error {
  if (typeof DOMException === 'function') return new DOMException(message, name);
  return Object.assign(new Error(message), { name });
}
