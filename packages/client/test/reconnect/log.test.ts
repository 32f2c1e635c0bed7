import { describe, expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { logTo } from '../../src/reconnect/log.ts';

describe('logTo', () => {
  it('logs trouble as warnings, and everything else for debugging', () => {
    const entries: unknown[][] = [];
    const log = logTo({
      debug: (...entry) => entries.push(['debug', ...entry]),
      warn: (...entry) => entries.push(['warn', ...entry]),
    });
    const error = new Error('refused');
    log('open');
    log('error', error);
    log('close', NEVER_DIALLED);
    expect(entries).toEqual([
      ['debug', 'wirebeat: open', undefined],
      ['warn', 'wirebeat: error', error],
      ['debug', 'wirebeat: close', NEVER_DIALLED],
    ]);
  });

  it('logs no messages of the application', () => {
    const entries: unknown[] = [];
    const log = logTo({ warn: (...entry) => entries.push(entry) });
    log('drop', { messages: ['secret'], reason: 'close' });
    expect(entries).toEqual([['wirebeat: drop', { count: 1, reason: 'close' }]]);
  });

  it('accepts a logger without all methods', () => {
    expect(() => logTo({})('open')).not.toThrow();
  });
});
