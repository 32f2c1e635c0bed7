import { describe, expect, it } from 'vitest';
import { mayBeSent, readClose } from '../../../src/gateway/frames/close-frame.ts';
import { encodeClose } from '../../../src/gateway/frames/frame.ts';
import { FrameReader } from '../frames.ts';

const payloadOf = (code: number, text: string | Buffer) => {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), bytes]);
};

describe('a Close frame', () => {
  it('has a code and a reason, or nothing: §5.5.1', () => {
    expect(readClose(payloadOf(1000, 'très bien'), 'page')).toEqual({
      code: 1000,
      text: 'très bien',
    });
    expect(readClose(payloadOf(4999, ''), 'page')).toEqual({ code: 4999, text: '' });
    expect(readClose(Buffer.alloc(0), 'page')).toEqual({ code: 1005, text: '' });
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535])(
    'may not have the code %d: §7.4',
    (code) => {
      expect(() => readClose(payloadOf(code, ''), 'page')).toThrow(
        expect.objectContaining({ closeCode: 1002 }),
      );
      expect(mayBeSent(code)).toBe(false);
    },
  );

  it('may have neither half a code nor a reason that is not UTF-8', () => {
    expect(() => readClose(Buffer.from([3]), 'upstream')).toThrow(
      expect.objectContaining({ closeCode: 1002, side: 'upstream' }),
    );
    expect(() => readClose(payloadOf(1000, Buffer.from([0xc3, 0x28])), 'page')).toThrow(
      expect.objectContaining({ closeCode: 1007 }),
    );
  });

  it('is written with as much of a reason as fits, in whole characters', () => {
    for (const isMasked of [false, true]) {
      const [frame] = new FrameReader().read(encodeClose(1012, `a${'é'.repeat(100)}`, isMasked));
      expect(frame).toMatchObject({ opcode: 8, isFinal: true });
      const { code, text } = readClose(frame?.payload ?? Buffer.alloc(0), 'page');
      expect([code, text]).toEqual([1012, `a${'é'.repeat(61)}`]);
    }
  });
});
