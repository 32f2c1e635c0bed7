import { describe, expect, it } from 'vitest';
import {
  checkFunction,
  checkNames,
  countOrOff,
  DEFAULTS,
  duration,
  durationOrOff,
  HEARTBEAT_OPTION_NAMES,
  type HeartbeatOptions,
  numberWithin,
  resolveHeartbeatOptions,
} from '../src/options.ts';
import { refusalOf } from './refusal.ts';

/** What `resolveHeartbeatOptions` says to options of any kind. */
function refusal(options: unknown): string {
  return refusalOf(() => resolveHeartbeatOptions(options as HeartbeatOptions)).message;
}

describe('DEFAULTS', () => {
  it('are the values that the documentation promises', () => {
    expect(DEFAULTS).toEqual({
      pingInterval: 25_000,
      suspectAfter: 1_000,
      pingTimeout: 20_000,
      minDelay: 500,
      maxDelay: 30_000,
      factor: 2,
    });
  });
});

describe('resolveHeartbeatOptions', () => {
  it('takes the defaults where nothing is given', () => {
    for (const options of [undefined, {}, { pingInterval: undefined, pingTimeout: undefined }]) {
      const resolved = resolveHeartbeatOptions(options as HeartbeatOptions | undefined);
      expect(resolved).toMatchObject({ pingInterval: 25_000, pingTimeout: 20_000, jitter: 0 });
      expect(resolved.random()).toBe(0);
    }
  });

  it('takes what is given', () => {
    const random = () => 0.5;
    const options = {
      pingInterval: 1,
      pingTimeout: 0.5,
      maxSilence: 9,
      probeAfter: 4,
      suspectAfter: 7,
      jitter: 0.25,
      random,
    };
    expect(resolveHeartbeatOptions(options)).toEqual({ ...options, isIntervalGiven: true });
  });

  it('reads false as off, which is Infinity', () => {
    const off = {
      pingInterval: false,
      pingTimeout: false,
      maxSilence: false,
      probeAfter: false,
    } as const;
    expect(resolveHeartbeatOptions(off)).toMatchObject({
      pingInterval: Number.POSITIVE_INFINITY,
      pingTimeout: Number.POSITIVE_INFINITY,
      maxSilence: Number.POSITIVE_INFINITY,
      probeAfter: Number.POSITIVE_INFINITY,
    });
  });

  it('sets no bound to the silence of a peer that answers nothing, unless told', () => {
    expect(resolveHeartbeatOptions().maxSilence).toBe(Number.POSITIVE_INFINITY);
    expect(resolveHeartbeatOptions({ maxSilence: 60_000 }).maxSilence).toBe(60_000);
  });

  it('lets messages bring no pings, unless told', () => {
    expect(resolveHeartbeatOptions().probeAfter).toBe(Number.POSITIVE_INFINITY);
  });

  it('knows whether pingInterval was given: then it caps what a peer advertises', () => {
    expect(resolveHeartbeatOptions({ pingInterval: 25_000 }).isIntervalGiven).toBe(true);
    expect(resolveHeartbeatOptions({ pingInterval: false }).isIntervalGiven).toBe(true);
    expect(resolveHeartbeatOptions({ pingTimeout: 1 }).isIntervalGiven).toBe(false);
    const absent = { pingInterval: undefined } as unknown as HeartbeatOptions;
    expect(resolveHeartbeatOptions(absent).isIntervalGiven).toBe(false);
  });

  it('knows the names that it lists', () => {
    const values = {
      pingInterval: 1,
      pingTimeout: 1,
      maxSilence: 1,
      probeAfter: 1,
      suspectAfter: 1,
      jitter: 0,
      random: () => 0,
    };
    expect(HEARTBEAT_OPTION_NAMES).toEqual(Object.keys(values));
    expect(() => resolveHeartbeatOptions(values)).not.toThrow();
  });

  it('accepts the longest wait that timers keep', () => {
    const longest = 2 ** 31 - 1;
    expect(resolveHeartbeatOptions({ pingInterval: longest, pingTimeout: longest })).toMatchObject({
      pingInterval: longest,
      pingTimeout: longest,
    });
  });

  const durations: [value: unknown, printed: string][] = [
    [-1, '`-1` (number)'],
    [0, '`0` (number)'],
    [-0, '`0` (number)'],
    [Number.NaN, '`NaN` (number)'],
    [Number.POSITIVE_INFINITY, '`Infinity` (number)'],
    [Number.NEGATIVE_INFINITY, '`-Infinity` (number)'],
    [2 ** 31, '`2147483648` (number)'],
    ['5s', "`'5s'` (string)"],
    ['5000', "`'5000'` (string)"],
    [5_000n, '`5000` (bigint)'],
    [true, '`true` (boolean)'],
    [null, '`null` (null)'],
    [{}, '`object` (object)'],
    [[25_000], '`array` (object)'],
    [() => 25_000, '`function` (function)'],
  ];
  for (const option of ['pingInterval', 'pingTimeout', 'maxSilence']) {
    for (const [value, printed] of durations) {
      it(`refuses ${option} ${printed}`, () => {
        expect(refusal({ [option]: value })).toBe(
          `Expected \`${option}\` to be a number > 0 and <= 2147483647 (ms), or false, got ${printed}`,
        );
      });
    }
  }

  it('refuses a jitter that could take the whole interval', () => {
    expect(refusal({ jitter: 1 })).toBe(
      'Expected `jitter` to be a number in [0, 0.999], got `1` (number)',
    );
    expect(refusal({ jitter: -0.1 })).toBe(
      'Expected `jitter` to be a number in [0, 0.999], got `-0.1` (number)',
    );
    expect(refusal({ jitter: false })).toBe(
      'Expected `jitter` to be a number in [0, 0.999], got `false` (boolean)',
    );
    expect(refusal({ jitter: Number.NaN })).toBe(
      'Expected `jitter` to be a number in [0, 0.999], got `NaN` (number)',
    );
  });

  it('refuses a source of chance that is no function', () => {
    expect(refusal({ random: 0.5 })).toBe('Expected `random` to be a function, got `0.5` (number)');
    expect(refusal({ random: null })).toBe('Expected `random` to be a function, got `null` (null)');
  });

  it('refuses a name that it does not know, and tells those it knows', () => {
    expect(refusal({ interval: 5_000 })).toBe(
      'Expected `interval` to be absent: known options are pingInterval, pingTimeout, maxSilence, probeAfter, suspectAfter, jitter, random, got `5000` (number)',
    );
    expect(refusal({ pinginterval: undefined })).toBe(
      'Expected `pinginterval` to be absent: known options are pingInterval, pingTimeout, maxSilence, probeAfter, suspectAfter, jitter, random, got `undefined` (undefined)',
    );
  });

  const objects: [options: unknown, printed: string][] = [
    [true, '`true` (boolean)'],
    [false, '`false` (boolean)'],
    [null, '`null` (null)'],
    [25_000, '`25000` (number)'],
    ['25s', "`'25s'` (string)"],
    [() => ({}), '`function` (function)'],
    [[], '`array` (object)'],
  ];
  for (const [options, printed] of objects) {
    it(`refuses options that are ${printed}`, () => {
      expect(refusal(options)).toBe(`Expected \`options\` to be an object, got ${printed}`);
    });
  }

  it('does not take what an object inherits for an unknown option', () => {
    const options = Object.create({ interval: 5_000 }) as HeartbeatOptions;
    expect(resolveHeartbeatOptions(options)).toMatchObject({ pingInterval: 25_000 });
  });

  it('carries option, expectation and value on the error', () => {
    const error = refusalOf(() => resolveHeartbeatOptions({ pingInterval: -1 }));
    expect(error).toMatchObject({
      option: 'pingInterval',
      expected: 'a number > 0 and <= 2147483647 (ms), or false',
      value: -1,
    });
  });
});

