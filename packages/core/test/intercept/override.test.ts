import { describe, expect, it, vi } from 'vitest';
import { override } from '../../src/intercept/override.ts';

class Greeter {
  greet(name: string): string {
    return `hello ${name}`;
  }
}

describe('override', () => {
  it('puts a method on the one object, with its own this and arguments', () => {
    const [one, other] = [new Greeter(), new Greeter()];
    const method = vi.fn(function (this: unknown, name: string) {
      return `${this === one} ${name}`;
    });
    override(one, 'greet', method);
    expect(one.greet('you')).toBe('true you');
    expect(other.greet('you')).toBe('hello you');
  });

  it('leaves no trace when it ends, also where the object had its own method', () => {
    const plain = new Greeter();
    override(plain, 'greet', () => '')();
    expect(Reflect.ownKeys(plain)).toEqual([]);
    const own = Object.assign(new Greeter(), { greet: () => 'own' });
    const before = Object.getOwnPropertyDescriptor(own, 'greet');
    override(own, 'greet', () => '')();
    expect(Object.getOwnPropertyDescriptor(own, 'greet')).toEqual(before);
  });

  it('is inert below another that was put on top, when it ends', () => {
    const greeter = new Greeter();
    const end = override(greeter, 'greet', () => 'ours');
    const { greet } = greeter;
    const onTop = vi.fn((name: string) => greet.call(greeter, name));
    greeter.greet = onTop;
    expect(greeter.greet('you')).toBe('ours');
    end();
    expect(greeter.greet).toBe(onTop);
    expect(greeter.greet('you')).toBe('hello you');
  });
});
