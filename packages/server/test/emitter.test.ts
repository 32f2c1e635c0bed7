import { describe, expect, it, vi } from 'vitest';
import { HandleEmitter } from '../src/emitter.ts';

interface Events {
  readonly ping: { readonly id: string };
  readonly pong: { readonly latency: number };
}

class Handle extends HandleEmitter<Events> {
  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.emit(name, event);
  }

  end(): void {
    this.removeAllListeners();
  }

  hears(name: keyof Events): boolean {
    return this.hasListener(name);
  }
}

describe('HandleEmitter', () => {
  it('calls a listener at each event of its name, with the payload alone', () => {
    const handle = new Handle();
    const listener = vi.fn();
    handle.on('ping', listener);
    const event = { id: 'a' };
    handle.tell('ping', event);
    handle.tell('ping', { id: 'b' });
    handle.tell('pong', { latency: 5 });
    expect(listener.mock.calls).toEqual([[event], [{ id: 'b' }]]);
    expect(listener.mock.calls[0]?.[0]).toBe(event);
  });

  it('calls listeners in the order in which they were added', () => {
    const handle = new Handle();
    const order: number[] = [];
    for (const number of [1, 2, 3]) handle.on('ping', () => order.push(number));
    handle.tell('ping', { id: 'a' });
    expect(order).toEqual([1, 2, 3]);
  });

  it('calls a listener added with once once', () => {
    const handle = new Handle();
    const listener = vi.fn();
    handle.once('ping', listener);
    handle.tell('pong', { latency: 5 });
    handle.tell('ping', { id: 'a' });
    handle.tell('ping', { id: 'b' });
    expect(listener.mock.calls).toEqual([[{ id: 'a' }]]);
  });

  it('ends with off what on or once began', () => {
    const handle = new Handle();
    const [one, other] = [vi.fn(), vi.fn()];
    handle.on('ping', one).once('ping', other).on('pong', one);
    handle.off('ping', one).off('ping', other);
    handle.tell('ping', { id: 'a' });
    expect(one).not.toHaveBeenCalled();
    expect(other).not.toHaveBeenCalled();
    handle.tell('pong', { latency: 5 });
    expect(one).toHaveBeenCalledTimes(1);
  });

  it('takes off for a listener that it does not have', () => {
    const handle = new Handle();
    const listener = vi.fn();
    handle.on('ping', listener).off('ping', () => {});
    handle.tell('ping', { id: 'a' });
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('knows whether an event has a listener', () => {
    const handle = new Handle();
    const listener = () => {};
    handle.on('ping', listener);
    expect([handle.hears('ping'), handle.hears('pong')]).toEqual([true, false]);
    handle.off('ping', listener);
    expect(handle.hears('ping')).toBe(false);
  });

  it('returns itself, so that calls can be chained', () => {
    const handle = new Handle();
    const listener = () => {};
    expect(handle.on('ping', listener)).toBe(handle);
    expect(handle.once('ping', listener)).toBe(handle);
    expect(handle.off('ping', listener)).toBe(handle);
  });

  it('calls nobody after removeAllListeners', () => {
    const handle = new Handle();
    const listener = vi.fn();
    handle.on('ping', listener).once('pong', listener);
    handle.end();
    handle.tell('ping', { id: 'a' });
    handle.tell('pong', { latency: 5 });
    expect(listener).not.toHaveBeenCalled();
  });

  it('goes on past a listener that throws or rejects, and reports its error with the event', async () => {
    const report = vi.fn();
    const handle = new Handle(report);
    const later = vi.fn();
    const [thrown, rejected, once] = [
      new Error('thrown'),
      new Error('rejected'),
      new Error('once'),
    ];
    handle.on('ping', () => {
      throw thrown;
    });
    handle.on('ping', () => Promise.reject(rejected) as never);
    handle.once('ping', () => {
      throw once;
    });
    handle.on('ping', later);
    const [first, second] = [{ id: 'a' }, { id: 'b' }];
    handle.tell('ping', first);
    expect(later).toHaveBeenCalledTimes(1);
    await Promise.resolve();
    expect(report.mock.calls).toEqual([
      [thrown, first],
      [once, first],
      [rejected, first],
    ]);
    handle.tell('ping', second);
    expect(later).toHaveBeenCalledTimes(2);
    expect(report).toHaveBeenLastCalledWith(thrown, second);
  });

  it('refuses a listener that is no function', () => {
    const handle = new Handle();
    expect(() => handle.on('ping', undefined as never)).toThrow(
      'Expected `listener` to be a function',
    );
  });
});
