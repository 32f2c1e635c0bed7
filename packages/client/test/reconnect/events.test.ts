import { expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { domEventOf, reportUnhandled } from '../../src/reconnect/events.ts';
import { reportedErrors } from '../reported-errors.ts';

it('makes the events that a WebSocket has, and custom events of all others', () => {
  const error = new Error('refused');
  const detail = { lateBy: 5 };
  expect(domEventOf('open')).toMatchObject({ type: 'open' });
  expect(domEventOf('error', error)).toMatchObject({ type: 'error', error });
  expect(domEventOf('close', { ...NEVER_DIALLED, text: 'bye' })).toMatchObject({
    type: 'close',
    code: 1006,
    reason: 'bye',
    wasClean: false,
  });
  expect(domEventOf('stall', detail)).toBeInstanceOf(CustomEvent);
  expect(domEventOf('stall', detail)).toMatchObject({ type: 'stall', detail });
});

it('reports an error as an unhandled rejection', async () => {
  expect(await reportedErrors(() => reportUnhandled('heard'))).toEqual(['heard']);
});
