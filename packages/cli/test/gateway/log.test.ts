import { describe, expect, it } from 'vitest';
import { lineOf } from '../../src/gateway/log.ts';

const LOOK = { bad: (text: string) => `red(${text})` };
const NOW = new Date('2026-01-02T03:04:05.678Z');
const END = {
  event: 'end',
  connection: 7,
  path: '/live',
  code: 1006,
  text: '',
  evidence: 'page: it left',
  error: undefined,
};

describe('lineOf', () => {
  it('writes an entry as a line of JSON with the time', () => {
    expect(lineOf(END, 'json', LOOK, NOW)).toBe(
      '{"time":"2026-01-02T03:04:05.678Z","event":"end","connection":7,"path":"/live","code":1006,"text":"","evidence":"page: it left"}',
    );
  });

  it('writes an entry for people, without empty values', () => {
    expect(lineOf(END, 'pretty', LOOK, NOW)).toBe(
      '03:04:05.678 end          connection=7 path=/live code=1006 evidence="page: it left"',
    );
  });

  it('marks bad news for people', () => {
    expect(lineOf({ event: 'dead' }, 'pretty', LOOK, NOW)).toMatch(/^red\(/);
    expect(lineOf({ event: 'open' }, 'pretty', LOOK, NOW)).not.toMatch(/red/);
  });

  it.each(['json', 'pretty'] as const)('escapes what a peer has sent: %s', (format) => {
    const line = lineOf(
      { event: 'end', text: 'bye\u001b[2J\n{"event":"x"}\u2028' },
      format,
      LOOK,
      NOW,
    );
    expect(line).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(line.split('\n')).toHaveLength(1);
  });
});
