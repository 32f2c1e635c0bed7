import { expect, it } from 'vitest';
import { IS_DEVELOPMENT, IS_PAGE } from '../src/development.ts';

it('knows no page in the source, so that sockets of servers are served', () => {
  expect(IS_PAGE).toBe(false);
});

it('is on in the source, so that tests and Node get full sentences', () => {
  expect(IS_DEVELOPMENT).toBe(true);
});
