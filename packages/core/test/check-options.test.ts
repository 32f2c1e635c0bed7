import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { checkNames, type Rule, resolveOption, resolveOptions } from '../src/check-options.ts';
import { refusalOf } from './refusal.ts';

/** The error for a value of the option `it` under this rule. */
function refusal(rule: Rule, value: unknown): string {
  return refusalOf(() => resolveOption('it', rule, value)).message;
}

/** Each rule with values that it accepts, values that it refuses, and what it expects. */
const RULES: [rule: Rule, accepted: unknown[], refused: unknown[], expected: string][] = [
  [
    { type: 'duration' },
    [Number.MIN_VALUE, 1, 2 ** 31 - 1],
    [0, -1, 2 ** 31, Number.NaN, '1', null, false, true],
    'a number > 0 and <= 2147483647 (ms)',
  ],
  [
    { type: 'duration', off: true },
    [1],
    [0, true, null],
    'a number > 0 and <= 2147483647 (ms), or false',
  ],
  [
    { type: 'number', min: 1, max: 5 },
    [1, 2.5, 5],
    [0.999, 5.001, Number.NaN, '3', null, 3n],
    'a number in [1, 5]',
  ],
  [
    { type: 'count', off: true },
    [0, 1, Number.MAX_SAFE_INTEGER],
    [-1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN, '1', null, true],
    'a whole number >= 0, or false',
  ],
  [{ type: 'count', min: 1 }, [1], [0], 'a whole number >= 1'],
  [{ type: 'count', min: 1, max: 9 }, [1, 9], [0, 10], 'a whole number in [1, 9]'],
  [{ type: 'choice', of: ['a', 'b'] }, ['a', 'b'], ['c', false, null], "'a' or 'b'"],
  [{ type: 'choice', of: ['a', 'b', 'c'] }, ['c'], ['d'], "'a', 'b' or 'c'"],
  [{ type: 'choice', of: ['a', false] }, ['a', false], ['b', true], "'a' or false"],
  [{ type: 'boolean' }, [true, false], [0, 'yes', null], 'a boolean'],
  [{ type: 'function' }, [() => 0, class {}], [null, false, {}, 'Math.random'], 'a function'],
  [{ type: 'string' }, ['', 'text'], [1, null, {}], 'a string'],
  [{ type: 'list' }, [[], [1]], [1, null, {}, 'text'], 'a list'],
  [{ type: 'object' }, [{}, new Map()], [1, null, [], 'text'], 'an object'],
  [
    { type: 'object', method: 'now' },
    [{ now: () => 0 }, Date],
    [{}, null, { now: 1 }],
    'an object with now()',
  ],
];

