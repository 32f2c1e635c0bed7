import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  ConnectionClosedError,
  HeartbeatError,
  InvalidOptionError,
  PingTimeoutError,
  QueueOverflowError,
} from '../src/errors.ts';

afterEach(() => {
  vi.resetModules();
});

describe('HeartbeatError', () => {
  it('is an Error with a name, a code, a message and a cause', () => {
    const cause = new Error('below');
    const error = new HeartbeatError('SomeError', 'ERR_SOME', 'It broke', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'SomeError',
      code: 'ERR_SOME',
      message: 'It broke',
      cause,
    });
    expect(String(error)).toBe('SomeError: It broke');
    expect(error.stack).toContain('errors.test.ts');
  });

  it('has no cause where none is given', () => {
    expect('cause' in new HeartbeatError('SomeError', 'ERR_SOME', 'It broke')).toBe(false);
  });

  it('shows its fields and no brand when it is printed or turned into JSON', () => {
    const error = new PingTimeoutError(10_000, 35_000);
    expect(Object.keys(error).sort()).toEqual(['code', 'name', 'pingTimeout', 'silentFor']);
    expect(Object.keys(Object.getOwnPropertyDescriptors(error))).not.toContain('cause');
  });
});

describe('InvalidOptionError', () => {
  it('says which option is wrong, what it may be and what it is', () => {
    const error = new InvalidOptionError('pingInterval', 'a number > 0', -1);
    expect(error).toMatchObject({
      name: 'InvalidOptionError',
      code: 'ERR_INVALID_OPTION',
      option: 'pingInterval',
      expected: 'a number > 0',
      value: -1,
      message: 'Expected `pingInterval` to be a number > 0, got `-1` (number)',
    });
  });

  it('names an unknown option, and the known ones', () => {
    const error = new InvalidOptionError('interval', 'absent', 5, ['pingInterval', 'jitter']);
    expect(error).toMatchObject({ option: 'interval', expected: 'absent', value: 5 });
    expect(error.message).toBe(
      'Unknown option `interval`, got `5` (number): known options are pingInterval, jitter',
    );
  });

  const values: [value: unknown, printed: string][] = [
    ['5s', "`'5s'` (string)"],
    ['', "`''` (string)"],
    [Number.NaN, '`NaN` (number)'],
    [5n, '`5` (bigint)'],
    [false, '`false` (boolean)'],
    [undefined, '`undefined` (undefined)'],
    [null, '`null` (null)'],
    [Symbol('x'), '`Symbol(x)` (symbol)'],
    [() => 'a long source', '`function` (function)'],
    [class Clock {}, '`function` (function)'],
    [[1, 2], '`array` (object)'],
    [{ toString: () => 'x' }, '`object` (object)'],
    [Object.create(null), '`object` (object)'],
    [new (class Clock {})(), '`Clock` (object)'],
    [new (class {})(), '`object` (object)'],
    [{ constructor: 1 }, '`object` (object)'],
  ];
  for (const [value, printed] of values) {
    it(`prints ${printed}`, () => {
      const { message } = new InvalidOptionError('x', 'y', value);
      expect(message).toBe(`Expected \`x\` to be y, got ${printed}`);
    });
  }
});

describe('PingTimeoutError', () => {
  it('says how long it waited, and for how long there was silence', () => {
    expect(new PingTimeoutError(10_000, 35_250)).toMatchObject({
      name: 'PingTimeoutError',
      code: 'ERR_PING_TIMEOUT',
      pingTimeout: 10_000,
      silentFor: 35_250,
      message: 'No pong within 10000 ms; nothing received for 35250 ms',
    });
  });

  it.each([
    ['ping-timeout', 'No pong within 20000 ms; nothing received for 31000 ms'],
    ['one-way', 'No pong, although data was received 31000 ms ago'],
    ['max-silence', 'Nothing received for 31000 ms from a peer that does not answer pings'],
  ] as const)('says what the peer did not do if the reason is %s', (reason, message) => {
    expect(new PingTimeoutError(20_000, 31_000, reason).message).toBe(message);
  });

  it('rounds in its sentence, not in its fields', () => {
    const error = new PingTimeoutError(9.5, 12.4);
    expect(error.message).toBe('No pong within 10 ms; nothing received for 12 ms');
    expect(error).toMatchObject({ pingTimeout: 9.5, silentFor: 12.4 });
  });
});

