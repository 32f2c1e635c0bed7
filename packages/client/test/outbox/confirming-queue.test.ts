import { runInNewContext } from 'node:vm';
import { QueueOverflowError } from '@wirebeat/core';
import { describe, expect, it } from 'vitest';
import { ConfirmingQueue } from '../../src/outbox/confirming-queue.ts';
import { sendable } from '../../src/outbox/messages.ts';
import type { QueueBounds } from '../../src/outbox/queue-bounds.ts';

function queueOf(maxQueuedBytes: number, bounds: Partial<QueueBounds> = {}): ConfirmingQueue {
  const maxQueuedMessages = Number.POSITIVE_INFINITY;
  return new ConfirmingQueue({
    maxQueuedBytes,
    maxQueuedMessages,
    queuePolicy: 'error',
    ...bounds,
  });
}

describe('ConfirmingQueue', () => {
  it('gives back all messages, in order, once', () => {
    const queue = queueOf(100);
    for (const message of ['a', '', 'b', 'a']) queue.push(message);
    expect(queue.drain()).toEqual(['a', '', 'b', 'a']);
    expect(queue.drain()).toEqual([]);
    queue.push('c');
    expect(queue.drain()).toEqual(['c']);
  });

  it.each([
    ['text, in UTF-8', 'aé€😀', 10],
    ['half a letter, as the U+FFFD that is sent', '\ud83d', 3],
    ['nothing', '', 0],
    ['an ArrayBuffer', new ArrayBuffer(7), 7],
    ['a view, without what is beside it', new Uint16Array(new ArrayBuffer(32), 4, 3), 6],
    ['a DataView', new DataView(new ArrayBuffer(9), 2), 7],
    ['a Buffer', Buffer.from('abc'), 3],
    ['a Blob', new Blob(['abcd']), 4],
  ])('counts the bytes of %s', (_, message, bytes) => {
    const queue = queueOf(100);
    queue.push('x');
    queue.push(message);
    expect(queue.bytes).toBe(1 + bytes);
    queue.drain();
    expect(queue.bytes).toBe(0);
  });

  it('takes what just fits, and throws at what does not; what is queued stays queued', () => {
    const queue = queueOf(4);
    queue.push('abc');
    const overflow = () => queue.push('de');
    expect(overflow).toThrow(QueueOverflowError);
    expect(overflow).toThrow(expect.objectContaining({ maxQueuedBytes: 4 }));
    expect(queue.bytes).toBe(3);
    queue.push('d');
    expect(() => queue.push('e')).toThrow(QueueOverflowError);
    queue.push('');
    expect(queue.drain()).toEqual(['abc', 'd', '']);
    queue.push('next');
    expect(queue.bytes).toBe(4);
  });

  it('takes no message that has bytes with a bound of 0, and any with Infinity', () => {
    expect(() => queueOf(0).push('a')).toThrow(QueueOverflowError);
    const queue = queueOf(Number.POSITIVE_INFINITY);
    for (let times = 0; times < 100; times += 1) queue.push('x'.repeat(1_000));
    expect(queue.bytes).toBe(100_000);
  });

  it('keeps binary messages as they were when they were pushed', () => {
    const queue = queueOf(100);
    const bytes = new Uint8Array([1, 2, 3, 4]);
    queue.push(bytes.buffer);
    queue.push(bytes);
    queue.push(bytes.subarray(1, 3));
    queue.push(new DataView(bytes.buffer, 2));
    queue.push(Buffer.from(bytes.buffer, 3));
    bytes.fill(0);
    const [buffer, ...views] = queue.drain();
    expect(buffer).toBeInstanceOf(ArrayBuffer);
    expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(new Uint8Array([1, 2, 3, 4]));
    expect(views).toEqual([
      new Uint8Array([1, 2, 3, 4]),
      new Uint8Array([2, 3]),
      new Uint8Array([3, 4]),
      new Uint8Array([4]),
    ]);
  });

  it('keeps what has been detached as nothing, as a WebSocket sends it', () => {
    const queue = queueOf(100);
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    queue.push(buffer);
    expect(queue.drain()).toEqual([new Uint8Array(0)]);
  });

  it('keeps a Blob as it is: nobody can change it', () => {
    const queue = queueOf(100);
    const blob = new Blob(['abcd']);
    queue.push(blob);
    expect(queue.drain()[0]).toBe(blob);
  });

  it.each([
    ['an array, which a WebSocket sends as text', [1, 2], 3],
    ['a number, which a WebSocket sends as text', 12, 2],
    ['null, which a WebSocket sends as text', null, 4],
  ])('stays bounded when it is given %s', (_, message, bytes) => {
    const queue = queueOf(10);
    queue.push(message as never);
    expect(queue.bytes).toBe(bytes);
    expect(() => queue.push('x'.repeat(11 - bytes))).toThrow(QueueOverflowError);
  });

  describe('with a bound of messages', () => {
    const bounds = { maxQueuedMessages: 2 };

    it('counts them, empty ones too', () => {
      const queue = queueOf(100, bounds);
      expect(queue.push('')).toEqual([]);
      queue.push('a');
      expect(() => queue.push('')).toThrow(
        expect.objectContaining({ maxQueuedBytes: 100, maxQueuedMessages: 2 }),
      );
      expect(queue.drain()).toEqual(['', 'a']);
      queue.push('b');
    });

    it('drops the oldest by that policy, and says which', () => {
      const queue = queueOf(4, { ...bounds, queuePolicy: 'drop-oldest' });
      queue.push('a');
      queue.push('b');
      expect(queue.push('c')).toEqual(['a']); // of three
      expect(queue.push('def')).toEqual(['b']);
      expect(queue.push('ghi')).toEqual(['c', 'def']); // of seven bytes
      expect(queue.bytes).toBe(3);
      expect(queue.push('longer')).toEqual(['longer']); // it would not fit alone
      expect(queue.drain()).toEqual(['ghi']);
    });

    it('drops the newest by that policy', () => {
      const queue = queueOf(4, { ...bounds, queuePolicy: 'drop-newest' });
      queue.push('abc');
      expect(queue.push('de')).toEqual(['de']);
      expect(queue.push('d')).toEqual([]);
      expect(queue.push('')).toEqual(['']);
      expect(queue.drain()).toEqual(['abc', 'd']);
    });

    it.each(['drop-oldest', 'drop-newest'] as const)('of 0 takes none: %s', (queuePolicy) => {
      const queue = queueOf(100, { maxQueuedMessages: 0, queuePolicy });
      expect(queue.push('a')).toEqual(['a']);
      expect(queue.drain()).toEqual([]);
    });

    it('gives back what it dropped as it was when it was pushed', () => {
      const queue = queueOf(2, { queuePolicy: 'drop-newest' });
      const bytes = new Uint8Array([1, 2, 3]);
      const [dropped] = queue.push(bytes);
      bytes.fill(0);
      expect(dropped).toEqual(new Uint8Array([1, 2, 3]));
    });
  });

  it('counts for ever the bytes of what is lost', () => {
    const queue = queueOf(100);
    queue.lose('é');
    queue.push('abc');
    queue.drain();
    expect(queue.bytes).toBe(2);
  });
});

