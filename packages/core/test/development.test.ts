import { expect, it } from 'vitest';
import { IS_DEVELOPMENT } from '../src/development.ts';

it('is on in the source, so that tests and Node get full sentences', () => {
  expect(IS_DEVELOPMENT).toBe(true);
});
