import { describe, expect, it } from 'vitest';
import { FrameError } from '../../../src/gateway/frames/frame-error.ts';
import { FrameHeader } from '../../../src/gateway/frames/frame-header.ts';
import { type FrameParts, frameOf, MASK } from '../frames.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The error that the last of these frames of a page ends in; undefined if none does. */
function faultOf(frames: readonly FrameParts[], max = NO_LIMIT): FrameError | undefined {
  const header = new FrameHeader('page', max);
  try {
    for (const frame of frames) {
      header.read(frameOf({ mask: MASK, ...frame }), 0);
      header.enter();
    }
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  return undefined;
}

describe('FrameHeader', () => {
  it.each<[length: number, size: number]>([
    [0, 6],
    [125, 6],
    [126, 8],
    [65_535, 8],
    [65_536, 14],
    [2 ** 40, 14],
  ])('reads a length of %d, RFC 6455 §5.2', (length, size) => {
    const header = new FrameHeader('page', NO_LIMIT);
    const bytes = frameOf({ opcode: 2, claimed: length, mask: MASK });
    expect(header.read(bytes, 0)).toBe(true);
    expect([header.length, header.size, header.opcode, header.isFinal]).toEqual([
      length,
      size,
      2,
      true,
    ]);
  });

  it('reports an incomplete header, at each of its bytes', () => {
    const bytes = frameOf({ opcode: 1, claimed: 70_000, mask: MASK });
    const header = new FrameHeader('page', NO_LIMIT);
    const whole = bytes.map((_, count) => Number(header.read(bytes.subarray(0, count), 0)));
    expect([...whole]).toEqual(new Array(bytes.length).fill(0));
    expect(header.read(Buffer.concat([Buffer.from('before'), bytes]), 6)).toBe(true);
  });

  it.each<[name: string, frames: FrameParts[]]>([
    ['a reserved bit, §5.2', [{ opcode: 1, reserved: 0x40 }]],
    ['the second reserved bit, §5.2', [{ opcode: 9, reserved: 0x20 }]],
    ['an opcode of data that is none, §5.2', [{ opcode: 3 }]],
    ['an opcode of control that is none, §5.2', [{ opcode: 11 }]],
    ['a control frame in fragments, §5.5', [{ opcode: 9, isFinal: false }]],
    ['a control frame of 126 bytes, §5.5', [{ opcode: 8, claimed: 126 }]],
    ['nothing to continue, §5.4', [{ opcode: 0 }]],
    ['a message within another, §5.4', [{ opcode: 1, isFinal: false }, { opcode: 2 }]],
    ['no mask from a page, §5.1', [{ opcode: 1, mask: undefined }]],
    ['a length in two bytes too many, §5.2', [{ opcode: 1, claimed: 125, extended: 2 }]],
    ['a length in six bytes too many, §5.2', [{ opcode: 1, claimed: 65_535, extended: 8 }]],
    ['the highest bit of a length, §5.2', [{ opcode: 1, claimed: 2n ** 63n }]],
  ])('refuses with 1002: %s', (_, frames) => {
    expect(faultOf(frames)).toMatchObject({ closeCode: 1002, side: 'page', code: 'ERR_FRAME' });
  });

  it('refuses a mask from an upstream, §5.1', () => {
    const header = new FrameHeader('upstream', NO_LIMIT);
    expect(() => header.read(frameOf({ opcode: 1, mask: MASK }), 0)).toThrow(FrameError);
    expect(header.read(frameOf({ opcode: 1 }), 0)).toBe(true);
  });

  it('allows control frames between fragments, §5.4', () => {
    const fragments = [
      { opcode: 1, isFinal: false },
      { opcode: 9 },
      { opcode: 0, isFinal: false },
      { opcode: 10 },
      { opcode: 0 },
      { opcode: 2 },
    ];
    expect(faultOf(fragments)).toBeUndefined();
  });

  it('counts a message over its fragments, and refuses too long ones with 1009', () => {
    const part = { opcode: 0, claimed: 40, isFinal: false };
    expect(
      faultOf([{ ...part, opcode: 1 }, part, { ...part, isFinal: true }], 120),
    ).toBeUndefined();
    expect(faultOf([{ ...part, opcode: 1 }, part, part], 119)).toMatchObject({ closeCode: 1009 });
    // The next message begins anew.
    const whole = { opcode: 2, claimed: 100 };
    expect(faultOf([whole, whole], 119)).toBeUndefined();
  });

  it('refuses lengths beyond 2^53 with 1009', () => {
    expect(faultOf([{ opcode: 2, claimed: 2n ** 53n }])).toMatchObject({ closeCode: 1009 });
  });
});
