import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Beat,
  decodeBeat,
  encodeBeat,
  isBeatId,
  MAX_BEAT_BYTES,
  mayBeBeat,
} from '../../src/protocol/beat.ts';
import { isBeat } from '../beat-grammar.ts';
import { RUNS } from '../simulation.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const WORDS = `${LETTERS}0123456789_-`;

/** A beat of exactly so many bytes. */
function beatOf(bytes: number): string {
  const pair = `;${'k'.repeat(16)}=${'v'.repeat(24)}`;
  const text = `\u0005wb.${'i'.repeat(16)}${pair}${pair.replaceAll('k', 'l')};a=`; // 107 bytes
  return text + 'w'.repeat(bytes - text.length);
}

describe('encodeBeat', () => {
  it('writes the routine ping and pong as constants', () => {
    expect(encodeBeat({ type: 'ping' })).toBe('\u0005wb');
    expect(encodeBeat({ type: 'pong' })).toBe('\u0006wb');
    expect(encodeBeat({ type: 'ping', id: undefined, values: {} })).toBe('\u0005wb');
  });

  it('writes the id, then the values in their order', () => {
    const values = { v: '1', state: 'hidden', pingInterval: '25000' };
    expect(encodeBeat({ type: 'ping', id: 'a1', values })).toBe(
      '\u0005wb.a1;v=1;state=hidden;pingInterval=25000',
    );
    expect(encodeBeat({ type: 'pong', values: { session: 'ok' } })).toBe('\u0006wb;session=ok');
  });

  it('takes keys that every object inherits', () => {
    const values = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' } as never;
    expect(encodeBeat({ type: 'ping', values })).toBe(
      '\u0005wb;constructor=a;toString=b;hasOwnProperty=c',
    );
  });

  const GRAMMAR = {
    id: '1 to 16 of A-Z, a-z, 0-9, _ and -',
    key: '1 to 16 of A-Z and a-z',
    value: '1 to 24 of A-Z, a-z, 0-9, _ and -',
  };
  const refused: [why: string, part: Omit<Beat, 'type'>, printed: string][] = [
    ['an empty id', { id: '' }, '``'],
    ['an id of 17 characters', { id: 'x'.repeat(17) }, `\`${'x'.repeat(17)}\``],
    ['an id with a dot', { id: 'a.b' }, '`a.b`'],
    ['an id with a newline at its end', { id: 'a\n' }, '`a\n`'],
    ['an id beyond ASCII', { id: 'é' }, '`é`'],
    ['an empty key', { values: { '': 'x' } }, '``'],
    ['a key of 17 letters', { values: { ['k'.repeat(17)]: 'x' } }, `\`${'k'.repeat(17)}\``],
    ['a key with a digit', { values: { k1: 'x' } }, '`k1`'],
    ['a key with an underscore', { values: { ping_interval: 'x' } }, '`ping_interval`'],
    ['the key __proto__', { values: JSON.parse('{"__proto__":"x"}') }, '`__proto__`'],
    ['an empty value', { values: { k: '' } }, '``'],
    ['a value of 25 characters', { values: { k: 'v'.repeat(25) } }, `\`${'v'.repeat(25)}\``],
    ['a value with a fraction', { values: { k: '0.5' } }, '`0.5`'],
    ['a value with a separator', { values: { k: 'a;b' } }, '`a;b`'],
    ['a value with a newline at its end', { values: { k: 'v\n' } }, '`v\n`'],
  ];
  for (const [why, part, printed] of refused) {
    it(`refuses ${why}`, () => {
      const kind = /id|key|value/.exec(why)?.[0] as keyof typeof GRAMMAR;
      const message = `Expected the ${kind} of a beat to be ${GRAMMAR[kind]}, got ${printed}`;
      expect(() => encodeBeat({ type: 'ping', ...part })).toThrow(RangeError);
      expect(() => encodeBeat({ type: 'ping', ...part })).toThrow(message);
    });
  }

  it('accepts the longest parts', () => {
    const values = { [LETTERS.slice(0, 16)]: WORDS.slice(-24) };
    const beat = { type: 'ping', id: WORDS.slice(-16), values } as const;
    expect(decodeBeat(encodeBeat(beat))).toEqual(beat);
  });

  it('fills 125 bytes and refuses 126', () => {
    expect(MAX_BEAT_BYTES).toBe(125);
    const values = { [`${'k'.repeat(16)}`]: 'v'.repeat(24), [`${'l'.repeat(16)}`]: 'v'.repeat(24) };
    const fits = { ...values, a: 'w'.repeat(24), bb: 'wwww' }; // 3 + 42 + 42 + 27 + 8 = 122
    expect(encodeBeat({ type: 'ping', id: 'ab', values: fits })).toHaveLength(125);
    expect(() => encodeBeat({ type: 'ping', id: 'abc', values: fits })).toThrow(
      new RangeError('beat longer than 125 bytes'),
    );
  });
});

