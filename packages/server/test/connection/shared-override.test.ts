import { describe, expect, it } from 'vitest';
import { SharedOverride } from '../../src/connection/shared-override.ts';

class Speaker {
  name = 'it';

  say(word: string): string {
    return `${this.name} says ${word}`;
  }
}

/** Over the method of its class, and those that were called. */
function overriding() {
  const heard: unknown[] = [];
  const override = new SharedOverride('say', (original) => {
    return function (this: unknown, ...args: never[]): unknown {
      heard.push(this);
      return original.apply(this, args);
    };
  });
  return { override, heard };
}

describe('SharedOverride', () => {
  it('puts one function on all objects of a class, and passes the object as `this`', () => {
    const { override, heard } = overriding();
    const speakers = [new Speaker(), new Speaker()] as const;
    for (const speaker of speakers) override.put(speaker);
    expect(speakers[0].say).toBe(speakers[1].say);
    expect(speakers[1].say('yes')).toBe('it says yes');
    expect(heard).toEqual([speakers[1]]);
    expect(Object.keys(speakers[1])).toEqual(['name']); // nobody who lists its properties sees ours
  });

  it('leaves no trace on an object, and stays on the others', () => {
    const { override, heard } = overriding();
    const [one, other] = [new Speaker(), new Speaker()];
    override.put(one);
    override.put(other);
    override.takeOff(one);
    expect(Object.hasOwn(one, 'say')).toBe(false);
    override.takeOff(one); // once more does nothing
    other.say('yes');
    expect(heard).toEqual([other]);
  });

  it('overrides an own method of an object, and restores it', () => {
    const { override, heard } = overriding();
    const speaker = new Speaker();
    speaker.say = () => 'of its own';
    const before = Object.getOwnPropertyDescriptor(speaker, 'say');
    override.put(speaker);
    expect(speaker.say('yes')).toBe('of its own');
    expect(heard).toEqual([speaker]);
    expect(override.original(speaker)).toBe(before?.value);
    override.takeOff(speaker);
    expect(Object.getOwnPropertyDescriptor(speaker, 'say')).toEqual(before);
  });

  it('leaves an override alone that another one put on top', () => {
    for (const own of [false, true]) {
      const { override } = overriding();
      const speaker = new Speaker();
      if (own) speaker.say = () => 'of its own';
      override.put(speaker);
      const top = () => 'on top';
      speaker.say = top;
      override.takeOff(speaker);
      expect(speaker.say).toBe(top);
    }
  });

  it('returns the method below', () => {
    const { override } = overriding();
    const speaker = new Speaker();
    override.put(speaker);
    expect(override.original(speaker)).toBe(Speaker.prototype.say);
  });
});
