import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIALECTS } from '../src/dialect.ts';

describe.each(DIALECTS)('the dialect $name', (dialect) => {
  it('takes nothing for a pong that is none, and never throws', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom('', 'null', '[]'),
    );
    fc.assert(
      fc.property(text, (text) => {
        expect(dialect.isPong(text, 'id')).toBe(false);
      }),
      {
        examples: [['{"type":"ping"}'], ['"pong "'], ['[1,2,3,"phx_reply"]'], [dialect.ping('id')]],
      },
    );
  });
});
