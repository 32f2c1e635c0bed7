// What only builds with sentences say. What it does is in reconnecting-websocket.ready.test.ts.
import { InvalidOptionError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { prepareWith } from '../../src/reconnect/prepare-with.ts';
import { dial, eventsOf, namesOf, settle } from '../stage.ts';

describe('prepareWith', () => {
  it('refuses what is no function', () => {
    expect(() => prepareWith('login' as never)).toThrow(InvalidOptionError);
    expect(() => prepareWith('login' as never)).toThrow('Expected `prepare` to be a function');
  });
});

describe('the option `ready`', () => {
  it('takes a function of your own for a failure, by an error that names prepareWith', async () => {
    const { scheduler, log } = dial('ws', { ready: (async () => {}) as never });
    scheduler.advance(30);
    await settle();
    scheduler.advance(1_000);
    expect(namesOf(log)).toEqual(['open', 'error', 'close', 'retry']);
    const message = expect.stringContaining('Expected `ready` to be what prepareWith() returns');
    expect(eventsOf(log, 'error')).toMatchObject([{ error: { message } }]);
  });
});
