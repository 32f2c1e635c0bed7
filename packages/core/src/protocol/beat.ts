/** A heartbeat of the compact dialect, version 1, as `docs/protocol.md` has it. */
export interface Beat {
  readonly type: 'ping' | 'pong';
  /** Tells which ping a pong answers. Absent on a routine ping: a runtime can answer a constant. */
  readonly id?: string | undefined;
  /** What else the beat says, such as `v` or `pingInterval`. Unknown keys mean nothing. */
  readonly values?: Readonly<Record<string, string>> | undefined;
}

/** The most bytes a beat may have: those of a control frame, RFC 6455 §5.5. */
export const MAX_BEAT_BYTES = 125;

const ENQ = 0x05; // asks, since 1963; JSON text cannot begin with it
const ACK = 0x06; // answers
const PREFIX = { ping: '\u0005wb', pong: '\u0006wb' } as const;
const ID = /^[A-Za-z0-9_-]{1,16}$/;
const KEY = /^[A-Za-z]{1,16}$/;
const VALUE = /^[A-Za-z0-9_-]{1,24}$/;
const BODY = /^wb(?:\.([A-Za-z0-9_-]{1,16}))?((?:;[A-Za-z]{1,16}=[A-Za-z0-9_-]{1,24})*)$/;

/**
 * Writes a beat as the text of one message.
 *
 * @throws {RangeError} if an id, key or value is outside the grammar or the beat is longer than
 * 125 bytes: such a beat would reach the peer's application as an ordinary message.
 */
export function encodeBeat(beat: Beat): string {
  let text: string = PREFIX[beat.type];
  if (beat.id !== undefined) text += `.${checked(beat.id, ID)}`;
  if (beat.values !== undefined) {
    for (const [key, value] of Object.entries(beat.values)) {
      text += `;${checked(key, KEY)}=${checked(value, VALUE)}`;
    }
  }
  if (text.length > MAX_BEAT_BYTES)
    throw new RangeError(`beat longer than ${MAX_BEAT_BYTES} bytes`);
  return text;
}

/** Whether this can be the id of a beat. */
export function isBeatId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function checked(part: string, grammar: RegExp): string {
  if (!grammar.test(part)) throw new RangeError(`\`${part}\` cannot stand in a beat`);
  return part;
}

/**
 * Reads a beat from the text of one message. Anything that is not exactly a beat is `undefined`:
 * it belongs to the application, also if it begins as a beat does. Never throws.
 */
export function decodeBeat(text: string): Beat | undefined {
  const first = text.charCodeAt(0);
  if (first !== ENQ && first !== ACK) return undefined;
  if (text.length > MAX_BEAT_BYTES) return undefined; // ASCII, else the grammar refuses it
  const match = BODY.exec(text.slice(1));
  if (match === null) return undefined;
  const type = first === ENQ ? 'ping' : 'pong';
  const [, id, list] = match;
  if (list === undefined || list === '') return { type, id };
  const values = readValues(list);
  return values && { type, id, values };
}

/** Reads `;key=value;key=value`; undefined if a key is repeated. */
function readValues(list: string): Record<string, string> | undefined {
  const values: Record<string, string> = Object.create(null); // a key may be `constructor`
  for (const pair of list.slice(1).split(';')) {
    const [key = '', value = ''] = pair.split('=');
    if (key in values) return undefined;
    values[key] = value;
  }
  return values;
}

/** Whether a message of these bytes may be a beat, before its text is made. */
export function mayBeBeat(bytes: {
  readonly length: number;
  readonly [index: number]: number;
}): boolean {
  return bytes.length <= MAX_BEAT_BYTES && mayBeginBeat(bytes[0]);
}

/** Whether a message of which this is the first byte may be a beat. */
export function mayBeginBeat(byte: number | undefined): boolean {
  return byte === ENQ || byte === ACK;
}