describe('ConnectionClosedError', () => {
  it('says the close code and the reason', () => {
    expect(new ConnectionClosedError(1001, 'going away')).toMatchObject({
      name: 'ConnectionClosedError',
      code: 'ERR_CONNECTION_CLOSED',
      closeCode: 1001,
      reason: 'going away',
      message: 'The connection is not open (1001, going away)',
    });
  });

  it('does without what is not known', () => {
    expect(new ConnectionClosedError(1006).message).toBe('The connection is not open (1006)');
    expect(new ConnectionClosedError(undefined, 'detached').message).toBe(
      'No answer is possible: detached',
    );
    expect(new ConnectionClosedError()).toMatchObject({
      closeCode: undefined,
      reason: '',
      message: 'There is no open connection',
    });
  });
});

describe('QueueOverflowError', () => {
  it('says how much the queue holds', () => {
    expect(new QueueOverflowError(1_024, 16)).toMatchObject({
      name: 'QueueOverflowError',
      code: 'ERR_QUEUE_OVERFLOW',
      maxQueuedBytes: 1_024,
      maxQueuedMessages: 16,
      message:
        'The message does not fit into the queue: at most 1024 bytes and 16 messages may be unsent or unconfirmed',
    });
  });
});

describe('instanceof', () => {
  it('tells the kinds apart', () => {
    const error: unknown = new PingTimeoutError(1, 2);
    expect(error instanceof PingTimeoutError).toBe(true);
    expect(error instanceof HeartbeatError).toBe(true);
    expect(error instanceof ConnectionClosedError).toBe(false);
    expect((new ConnectionClosedError() as unknown) instanceof PingTimeoutError).toBe(false);
    expect((new HeartbeatError('X', 'Y', 'Z') as unknown) instanceof PingTimeoutError).toBe(false);
  });

  it('does not hold for anything else', () => {
    const others: unknown[] = [new Error('x'), {}, null, undefined, 'wirebeat.HeartbeatError', 1];
    for (const other of others) {
      expect(other instanceof HeartbeatError).toBe(false);
      expect(other instanceof PingTimeoutError).toBe(false);
    }
  });

  it('holds for the class of an application that extends one of ours', () => {
    class GatewayError extends PingTimeoutError {}
    const error: unknown = new GatewayError(1, 2);
    expect(error instanceof GatewayError).toBe(true);
    expect(error instanceof PingTimeoutError).toBe(true);
    expect(error instanceof HeartbeatError).toBe(true);
    expect((new PingTimeoutError(1, 2) as unknown) instanceof GatewayError).toBe(false);
  });

  it('of the base holds for an error of a second copy of the package', async () => {
    vi.resetModules();
    const copy = await import('../src/errors.ts');
    expect(copy.HeartbeatError).not.toBe(HeartbeatError);
    const error: unknown = new copy.PingTimeoutError(1, 2);
    expect(error instanceof HeartbeatError).toBe(true);
    expect((new PingTimeoutError(1, 2) as unknown) instanceof copy.HeartbeatError).toBe(true);
  });

  it('of the base holds by a brand that copies of any version share', () => {
    const brand = Symbol.for('wirebeat.HeartbeatError');
    expect(Reflect.get(new PingTimeoutError(1, 2), brand)).toBe(true);
    expect({ [brand]: true } instanceof HeartbeatError).toBe(true);
  });

  it('of a kind does not hold for a second copy, where the code tells', async () => {
    vi.resetModules();
    const copy = await import('../src/errors.ts');
    const error: unknown = new copy.PingTimeoutError(1, 2);
    expect(error instanceof PingTimeoutError).toBe(false);
    expect(error).toHaveProperty('code', new PingTimeoutError(1, 2).code);
  });
});

describe('in a bundle for production', () => {
  const load = async () => {
    vi.resetModules();
    vi.doMock('../src/development.ts', () => ({ IS_DEVELOPMENT: false }));
    const errors = await import('../src/errors.ts');
    vi.doUnmock('../src/development.ts');
    return errors;
  };

  it('an error has its code as its message, and all its fields', async () => {
    const errors = await load();
    expect(new errors.PingTimeoutError(20, 30)).toMatchObject({
      message: 'ERR_PING_TIMEOUT',
      pingTimeout: 20,
      silentFor: 30,
    });
    expect(new errors.ConnectionClosedError(1006, 'gone')).toMatchObject({
      message: 'ERR_CONNECTION_CLOSED',
      closeCode: 1006,
      reason: 'gone',
    });
    expect(new errors.QueueOverflowError(10, 2)).toMatchObject({
      message: 'ERR_QUEUE_OVERFLOW',
      maxQueuedBytes: 10,
      maxQueuedMessages: 2,
    });
  });

  it('an invalid option is named, and its value is only a field', async () => {
    const { InvalidOptionError } = await load();
    expect(new InvalidOptionError('pingInterval', 'a number', -1)).toMatchObject({
      message: 'ERR_INVALID_OPTION: pingInterval',
      value: -1,
    });
  });
});
