/**
 * Control characters, and characters that change the text direction or break lines. A terminal
 * interprets them.
 */
const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Arguments that may be secret. A header may be a cookie; a subprotocol may be a token, because browser
 * pages cannot set headers.
 */
const SECRET_ARGUMENT =
  /(--(?:header <header>|subprotocol <name>)' argument) '[\s\S]*' (is invalid)/;

/**
 * Makes untrusted text safe for a terminal or a log: escapes control characters as in JSON, and removes
 * credentials, queries and fragments from URLs and paths.
 */
export function safeText(text: string): string {
  return redact(escapeControls(text));
}

/**
 * Formats a value as one line of JSON. Its strings are made safe as by {@link safeText}; apart from
 * removed secrets, they parse to the same text.
 */
export function safeJson(value: unknown): string {
  const line = JSON.stringify(value, (_, each) => (typeof each === 'string' ? redact(each) : each));
  return escapeControls(line);
}

/** Like {@link safeText}, for commander's messages about invalid arguments. */
export function safeComplaint(text: string): string {
  const lines = text
    .replace(SECRET_ARGUMENT, '$1 $2')
    .replace(/'([\s\S]*)' (is invalid)/, (_, value, rest) => `'${withoutUser(value)}' ${rest}`)
    .replace(/(unknown option '[^'=]*=)[\s\S]*'/, "$1…'")
    .split('\n');
  return lines.map(safeText).join('\n');
}

function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function redact(text: string): string {
  return text.replace(/[^ ]+/g, redactWord);
}

/** Redacts a value that should be a URL but is none: the text before its last @ may be a password. */
function withoutUser(value: string): string {
  return redactWord(value).replace(/^[\s\S]*@/, '…@');
}

/** Redacts a word without spaces, if it is a URL or a path. */
function redactWord(word: string): string {
  const scheme = word.indexOf('://');
  const mark = word.search(/[?#]/);
  const isUrl = scheme !== -1 && (mark === -1 || scheme < mark);
  const isPath =
    word[mark] === '?' && (word.lastIndexOf('/', mark) !== -1 || word.includes('=', mark));
  const rest = word.replace(/:\/\/[^/?#]*@/g, '://');
  if (mark === -1 || !(isUrl || isPath)) return rest;
  const [end = ''] = /['"`).,;:]*$/.exec(word.slice(mark + 1)) ?? []; // punctuation of the surrounding sentence
  return `${rest.slice(0, rest.search(/[?#]/) + 1)}…${end}`;
}
