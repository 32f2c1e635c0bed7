import { describe, expect, it } from 'vitest';
import { guarded } from '../src/guarded.ts';
import { unhandledRejections } from './unhandled-rejections.ts';

describe('guarded', () => {
  it('calls the listener with this and all arguments', () => {
    const calls: unknown[] = [];
    const guard = guarded(function (this: unknown, ...args: unknown[]) {
      calls.push([this, ...args]);
    });
    const target = {};
    guard.call(target, 1, 'two');
    expect(calls).toEqual([[target, 1, 'two']]);
    expect((calls as unknown[][])[0]?.[0]).toBe(target);
  });

  it('returns nothing, whatever the listener returns', () => {
    expect(guarded(() => 'value')()).toBeUndefined();
  });

  it('reports nothing if nothing is thrown', async () => {
    expect(await unhandledRejections(guarded(() => 'value'))).toEqual([]);
  });

  it('reports what the listener throws after the others have run', async () => {
    const error = new Error('thrown in a listener');
    const order: string[] = [];
    const reasons = await unhandledRejections(() => {
      guarded(() => {
        order.push('first');
        throw error;
      })();
      order.push('second');
    });
    expect(order).toEqual(['first', 'second']);
    expect(reasons).toEqual([error]);
    expect(reasons[0]).toBe(error);
  });

  it('reports each error, also one that is no Error', async () => {
    const guard = guarded((value: unknown) => {
      throw value;
    });
    const reasons = await unhandledRejections(() => {
      guard('one');
      guard(undefined);
    });
    expect(reasons).toEqual(['one', undefined]);
  });
});
