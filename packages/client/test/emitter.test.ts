import { InvalidOptionError } from '@wirebeat/core';
import { describe, expect, it, vi } from 'vitest';
import { unhandledRejections } from '../../core/test/unhandled-rejections.ts';
import { HandleEmitter } from '../src/emitter.ts';

interface Events {
  readonly ping: { readonly id: string };
  readonly pong: { readonly latency: number };
}

class Handle extends HandleEmitter<Events> {
  dispatch<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.emit(name, event);
  }

  end(): void {
    this.removeAllListeners();
  }
}

const A = { id: 'a' };

describe('HandleEmitter', () => {
  it('calls a listener at each event with its name, with the payload alone', () => {
    const handle = new Handle();
    const listener = vi.fn();
    handle.on('ping', listener);
    handle.dispatch('ping', A);
    handle.dispatch('ping', { id: 'b' });
    handle.dispatch('pong', { latency: 5 });
    expect(listener.mock.calls).toEqual([[A], [{ id: 'b' }]]);
    expect(listener.mock.calls[0]?.[0]).toBe(A);
  });

  it('calls listeners in the order in which they were added, one added twice twice', () => {
    const handle = new Handle();
    const order: number[] = [];
    const third = () => void order.push(3);
    handle.on('ping', () => order.push(1)).on('ping', () => order.push(2));
    handle.on('ping', third).on('ping', third);
    handle.dispatch('ping', A);
    expect(order).toEqual([1, 2, 3, 3]);
  });

  it('calls a listener added with once only once, also if it emits again', () => {
    const handle = new Handle();
    const listener = vi.fn(() => handle.dispatch('ping', A));
    handle.once('ping', listener);
    handle.dispatch('pong', { latency: 5 });
    handle.dispatch('ping', A);
    handle.dispatch('ping', A);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('removes with off what on or once added, and nothing else', () => {
    const handle = new Handle();
    const [one, other] = [vi.fn(), vi.fn()];
    handle.on('ping', one).once('ping', other).on('pong', one);
    handle
      .off('ping', one)
      .off('ping', other)
      .off('ping', () => {});
    handle.dispatch('ping', A);
    expect(one).not.toHaveBeenCalled();
    handle.dispatch('pong', { latency: 5 });
    expect([one, other].map((listener) => listener.mock.calls.length)).toEqual([1, 0]);
  });

  it('calls the listeners that it had when the event was emitted', () => {
    const handle = new Handle();
    const late = vi.fn();
    handle.on('ping', () => handle.on('ping', late));
    handle.dispatch('ping', A);
    expect(late).not.toHaveBeenCalled();
    handle.end();
    handle.dispatch('ping', A);
    expect(late).not.toHaveBeenCalled();
  });

  it('reports the error of a listener later, and calls the others', async () => {
    const handle = new Handle();
    const thrown = new Error('thrown in a listener');
    const after = vi.fn();
    handle.on('ping', () => {
      throw thrown;
    });
    handle.on('ping', after);
    expect(await unhandledRejections(() => handle.dispatch('ping', A))).toEqual([thrown]);
    expect(after).toHaveBeenCalledTimes(1);
  });

  it('rejects a listener that is not a function', () => {
    for (const listener of [undefined, null, 'x', {}]) {
      expect(() => new Handle().on('ping', listener as never)).toThrow(InvalidOptionError);
    }
  });
});
