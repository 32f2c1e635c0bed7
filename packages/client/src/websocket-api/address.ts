/** A token of RFC 9110 §5.6.2, as RFC 6455 §4.1 asks of a subprotocol. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Reads the address as the constructor of a WebSocket does: relative ones by the page's own, `http`
 * as `ws`, `https` as `wss`.
 *
 * @throws {DOMException} `SyntaxError` if it is none, has another scheme or a fragment.
 * @throws {TypeError} if there is none.
 */
export function readUrl(given: unknown): string {
  if (given === undefined) throw new TypeError('A WebSocket needs an address');
  const { document, location } = globalThis as {
    document?: { baseURI?: string };
    location?: { href?: string };
  };
  const base = document?.baseURI ?? location?.href;
  const text = `${given}`;
  const href = parse(text, base)?.href.replace(/^http/, 'ws') ?? '';
  if (!/^wss?:[^#]+$/.test(href)) throw syntaxError(`\`${text}\` is no address of a WebSocket`);
  return href;
}

/**
 * Reads the subprotocols as the constructor of a WebSocket does. Undefined: none are offered.
 *
 * @throws {DOMException} `SyntaxError` if one is no token, or is there twice, in whatever case.
 */
export function readProtocols(given: unknown): string[] | undefined {
  if (given === undefined) return undefined;
  const isList = typeof given === 'object' && given !== null && Symbol.iterator in given;
  const names = isList ? Array.from(given as Iterable<unknown>, (name) => `${name}`) : [`${given}`];
  const different = new Set(names.map((name) => name.toLowerCase()));
  if (different.size < names.length || !names.every((name) => TOKEN.test(name))) {
    throw syntaxError(`\`${names}\` cannot be offered as subprotocols`);
  }
  return names;
}

/** What the standard throws for bad arguments. */
export function syntaxError(message: string): Error {
  return domException(message, 'SyntaxError');
}

/** A `DOMException`; where the runtime has no such class, an `Error` of that name. */
export function domException(message: string, name: string): Error {
  if (typeof DOMException === 'function') return new DOMException(message, name);
  return Object.assign(new Error(message), { name });
}

/** `URL.canParse` is not everywhere. */
function parse(text: string, base: string | undefined): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
