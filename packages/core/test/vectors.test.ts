import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBeat, encodeBeat } from '../src/protocol/beat.ts';
import { isBeat } from './beat-grammar.ts';

interface Vectors {
  readonly beats: readonly {
    readonly text: string;
    readonly type: 'ping' | 'pong';
    readonly id: string | null;
    readonly values: Readonly<Record<string, string>>;
  }[];
  readonly messages: readonly {
    readonly text: string;
    readonly why: string;
    readonly minimalPeerAnswers?: true;
  }[];
}

const file = readFileSync(new URL('../vectors.json', import.meta.url), 'utf8');
const { beats, messages }: Vectors = JSON.parse(file);

/** What the minimal peer of docs/protocol.md sends back. */
function minimalAnswer(text: string): string | undefined {
  return text.startsWith('\u0005wb') ? `\u0006${text.slice(1)}` : undefined;
}

describe('the vectors of the protocol', () => {
  for (const { text, type, id, values } of beats) {
    it(`${JSON.stringify(text)} is a ${type}`, () => {
      const read = decodeBeat(text);
      expect(read).toEqual({ type, id: id ?? undefined, values: read?.values });
      expect({ ...read?.values }).toEqual(values);
      expect(encodeBeat({ type, id: id ?? undefined, values })).toBe(text);
      expect(isBeat(text)).toBe(true);
    });
  }

  for (const { text, why } of messages) {
    it(`${JSON.stringify(text)} is an ordinary message: ${why}`, () => {
      expect(decodeBeat(text)).toBeUndefined();
      expect(isBeat(text)).toBe(false);
    });
  }

  it("a minimal peer's answer to a ping is the pong with the same id and values", () => {
    for (const { text, type } of beats) {
      const answer = minimalAnswer(text);
      if (type === 'pong') expect(answer).toBeUndefined();
      else expect(decodeBeat(answer ?? '')).toEqual({ ...decodeBeat(text), type: 'pong' });
    }
  });

  it('mark the messages that a minimal peer answers all the same', () => {
    for (const { text, minimalPeerAnswers = false } of messages) {
      expect(minimalPeerAnswers).toBe(minimalAnswer(text) !== undefined);
    }
  });

  it('are each there once', () => {
    const texts = [...beats, ...messages].map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(beats.length).toBeGreaterThanOrEqual(12);
    expect(messages.length).toBeGreaterThanOrEqual(25);
  });

  it('reach both sides of the bound of 125 bytes', () => {
    const lengths = [...beats, ...messages].map(({ text }) => Buffer.byteLength(text));
    expect(lengths).toContain(125);
    expect(lengths).toContain(126);
    expect(Math.max(...beats.map(({ text }) => Buffer.byteLength(text)))).toBe(125);
  });

  it('are plain ASCII as a file, so that no editor or checkout changes them', () => {
    const bytes = [...Buffer.from(file)];
    expect(bytes.every((byte) => byte === 0x0a || (byte >= 0x20 && byte <= 0x7e))).toBe(true);
  });
});
