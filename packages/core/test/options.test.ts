import { describe, expect, it } from 'vitest';
import {
  HEARTBEAT_SCHEMA,
  type HeartbeatOptions,
  resolveHeartbeatOptions,
} from '../src/options.ts';
import { refusalOf } from './refusal.ts';

/** What `resolveHeartbeatOptions` says to options of any kind. */
function refusal(options: unknown): string {
  return refusalOf(() => resolveHeartbeatOptions(options as HeartbeatOptions)).message;
}

describe('the schema', () => {
  it('has the defaults that the documentation promises', () => {
    const { pingInterval, pingTimeout, suspectAfter } = HEARTBEAT_SCHEMA;
    expect([pingInterval, pingTimeout, suspectAfter].map((rule) => rule.default)).toEqual([
      25_000, 20_000, 1_000,
    ]);
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
    expect(resolveHeartbeatOptions(options)).toEqual({
      ...options,
      maxInterval: options.pingInterval,
    });
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

  it('lets a peer ask for no longer interval than a pingInterval that was given', () => {
    const maxInterval = (options: HeartbeatOptions) => resolveHeartbeatOptions(options).maxInterval;
    expect(maxInterval({ pingInterval: 25_000 })).toBe(25_000);
    for (const options of [{ pingInterval: false }, { pingTimeout: 1 }, {}] as const) {
      expect(maxInterval(options)).toBe(Number.POSITIVE_INFINITY);
    }
    const absent = { pingInterval: undefined } as unknown as HeartbeatOptions;
    expect(maxInterval(absent)).toBe(Number.POSITIVE_INFINITY);
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
    expect(Object.keys(HEARTBEAT_SCHEMA)).toEqual(Object.keys(values));
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
      'Unknown option `interval`, got `5000` (number): known options are pingInterval, pingTimeout, maxSilence, probeAfter, suspectAfter, jitter, random',
    );
    expect(refusal({ pinginterval: undefined })).toBe(
      'Unknown option `pinginterval`, got `undefined` (undefined): known options are pingInterval, pingTimeout, maxSilence, probeAfter, suspectAfter, jitter, random',
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

  it('refuses options that an object inherits, in place of ignoring them', () => {
    const options = Object.create({ pingInterval: 5_000 }) as HeartbeatOptions;
    expect(refusalOf(() => resolveHeartbeatOptions(options)).expected).toBe('a plain object');
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