describe('resolveOption', () => {
  for (const [rule, accepted, refused, expected] of RULES) {
    it(`accepts ${expected}`, () => {
      for (const value of accepted) expect(resolveOption('it', rule, value)).toBe(value);
      for (const value of refused) {
        expect(refusal(rule, value)).toContain(`Expected \`it\` to be ${expected}, got`);
      }
    });
  }

  it('accepts anything for an option that its caller checks', () => {
    for (const value of [1, null, '', {}]) {
      expect(resolveOption('it', { type: 'any' }, value)).toBe(value);
    }
  });

  it('uses the default only if the option is undefined', () => {
    const rule = { type: 'count', default: 7 } as const;
    expect(resolveOption('it', rule, undefined)).toBe(7);
    expect(resolveOption('it', rule, 0)).toBe(0);
    expect(refusal(rule, null)).toContain('got `null` (null)');
  });

  it('leaves an option undefined if it has no default, unless it is required', () => {
    expect(resolveOption('it', { type: 'function' }, undefined)).toBeUndefined();
    const required = { type: 'function', required: true } as const;
    expect(refusal(required, undefined)).toBe(
      'Expected `it` to be a function, got `undefined` (undefined)',
    );
  });

  it('turns the false of a number into Infinity, given or by default', () => {
    for (const type of ['duration', 'count'] as const) {
      const rule = { type, default: false, off: true } as const;
      expect(resolveOption('it', rule, false)).toBe(Number.POSITIVE_INFINITY);
      expect(resolveOption('it', rule, undefined)).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('keeps the false of anything else', () => {
    expect(resolveOption('it', { type: 'object', off: true }, false)).toBe(false);
    expect(resolveOption('it', { type: 'boolean', default: false }, undefined)).toBe(false);
  });
});

describe('resolveOptions', () => {
  interface Options {
    readonly wait?: number | false;
    readonly limit?: number;
    readonly make?: () => number;
  }
  const schema = {
    wait: { type: 'duration', default: 5, off: true },
    limit: { type: 'count', default: 3 },
    make: { type: 'function' },
  } as const;

  it('gives each option its value or its default', () => {
    const given: Options = { wait: false };
    expect(resolveOptions(schema, given)).toEqual({
      wait: Number.POSITIVE_INFINITY,
      limit: 3,
      make: undefined,
    });
  });

  it('rejects a name that is not in the schema', () => {
    const given = { wait: 1, weight: 2 } as Options;
    const { message } = refusalOf(() => resolveOptions(schema, given));
    expect(message).toBe(
      'Unknown option `weight`, got `2` (number): known options are wait, limit, make',
    );
  });

  it('says what the value is where it is no object', () => {
    const { message } = refusalOf(() =>
      resolveOptions(schema, null as unknown as Options, 'limits'),
    );
    expect(message).toBe('Expected `limits` to be an object, got `null` (null)');
  });

  it('is checked by the compiler against the interface', () => {
    const { make: _, ...incomplete } = schema;
    // @ts-expect-error: `make` has no rule
    resolveOptions<Options, typeof incomplete>(incomplete, {});
    const surplus = { ...schema, other: { type: 'boolean' } } as const;
    // @ts-expect-error: the interface has no `other`
    resolveOptions<Options, typeof surplus>(surplus, {});
    const strict = { ...schema, wait: { type: 'duration', default: 5 } } as const;
    // @ts-expect-error: `wait` may be false
    resolveOptions<Options, typeof strict>(strict, {});
    const lax = { ...schema, limit: { type: 'count', off: true } } as const;
    // @ts-expect-error: `limit` may not be false
    resolveOptions<Options, typeof lax>(lax, {});
  });
});

describe('checkNames', () => {
  it('accepts any part of the known names', () => {
    for (const value of [{}, { one: 1 }, { two: 2, one: 1 }, Object.create(null)]) {
      expect(() => checkNames('parts', value, ['one', 'two'])).not.toThrow();
    }
  });

  it('names the first that is unknown', () => {
    const { message } = refusalOf(() => checkNames('parts', { one: 1, three: 'x' }, ['one']));
    expect(message).toBe("Unknown option `three`, got `'x'` (string): known options are one");
  });

  it('refuses an instance with members of its class, such as a socket, and what inherits options', () => {
    class Socket extends EventTarget {}
    const { message } = refusalOf(() => checkNames('parts', new Socket(), ['one']));
    expect(message).toBe('Expected `parts` to be a plain object, got `Socket` (object)');
    for (const value of [new Map(), Object.create({ one: 1 })]) {
      expect(() => checkNames('parts', value, ['one'])).toThrow('a plain object');
    }
  });

  it('accepts an instance that has only known fields, and an object of another realm', () => {
    class Parts {
      readonly one = 1;
    }
    for (const value of [new Parts(), runInNewContext('({ one: 1 })')]) {
      expect(() => checkNames('parts', value, ['one'])).not.toThrow();
    }
  });

  it('does not know what every object inherits', () => {
    const { option } = refusalOf(() => checkNames('parts', { toString: 1 }, ['one']));
    expect(option).toBe('toString');
  });
});

describe('in a bundle for production', () => {
  const load = async () => {
    vi.resetModules();
    vi.doMock('../src/development.ts', () => ({ IS_DEVELOPMENT: false }));
    const schema = await import('../src/check-options.ts');
    vi.doUnmock('../src/development.ts');
    vi.resetModules();
    return schema;
  };

  it('a value out of range is refused without a sentence', async () => {
    const { resolveOption } = await load();
    expect(() => resolveOption('it', { type: 'duration' }, -1)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option: 'it', expected: '' }),
    );
  });

  it('a duration that could cause a flood of pings is refused', async () => {
    const { resolveOption } = await load();
    for (const value of [0, -1, Number.NaN, null, undefined]) {
      const rule = { type: 'duration', required: true } as const;
      if (value === undefined) expect(resolveOption('it', rule, value)).toBeUndefined();
      else expect(() => resolveOption('it', rule, value)).toThrow('ERR_INVALID_OPTION: it');
    }
  });

  it('options have their defaults and their ends as in development', async () => {
    const { resolveOptions } = await load();
    const schema = {
      wait: { type: 'duration', default: 5, off: true },
      most: { type: 'count', default: 3, off: true },
      part: { type: 'object', method: 'run', off: true },
      flag: { type: 'boolean', default: true },
    } as const;
    type Options = {
      wait?: number | false;
      most?: number | false;
      part?: object | false;
      flag?: boolean;
    };
    const resolve = (options: Options) => resolveOptions(schema, options);
    expect(resolve({})).toEqual({ wait: 5, most: 3, part: undefined, flag: true });
    const off = { wait: false, most: false, part: false, flag: false } as const;
    const ends = { wait: Number.POSITIVE_INFINITY, most: Number.POSITIVE_INFINITY };
    expect(resolve(off)).toEqual({ ...ends, part: false, flag: false });
  });

  it('unknown names are ignored', async () => {
    const { checkNames } = await load();
    expect(() => checkNames('options', { pingIntervall: 1 }, ['pingInterval'])).not.toThrow();
    expect(() => checkNames('options', 1, ['pingInterval'])).not.toThrow();
  });

  it('a value is passed on without a rule: a bundle has only those that change one', async () => {
    const { resolveOptions } = await load();
    const resolve = resolveOptions as (schema: object, options: object) => object;
    const options = { wait: 1, flag: false };
    expect(resolve({}, options)).toEqual(options);
  });
});
