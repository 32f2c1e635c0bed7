import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { claimsOf, peersIn, rowsKeptIn, unnamedOptions } from '../../../scripts/figures.mjs';
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

describe('a figure of the comparison', () => {
  const rows = rowsKeptIn(
    keepIn(
      page,
      'recovery',
      tableOf(
        ['20 runs each', 'median', '× ours'],
        [
          ['wirebeat', '2.6 s', '1.0'],
          ['wirebeat with `resend: true`', '1.8 s', '0.7'],
          ['Python websockets 10.4 with 25 s and 20 s', '77.7 s', '29.9'],
        ],
      ),
    ),
  );
  const unnamed = (prose: string) =>
    claimsOf(prose, true).map((claim) => unnamedOptions(claim, rows));

  it('may be claimed as it is, if it was measured at the defaults', () => {
    expect(unnamed('Messages arrive again after 2.6 s.')).toEqual([undefined]);
  });

  it('needs the options beside it, if it was measured with some', () => {
    expect(unnamed('Messages arrive again after 1.8 s.')).toEqual(['`resend: true`']);
    expect(unnamed('With `resend` they arrive again after 1.8 s.')).toEqual([undefined]);
    expect(unnamed('It has `resend`. They arrive again after 1.8 s.')).toEqual(['`resend: true`']);
    expect(unnamed('Python takes 77.7 s, or 29.9 times as long.')).toEqual([
      '25 s and 20 s',
      '25 s and 20 s',
    ]);
    expect(unnamed('Python takes 77.7 s with 25 s and 20 s.')).toContain(undefined);
  });

  it('is one wherever a sentence names wirebeat and a peer', () => {
    const peers = peersIn(rowsKeptIn(page));
    expect(peers).toEqual(expect.arrayContaining(['partysocket', 'MQTT.js', 'Python websockets']));
    expect(
      claimsOf('It takes 1.8 s. wirebeat is back 3 s before partysocket.', false, peers),
    ).toMatchObject([{ claim: '3 s' }]);
  });

  it('has a row of wirebeat without options in each table that has wirebeat', () => {
    for (const name of names) {
      const [before, after] = page.split(
        `<!-- begin of what \`npm run compare -- ${name}\` writes -->`,
      );
      expect(before, name).not.toBe(page);
      const own = rowsKeptIn(`<!-- begin of what \`npm run x\` writes -->${after}`);
      const ours = own.filter((row) => /\bwirebeat\b/.test(row.name));
      expect(ours[0], name).toMatchObject({ options: undefined });
    }
  });
});
