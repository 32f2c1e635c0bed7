/** Control characters, and those that turn the direction of text or break a line: a terminal obeys them. */
const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A header may be a cookie. A page can send no header, so a subprotocol may be a token. */
const SECRET_ARGUMENT =
  /(--(?:header <header>|subprotocol <name>)' argument) '[\s\S]*' (is invalid)/;

/**
 * What may stand on a terminal or in a log, whoever wrote it: control characters are escaped as in JSON,
 * and of URLs and paths neither credentials nor query nor fragment is left.
 */
export function safeText(text: string): string {
  return redact(escapeControls(text));
}

/** One line of JSON. Its strings are safe as in {@link safeText}, and read the same but for secrets. */
export function safeJson(value: unknown): string {
  const line = JSON.stringify(value, (_, each) => (typeof each === 'string' ? redact(each) : each));
  return escapeControls(line);
}

/** As {@link safeText}, for what commander says of a command line that makes no sense. */
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

/** A value that is no URL, though it should be one: what stands before its last @ may be a password. */
function withoutUser(value: string): string {
  return redactWord(value).replace(/^[\s\S]*@/, '…@');
}

/** A word without blanks: a URL, a path, or none of these. */
function redactWord(word: string): string {
  const scheme = word.indexOf('://');
  const mark = word.search(/[?#]/);
  const isUrl = scheme !== -1 && (mark === -1 || scheme < mark);
  const isPath =
    word[mark] === '?' && (word.lastIndexOf('/', mark) !== -1 || word.includes('=', mark));
  const rest = word.replace(/:\/\/[^/?#]*@/g, '://');
  if (mark === -1 || !(isUrl || isPath)) return rest;
  const [end = ''] = /['"`).,;:]*$/.exec(word.slice(mark + 1)) ?? []; // of the sentence around it
  return `${rest.slice(0, rest.search(/[?#]/) + 1)}…${end}`;
}
