import { QueueOverflowError, type SocketData } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { type Channel, Outbox } from '../../src/outbox/outbox.ts';
import type { QueueBounds } from '../../src/outbox/queue-bounds.ts';

const BOUNDS: QueueBounds = { maxQueuedBytes: 10, maxQueuedMessages: 4, queuePolicy: 'error' };

/** A connection, and what was sent on it. `hook` is called before each message. */
function channel(hook: (message: SocketData) => void = () => {}) {
  const sent: SocketData[] = [];
  const connection = {
    readyState: 1,
    send(message: SocketData) {
      hook(message);
      sent.push(message);
    },
  };
  return { sent, connection: connection as typeof connection & Channel };
}

describe('Outbox', () => {
  it('queues messages without a connection, and sends them in order on the next', () => {
    const outbox = new Outbox(BOUNDS);
    for (const message of ['a', 'bc']) expect(outbox.send(message)).toEqual([]);
    expect(outbox.bytes).toBe(3);
    const { sent, connection } = channel();
    outbox.sendFirst(connection, 'first');
    outbox.begin(connection);
    outbox.send('later');
    expect([sent, outbox.bytes]).toEqual([['first', 'a', 'bc', 'later'], 0]);
  });

  it('queues again once the connection has ended, or is closing', () => {
    const outbox = new Outbox(BOUNDS);
    const { sent, connection } = channel();
    outbox.begin(connection);
    connection.readyState = 2;
    outbox.send('a');
    expect(outbox.interrupt()).toEqual([]);
    outbox.send('b');
    expect([sent, outbox.bytes]).toEqual([[], 2]);
  });

  it('holds messages until they are released, or half of the queue is full', () => {
    const outbox = new Outbox(BOUNDS);
    const { sent, connection } = channel();
    outbox.begin(connection);
    outbox.hold(true);
    for (const message of ['a', 'b', 'c']) outbox.send(message);
    expect(sent).toEqual([]);
    outbox.send('d');
    expect(sent).toEqual(['a', 'b', 'c', 'd']);
    outbox.hold(true);
    outbox.send('e');
    outbox.hold(false);
    expect(sent.at(-1)).toBe('e');
  });

  it.each([
    ['drop-oldest', ['a'], ['b', 'c', 'd', 'e']],
    ['drop-newest', ['e'], ['a', 'b', 'c', 'd']],
  ] as const)('returns what it drops by %s', (queuePolicy, dropped, left) => {
    const outbox = new Outbox({ ...BOUNDS, queuePolicy });
    for (const message of ['a', 'b', 'c', 'd']) outbox.send(message);
    expect(outbox.send('e')).toEqual(dropped);
    expect(outbox.send('longer than ten bytes')).toEqual(['longer than ten bytes']);
    expect(outbox.end()).toEqual(left);
  });

  it('throws QueueOverflowError for what does not fit, and keeps the rest', () => {
    const outbox = new Outbox(BOUNDS);
    outbox.send('abcdefgh');
    expect(() => outbox.send('ijk')).toThrow(QueueOverflowError);
    expect(outbox.end()).toEqual(['abcdefgh']);
  });

  it('counts what is lost at the end and after it', () => {
    const outbox = new Outbox(BOUNDS);
    outbox.send('abc');
    outbox.end();
    outbox.lose('de');
    expect(outbox.bytes).toBe(5);
  });

  it('sends what a listener sends meanwhile behind the message, and all once', () => {
    const outbox = new Outbox(BOUNDS);
    const { sent, connection } = channel((message) => {
      if (message === 'a') outbox.send('b');
    });
    outbox.begin(connection);
    outbox.send('a');
    expect(sent).toEqual(['a', 'b']);
  });

  it('keeps a message if the connection changes while it is being sent', () => {
    const outbox = new Outbox(BOUNDS);
    const next = channel();
    const { connection } = channel(() => outbox.interrupt());
    outbox.send('a');
    outbox.begin(connection);
    outbox.begin(next.connection);
    expect(next.sent).toEqual(['a']);
  });

  it('reports a message that the socket refuses, and sends the others', () => {
    const refused: SocketData[] = [];
    const outbox = new Outbox(BOUNDS, (message) => refused.push(message));
    const { sent, connection } = channel((message) => {
      if (message === 'bad') throw new Error('no');
    });
    for (const message of ['bad', 'b']) outbox.send(message);
    outbox.begin(connection);
    outbox.send('bad');
    expect([refused, sent]).toEqual([['bad', 'bad'], ['b']]);
  });

  it('keeps a message if the socket closes by it', () => {
    const outbox = new Outbox(BOUNDS);
    const { connection } = channel(() => {
      connection.readyState = 3;
      throw new Error('closed');
    });
    outbox.begin(connection);
    outbox.send('a');
    expect(outbox.end()).toEqual(['a']);
  });
});