describe('decodeBeat', () => {
  it('reads the routine ping and pong', () => {
    expect(decodeBeat('\u0005wb')).toEqual({ type: 'ping' });
    expect(decodeBeat('\u0006wb')).toEqual({ type: 'pong' });
  });

  it('reads the id and the values', () => {
    expect(decodeBeat('\u0006wb.Z-_9;pingInterval=25000;session=ok')).toEqual({
      type: 'pong',
      id: 'Z-_9',
      values: { pingInterval: '25000', session: 'ok' },
    });
    expect(decodeBeat('\u0005wb;v=1')).toEqual({ type: 'ping', values: { v: '1' } });
  });

  it('keeps keys that it does not know', () => {
    expect(decodeBeat('\u0005wb;future=yes')?.values).toEqual({ future: 'yes' });
  });

  it('reads every character that may stand in an id, a key or a value', () => {
    for (const character of WORDS) {
      expect(decodeBeat(`\u0005wb.${character}`)?.id).toBe(character);
      expect(decodeBeat(`\u0005wb;k=${character}`)?.values).toEqual({ k: character });
    }
    for (const letter of LETTERS) {
      expect(decodeBeat(`\u0005wb;${letter}=1`)?.values).toEqual({ [letter]: '1' });
    }
  });

  it('reads no other character of ASCII there', () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    for (const character of ascii.filter((one) => !WORDS.includes(one))) {
      expect(decodeBeat(`\u0005wb.x${character}`)).toBeUndefined();
      expect(decodeBeat(`\u0005wb;k=x${character}`)).toBeUndefined();
      expect(decodeBeat(`\u0005wb.${character}x`)).toBeUndefined();
    }
    for (const character of ascii.filter((one) => !LETTERS.includes(one))) {
      expect(decodeBeat(`\u0005wb;k${character}=1`)).toBeUndefined();
      expect(decodeBeat(`\u0005wb;${character}=1`)).toBeUndefined();
    }
  });

  it('reads parts of the longest length, and none longer', () => {
    expect(decodeBeat(`\u0005wb.${'i'.repeat(16)}`)).toBeDefined();
    expect(decodeBeat(`\u0005wb.${'i'.repeat(17)}`)).toBeUndefined();
    expect(decodeBeat(`\u0005wb;${'k'.repeat(16)}=1`)).toBeDefined();
    expect(decodeBeat(`\u0005wb;${'k'.repeat(17)}=1`)).toBeUndefined();
    expect(decodeBeat(`\u0005wb;k=${'v'.repeat(24)}`)).toBeDefined();
    expect(decodeBeat(`\u0005wb;k=${'v'.repeat(25)}`)).toBeUndefined();
  });

  it('reads 125 bytes, and leaves 126 to the application', () => {
    expect(decodeBeat(beatOf(125))).toBeDefined();
    expect(decodeBeat(beatOf(126))).toBeUndefined();
  });

  it('reads keys that every object inherits', () => {
    const values = decodeBeat('\u0005wb;constructor=a;toString=b;hasOwnProperty=c')?.values;
    expect(Object.entries(values ?? {})).toEqual([
      ['constructor', 'a'],
      ['toString', 'b'],
      ['hasOwnProperty', 'c'],
    ]);
  });

  it('gives values that inherit nothing', () => {
    expect(Object.getPrototypeOf(decodeBeat('\u0005wb;v=1')?.values)).toBeNull();
  });

  it('does not reach any prototype by the key __proto__', () => {
    expect(decodeBeat('\u0005wb;__proto__=x')).toBeUndefined();
    expect(decodeBeat('\u0005wb;proto=x;constructor=y')?.values).not.toHaveProperty('polluted');
  });

  const ordinary: [why: string, text: string][] = [
    ['nothing', ''],
    ["a terminal's Ctrl-E", '\u0005'],
    ["a terminal's Ctrl-F", '\u0006'],
    ['Ctrl-E typed twice', '\u0005\u0005'],
    ['Ctrl-E and a word', '\u0005w'],
    ['Ctrl-E and another word', '\u0005wbx'],
    ['Ctrl-E and a capital', '\u0005WB'],
    ['other control characters', '\u0004wb'],
    ['the letters alone', 'wb'],
    ['a beat further in', ' \u0005wb'],
    ['a beat behind a byte order mark', '\ufeff\u0005wb'],
    ['two beats', '\u0005wb\u0005wb'],
    ['a beat and a newline', '\u0005wb\n'],
    ['a beat and a carriage return', '\u0005wb.1\r\n'],
    ['a beat with values and a newline', '\u0005wb;v=1\n'],
    ['a beat and a space', '\u0005wb '],
    ['a beat and a NUL', '\u0005wb\0'],
    ['a dot without an id', '\u0005wb.'],
    ['two ids', '\u0005wb.a.b'],
    ['an id behind the values', '\u0005wb;v=1.a'],
    ['a semicolon without a pair', '\u0005wb;'],
    ['a semicolon at the end', '\u0005wb;v=1;'],
    ['two semicolons', '\u0005wb;;v=1'],
    ['a key without a value', '\u0005wb;v'],
    ['a key with an empty value', '\u0005wb;v='],
    ['a value without a key', '\u0005wb;=1'],
    ['two equals signs', '\u0005wb;v==1'],
    ['a pair with two values', '\u0005wb;v=1=2'],
    ['a repeated key', '\u0005wb;v=1;v=2'],
    ['a repeated pair', '\u0005wb;v=1;v=1'],
    ['a repeated key with another between', '\u0005wb;v=1;w=1;v=1'],
    ['a wide full stop', '\u0005wb．a'],
    ['a Greek question mark for a semicolon', '\u0005wb\u037ev=1'],
    ['a Cyrillic key', '\u0005wb;ѕ=1'],
    ['a wide w', '\u0005ｗb'],
    ['the symbol for enquiry', '\u2405wb'],
    ['a letter whose lower byte is ENQ', '\u0105wb'],
    ['a letter that only ignores case', '\u0005wb;\u212a=1'], // KELVIN SIGN
    ['JSON', '{"type":"ping"}'],
  ];
  for (const [why, text] of ordinary) {
    it(`leaves ${why} to the application`, () => {
      expect(decodeBeat(text)).toBeUndefined();
    });
  }

  it('tells keys apart by their case', () => {
    expect(decodeBeat('\u0005wb;v=1;V=2')?.values).toEqual({ v: '1', V: '2' });
  });

  it('looks no further than 125 characters into a long message', () => {
    expect(decodeBeat(`\u0005wb${';v=1'.repeat(250_000)}`)).toBeUndefined();
    expect(decodeBeat('\u0005'.repeat(1_000_000))).toBeUndefined();
  });
});