describe('duration', () => {
  it('accepts (0, 2^31 - 1], and takes the fallback for undefined', () => {
    expect(duration('wait', Number.MIN_VALUE, 7)).toBe(Number.MIN_VALUE);
    expect(duration('wait', 2 ** 31 - 1, 7)).toBe(2 ** 31 - 1);
    expect(duration('wait', undefined, 7)).toBe(7);
  });

  for (const value of [0, -1, 2 ** 31, Number.NaN, '1', null, false, true]) {
    it(`refuses ${String(value)} (${typeof value}), for it cannot be off`, () => {
      const { message, expected } = refusalOf(() => duration('wait', value, 7));
      expect(expected).toBe('a number > 0 and <= 2147483647 (ms)');
      expect(message).toContain('Expected `wait` to be a number > 0 and <= 2147483647 (ms), got');
    });
  }
});

describe('durationOrOff', () => {
  it('accepts what duration accepts, and false for off', () => {
    expect(durationOrOff('wait', 1, 7)).toBe(1);
    expect(durationOrOff('wait', 2 ** 31 - 1, 7)).toBe(2 ** 31 - 1);
    expect(durationOrOff('wait', undefined, 7)).toBe(7);
    expect(durationOrOff('wait', undefined, Number.POSITIVE_INFINITY)).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(durationOrOff('wait', false, 7)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('numberWithin', () => {
  it('accepts both ends, and takes the fallback for undefined', () => {
    expect(numberWithin('share', 1, 3, 1, 5)).toBe(1);
    expect(numberWithin('share', 5, 3, 1, 5)).toBe(5);
    expect(numberWithin('share', undefined, 3, 1, 5)).toBe(3);
  });

  for (const value of [0.999, 5.001, Number.NaN, '3', null, 3n]) {
    it(`refuses ${String(value)} (${typeof value})`, () => {
      const { message } = refusalOf(() => numberWithin('share', value, 3, 1, 5));
      expect(message).toContain('Expected `share` to be a number in [1, 5], got');
    });
  }
});

describe('countOrOff', () => {
  it('accepts whole numbers from 0, and false for off', () => {
    expect(countOrOff('count', 0, 7)).toBe(0);
    expect(countOrOff('count', Number.MAX_SAFE_INTEGER, 7)).toBe(Number.MAX_SAFE_INTEGER);
    expect(countOrOff('count', undefined, 7)).toBe(7);
    expect(countOrOff('count', false, 7)).toBe(Number.POSITIVE_INFINITY);
  });

  for (const value of [-1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY, Number.NaN, '1', null, true]) {
    it(`refuses ${String(value)} (${typeof value})`, () => {
      const { message } = refusalOf(() => countOrOff('count', value, 7));
      expect(message).toContain('Expected `count` to be a whole number >= 0, or false, got');
    });
  }
});

describe('checkFunction', () => {
  it('accepts a function, a class or nothing', () => {
    for (const value of [() => 0, class {}, undefined]) {
      expect(checkFunction('make', value)).toBe(value);
    }
  });

  it('refuses anything else', () => {
    for (const value of [null, false, {}, 'Math.random']) {
      const { message } = refusalOf(() => checkFunction('make', value));
      expect(message).toContain('Expected `make` to be a function, got');
    }
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
    expect(message).toBe(
      "Expected `three` to be absent: known options are one, got `'x'` (string)",
    );
  });

  it('does not know what every object inherits', () => {
    const { option } = refusalOf(() => checkNames('parts', { toString: 1 }, ['one']));
    expect(option).toBe('toString');
  });
});
