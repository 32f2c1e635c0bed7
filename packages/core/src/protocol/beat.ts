/** A ping or pong of the compact dialect, version 1: see `docs/protocol.md`. */
export interface Beat {
  readonly type: 'ping' | 'pong';
  /**
   * Matches a pong with its ping. Absent on most scheduled pings: a runtime can answer a constant.
   */
  readonly id?: string | undefined;
  /** Further values, such as `v` or `pingInterval`. Unknown keys are ignored. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** The maximum size of a beat in bytes, as for a control frame (RFC 6455 §5.5). */
export const MAX_BEAT_BYTES = 125;

const ENQ = 0x05; // ASCII "enquiry"; JSON text cannot begin with it
const ACK = 0x06; // ASCII "acknowledge"
const ID = /^[\w-]{1,16}$/;
const KEY = /^[A-Za-z]{1,16}$/;
const VALUE = /^[\w-]{1,24}$/;
/** The same in words. */
const GRAMMAR = {
  id: '1 to 16 of A-Z, a-z, 0-9, _ and -',
  key: '1 to 16 of A-Z and a-z',
  value: '1 to 24 of A-Z, a-z, 0-9, _ and -',
} as const;
/** The first character is checked before. */
const BEAT = /^.wb(?:\.([\w-]{1,16}))?((?:;[A-Za-z]{1,16}=[\w-]{1,24})*)$/;

/**
 * Writes a beat as the text of one message.
 *
 * @throws {RangeError} if an id, key or value is outside the grammar or the beat is longer than
 * 125 bytes: such a beat would reach the peer's application as an ordinary message.
 */
export function encodeBeat(beat: Beat): string {
  let text = beatText(beat.type, beat.id === undefined ? beat.id : checked('id', beat.id, ID));
  if (beat.values !== undefined) {
    for (const [key, value] of Object.entries(beat.values)) {
      text += `;${checked('key', key, KEY)}=${checked('value', value, VALUE)}`;
    }
  }
  if (text.length > MAX_BEAT_BYTES)
    throw new RangeError(`beat longer than ${MAX_BEAT_BYTES} bytes`);
  return text;
}

/** Writes a beat without values. Checks nothing: the id must be one that {@link isBeatId} accepts. */
export function beatText(type: Beat['type'], id?: string): string {
  return `${type === 'ping' ? '\u0005' : '\u0006'}wb${id ? `.${id}` : ''}`;
}

/** Whether this can be the id of a beat. */
export function isBeatId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function checked(part: keyof typeof GRAMMAR, text: string, grammar: RegExp): string {
  if (grammar.test(text)) return text;
  throw new RangeError(`Expected the ${part} of a beat to be ${GRAMMAR[part]}, got \`${text}\``);
}

/**
 * Reads a beat from the text of one message. Returns `undefined` if the text is not exactly a beat:
 * then it belongs to the application, even if it begins like a beat. Never throws.
 */
export function decodeBeat(text: string): Beat | undefined {
  const first = text.charCodeAt(0);
  // The grammar allows only ASCII, so that characters are bytes.
  if (!mayBeginBeat(first) || text.length > MAX_BEAT_BYTES) return undefined;
  const match = BEAT.exec(text);
  if (match === null) return undefined;
  const type = first === ENQ ? 'ping' : 'pong';
  const [, id, list] = match;
  if (!list) return { type, id };
  const values = readValues(list);
  return values && { type, id, values };
}

/** Reads `;key=value;key=value`; undefined if a key is repeated. */
function readValues(list: string): Record<string, string> | undefined {
  const values: Record<string, string> = Object.create(null); // a key may be `constructor`
  for (const pair of list.slice(1).split(';')) {
    const [key, value] = pair.split('=') as [string, string];
    if (key in values) return undefined;
    values[key] = value;
  }
  return values;
}

/** Whether a message with these bytes may be a beat. Call it before decoding the text. */
export function mayBeBeat(bytes: {
  readonly length: number;
  readonly [index: number]: number;
}): boolean {
  return bytes.length <= MAX_BEAT_BYTES && mayBeginBeat(bytes[0]);
}

/** Whether a message with this first byte may be a beat. */
export function mayBeginBeat(byte: number | undefined): boolean {
  return byte === ENQ || byte === ACK;
}
