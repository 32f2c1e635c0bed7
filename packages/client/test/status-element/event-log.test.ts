import { describe, expect, it } from 'vitest';
import { statusOf } from '../../src/status/status.ts';
import { EventLog } from '../../src/status-element/event-log.ts';
import { ENGLISH } from '../../src/status-element/words.ts';
import { dial } from '../stage.ts';

/** A log of all that a socket does, which dials an address with a secret. */
function logged() {
  const { scheduler, socket, server } = dial('ws', {}, 'accept', 'ws://test/?token=secret');
  const store = statusOf(socket, { scheduler });
  const log = new EventLog();
  store.subscribe((status) => log.note(status, ENGLISH));
  return { scheduler, server, log, store };
}

describe('EventLog', () => {
  it('tells a loss and its end in words, each once', () => {
    const { scheduler, server, log } = logged();
    scheduler.advance(30);
    server.greeting = 'refuse';
    server.last.reset();
    scheduler.advance(255);
    server.greeting = 'accept';
    scheduler.advance(5_000);
    expect(log.events.map(({ text }) => text)).toEqual([
      'Trying to connect…',
      'Connected',
      'The connection was interrupted.',
      'Trying to connect…',
      'The server could not be reached.',
      'Trying to connect…',
      'Connected',
    ]);
  });

  it('keeps the last ten, and makes a report of them without the address', () => {
    const { scheduler, server, log, store } = logged();
    scheduler.advance(30);
    for (let n = 0; n < 6; n += 1) {
      server.last.reset();
      scheduler.advance(60_000);
    }
    expect(log.events).toHaveLength(10);
    const report = log.report(store.getSnapshot(), ENGLISH);
    expect(report.split('\n')).toHaveLength(13);
    expect(report).toMatch(
      /^Connected, 20 ms\nQuality: good, phase: open\nLast \d+ latencies: 20 to 20 ms\n/,
    );
    expect(report).not.toMatch(/secret|test/);
  });
});
