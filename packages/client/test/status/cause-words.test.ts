import { expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { causeWords } from '../../src/status/cause-words.ts';

it.each([
  [{}, 'The server could not be reached.'],
  [{ wasOpen: true }, 'The connection was interrupted.'],
  [{ reason: 'ping-timeout', wasOpen: true }, 'The server stopped answering.'],
  [{ reason: 'peer-close', code: 1000 }, 'The server closed the connection.'],
  [{ reason: 'peer-close', code: 1012 }, 'The server is restarting.'],
  [{ reason: 'fatal', code: 4401 }, 'The server refused the connection.'],
] as const)('says of %o: %s', (record, sentence) => {
  expect(causeWords({ ...NEVER_DIALLED, ...record })).toBe(sentence);
});