describe('isBeatId', () => {
  it('accepts what a beat can carry as its id, and nothing else', () => {
    for (const id of ['0', 'Z', '_', '-', 'a1-_', 'x'.repeat(16)]) {
      expect(isBeatId(id)).toBe(true);
      expect(decodeBeat(encodeBeat({ type: 'ping', id }))).toMatchObject({ id });
    }
    const others = ['', ' a', 'a.b', 'a;b', 'a\n', 'é', 'x'.repeat(17), 7, null, undefined, ['a']];
    for (const other of others) expect(isBeatId(other)).toBe(false);
  });
});

describe('mayBeBeat', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('holds for every beat', () => {
    for (const text of ['\u0005wb', '\u0006wb', '\u0005wb.a;v=1', beatOf(125)]) {
      expect(mayBeBeat(bytes(text))).toBe(true);
    }
  });

  it('does not hold where the first byte or the length speaks against it', () => {
    for (const text of ['', 'wb', '\u0004wb', '\u0007wb', '{}', beatOf(126)]) {
      expect(mayBeBeat(bytes(text))).toBe(false);
    }
  });
});

describe('the codec', () => {
  const word = (alphabet: string, most: number) =>
    fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: most });
  const beat: fc.Arbitrary<Beat> = fc
    .record(
      {
        type: fc.constantFrom('ping', 'pong'),
        id: word(WORDS, 16),
        values: fc.dictionary(word(LETTERS, 16), word(WORDS, 24), { minKeys: 1, maxKeys: 5 }),
      },
      { requiredKeys: ['type'] },
    )
    .filter(({ id = '', values = {} }) => `${id}${Object.entries(values)}`.length < 110);
  // Pieces of beats, whole and broken, so that a good part of the random texts is well formed.
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(';v=1', ';w=x', ';v=2', ';constructor=-', '.a1', 'k') },
    { weight: 1, arbitrary: fc.constantFrom('.', ';', '=', ';=', 'wb', '\u0005', '\n', 'é', ' ') },
    { weight: 1, arbitrary: word(WORDS, 30).map((value) => `;long=${value}`) },
    { weight: 1, arbitrary: word(LETTERS, 20).map((key) => `;${key}=1`) },
    { weight: 1, arbitrary: fc.string({ maxLength: 3 }) },
  );
  const first = fc.constantFrom('\u0005wb', '\u0006wb');
  const nearBeat = fc
    .tuple(first, fc.array(piece, { maxLength: 6 }))
    .map(([head, rest]) => head + rest.join(''));
  const settings = { numRuns: RUNS };

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(beat, (given) => {
        const text = encodeBeat(given);
        expect(isBeat(text)).toBe(true);
        expect(decodeBeat(text)).toEqual(given);
      }),
      settings,
    );
  });

  it('writes what it read', () => {
    fc.assert(
      fc.property(nearBeat, (text) => {
        const read = decodeBeat(text);
        if (read !== undefined) expect(encodeBeat(read)).toBe(text);
      }),
      settings,
    );
  });

  it('agrees with the grammar on everything that begins as a beat does', () => {
    const seen = { beats: 0, messages: 0 };
    fc.assert(
      fc.property(nearBeat, (text) => {
        seen[isBeat(text) ? 'beats' : 'messages'] += 1;
        expect(decodeBeat(text) !== undefined).toBe(isBeat(text));
      }),
      settings,
    );
    expect(seen.beats).toBeGreaterThan(RUNS / 10);
    expect(seen.messages).toBeGreaterThan(RUNS / 10);
  });

  it('reads a beat or nothing from any text, and never throws', () => {
    const unit = fc.oneof(fc.nat(0x7f), fc.nat(0xffff)).map((code) => String.fromCharCode(code));
    const garbage = fc.string({ unit });
    const text = fc.oneof(
      garbage,
      garbage.map((rest) => `\u0005wb${rest}`),
      garbage.map((rest) => `\u0006${rest}`),
    );
    fc.assert(
      fc.property(text, (given) => {
        const read = decodeBeat(given);
        expect(read !== undefined).toBe(isBeat(given));
        if (read !== undefined) expect(['ping', 'pong']).toContain(read.type);
      }),
      settings,
    );
  });
});
