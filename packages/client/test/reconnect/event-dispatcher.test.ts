import { describe, expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { EventDispatcher, report } from '../../src/reconnect/event-dispatcher.ts';
import { reportedErrors } from '../reported-errors.ts';

function stage() {
  const told: unknown[][] = [];
  const target = new EventTarget();
  const logger = {
    debug: (...entry: unknown[]) => told.push(['debug', ...entry]),
    warn: (...entry: unknown[]) => told.push(['warn', ...entry]),
  };
  for (const name of ['open', 'close', 'error', 'retry', 'dead']) {
    target.addEventListener(name, (event) => told.push(['event', event]));
  }
  return { told, announcer: new EventDispatcher(target, logger) };
}

describe('EventDispatcher', () => {
  it('tells the log first, then the listeners', () => {
    const { told, announcer } = stage();
    const open = new Event('open');
    announcer.tell(open);
    expect(told).toEqual([
      ['debug', 'wirebeat: open', undefined],
      ['event', open],
    ]);
  });

  it('announces events with a detail, and shows the log what it may see', () => {
    const { told, announcer } = stage();
    announcer.announce('retry', { delay: 5 });
    announcer.announce('dead', 'secret', 'shown');
    expect(told[0]).toEqual(['debug', 'wirebeat: retry', { delay: 5 }]);
    expect(told[1]?.[1]).toBeInstanceOf(CustomEvent);
    expect(told[1]?.[1]).toMatchObject({ detail: { delay: 5 } });
    expect(told[2]).toEqual(['warn', 'wirebeat: dead', 'shown']);
    expect(told[3]?.[1]).toMatchObject({ detail: 'secret' });
  });

  it('tells of errors and ends as a WebSocket does', () => {
    const { told, announcer } = stage();
    const error = new Error('refused');
    announcer.failed(error);
    announcer.closed({ ...NEVER_DIALLED, text: 'bye' });
    expect(told[0]).toEqual(['warn', 'wirebeat: error', error]);
    expect(told[1]?.[1]).toMatchObject({ type: 'error', error });
    expect(told[2]).toMatchObject(['debug', 'wirebeat: close', { reason: 'abnormal' }]);
    expect(told[3]?.[1]).toMatchObject({ code: 1006, reason: 'bye', wasClean: false });
  });

  it('needs no log, nor all of its methods', () => {
    const target = new EventTarget();
    let events = 0;
    target.addEventListener('open', () => {
      events += 1;
    });
    new EventDispatcher(target, undefined).tell(new Event('open'));
    new EventDispatcher(target, {}).tell(new Event('open'));
    expect(events).toBe(2);
  });

  it('reports what the log throws, and tells the listeners all the same', async () => {
    const target = new EventTarget();
    let events = 0;
    target.addEventListener('open', () => {
      events += 1;
    });
    const debug = () => {
      throw new Error('disk full');
    };
    const errors = await reportedErrors(() =>
      new EventDispatcher(target, { debug }).tell(new Event('open')),
    );
    expect([events, ...errors.map(String)]).toEqual([1, 'Error: disk full']);
  });
});

describe('report', () => {
  it('is heard as an unhandled rejection', async () => {
    expect(await reportedErrors(() => report('heard'))).toEqual(['heard']);
  });
});
