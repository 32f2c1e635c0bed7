import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { keepIn, tableOf } from '../compare/document.mjs';

const page = readFileSync(new URL('../../../docs/comparison.md', import.meta.url), 'utf8');
const names = readdirSync(new URL('../compare/', import.meta.url))
  .filter((file) => file.endsWith('.compare.mjs'))
  .map((file) => file.replace('.compare.mjs', ''));

describe('docs/comparison.md', () => {
  it('has a place and a command for every comparison', () => {
    for (const name of names) expect(page).toContain(`npm run compare -- ${name}\n`);
    for (const name of names) expect(() => keepIn(page, name, '')).not.toThrow();
  });

  it('has a table of every comparison, with its date, its commit and its versions', () => {
    for (const name of names) {
      const without = keepIn(page, name, '');
      const [kept = ''] = page.split(`<!-- end of what \`npm run compare -- ${name}\``);
      expect(kept).toMatch(
        /\|\n\n(- .*\n)*\n?Measured: \d{4}-\d\d-\d\d; commit [0-9a-f]{7,}; Node \d.*\.\n\n$/,
      );
      expect(without.length).toBeLessThan(page.length);
    }
  });

  it('changes in the place of one comparison, and nowhere else', () => {
    const changed = keepIn(page, 'size', 'another text');
    expect(changed).toContain('another text');
    expect(keepIn(changed, 'size', 'one')).toBe(keepIn(page, 'size', 'one'));
    expect(() => keepIn(page, 'no such', '')).toThrow('no place for no such');
  });
});

describe('a table', () => {
  it('has its words to the left, its figures to the right', () => {
    expect(
      tableOf(
        ['', 'ms'],
        [
          ['one', 12.5],
          ['another', 7],
        ],
      ),
    ).toBe(
      ['|         |   ms |', '| ------- | ---: |', '| one     | 12.5 |', '| another |    7 |'].join(
        '\n',
      ),
    );
  });
});