describe('sendable', () => {
  it('leaves bytes as they are, of whatever realm', () => {
    const bytes = new Uint8Array(1);
    const foreign = runInNewContext(
      '[new Uint8Array(2), new DataView(new ArrayBuffer(1)), new ArrayBuffer(3)]',
    );
    const blobs = [new Blob(['a']), new File(['a'], 'name'), new OtherBlob()];
    for (const data of [...blobs, bytes, bytes.buffer, Buffer.from('a'), ...foreign]) {
      expect(sendable(data)).toBe(data);
    }
  });

  it('makes text of all else, as the standard does', () => {
    const others: unknown[] = [
      'text',
      1,
      null,
      undefined,
      {},
      [1, 2],
      { toString: () => 'named' },
      { size: 3, type: 'round' },
      { byteLength: 3, byteOffset: 0, buffer: new ArrayBuffer(3) },
      new Map([[1, 2]]),
      new Set('ab'),
      new SharedArrayBuffer(8),
      Object.assign(() => {}, { size: 3, toString: () => 'function' }),
    ];
    for (const data of others) expect(sendable(data)).toBe(String(data));
  });

  it('throws at once at what is neither', () => {
    for (const data of [Symbol('no text'), Object.create(null), { toString: () => ({}) }]) {
      expect(() => sendable(data)).toThrow(TypeError);
    }
  });

  it('throws at memory that another thread may write to, or that may shrink, as the standard does', () => {
    const resizable = Reflect.construct(ArrayBuffer, [1, { maxByteLength: 2 }]) as ArrayBuffer;
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    for (const data of [shared, resizable, new Uint8Array(resizable)]) {
      expect(() => sendable(data)).toThrow(TypeError);
    }
  });
});

/** As another realm has it, jsdom for one: it is no instance of ours. */
class OtherBlob {
  readonly size = 3;
  readonly type = '';
  readonly [Symbol.toStringTag] = 'Blob';
}
