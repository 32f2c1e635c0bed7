import { Duplex } from 'node:stream';
import { decodeBeat, encodeBeat, mayBeginBeat } from '@wirebeat/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../../core/test/simulation.ts';
import { FrameError } from '../../../src/gateway/frames/frame-error.ts';
import { FramePipe, type FramePipePort } from '../../../src/gateway/tunnel/frame-pipe.ts';
import { type FrameParts, FrameReader, frameOf, MASK, type SeenFrame } from '../frames.ts';

/** A socket whose two directions the tests inspect. It takes nothing while it is `full`. */
class Wire extends Duplex {
  readonly written: Buffer[] = [];
  #full: (() => void)[] | undefined;

  set full(isFull: boolean) {
    const waiting = this.#full ?? [];
    this.#full = isFull ? [] : undefined;
    for (const done of waiting) done();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    if (this.#full === undefined) done();
    else this.#full.push(done);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }
}

const WATCH_NOTHING: FramePipePort = {
  receiveText: () => false,
  receiveControl: () => false,
  closed: () => {},
};

function flowOf(watcher: Partial<FramePipePort> = {}, side: 'page' | 'upstream' = 'page') {
  const [source, sink] = [new Wire(), new Wire()];
  const ends = { side, source, sink, maxMessageBytes: Number.POSITIVE_INFINITY };
  return { flow: new FramePipe(ends, { ...WATCH_NOTHING, ...watcher }), source, sink };
}

const page = (parts: FrameParts) => frameOf({ mask: MASK, ...parts });

/** What may come from a page: whole messages, messages in fragments with control frames between, beats. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(
    '',
    '\u0005',
    'wb',
    '\u0005wb',
    '\u0006wb.1',
    '.2',
    '\u0005no beat',
    '{"json":true}',
  ),
);
const control = fc.record({
  opcode: fc.constantFrom(9, 10),
  payload: fc.uint8Array({ maxLength: 125 }),
});
const message = fc
  .record({
    opcode: fc.constantFrom(1, 2),
    parts: fc.array(payload, { minLength: 1, maxLength: 4 }),
  })
  .chain(({ opcode, parts }) =>
    fc
      .array(control, { minLength: parts.length - 1, maxLength: parts.length - 1 })
      .map((between) =>
        parts.flatMap((part, index): FrameParts[] => [
          ...(index > 0 ? [between[index - 1] as FrameParts] : []),
          { opcode: index === 0 ? opcode : 0, payload: part, isFinal: index === parts.length - 1 },
        ]),
      ),
  );
const stream = fc.array(
  fc.oneof(
    message,
    control.map((frame) => [frame]),
  ),
  { maxLength: 12 },
);
const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 });

/** The same bytes in pieces of these lengths, again and again. */
function piecesOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index += 1) {
    const end = at + (lengths[index % lengths.length] as number);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** What a receiver of messages sees: each when its last fragment has come, and control frames between. */
function eventsOf(frames: readonly SeenFrame[]): { opcode: number; payload: string }[] {
  const events: { opcode: number; payload: string }[] = [];
  let open: { opcode: number; payload: string } | undefined;
  for (const { opcode, isFinal, payload: its } of frames) {
    const text = its.toString('latin1');
    if (opcode >= 8) events.push({ opcode, payload: text });
    else {
      open =
        open === undefined ? { opcode, payload: text } : { ...open, payload: open.payload + text };
      if (!isFinal) continue;
      events.push(open);
      open = undefined;
    }
  }
  return events;
}

const isBeat = ({ opcode, payload: its }: { opcode: number; payload: string }) =>
  opcode === 1 && decodeBeat(its) !== undefined;

/** Whether fragments of it are held: it begins as a beat does, or does not begin yet. */
const mayBeHeld = ([first, ...rest]: readonly FrameParts[]) => {
  const bytes = Buffer.from((first?.payload ?? '') as string);
  return rest.length > 0 && first?.opcode === 1 && (bytes.length === 0 || mayBeginBeat(bytes[0]));
};

const seenOf = (frames: readonly FrameParts[]) =>
  new FrameReader().read(Buffer.concat(frames.map(page)));

describe.each(['page', 'upstream'] as const)('a heartbeat message of a %s', (side) => {
  const beat = fc.record({
    type: fc.constantFrom('ping' as const, 'pong' as const),
    id: fc.option(fc.stringMatching(/^[\w-]{1,16}$/), { nil: undefined }),
    values: fc.dictionary(fc.constantFrom('retryAfter', 'by', 'session'), fc.constant('600000')),
  });
  const mask = side === 'page' ? MASK : undefined;

  it('is taken out however it was fragmented, with control frames and empty fragments between', () => {
    const at = fc.array(fc.nat(125), { maxLength: 140 });
    fc.assert(
      fc.property(
        beat,
        at,
        fc.array(control, { maxLength: 5 }),
        cuts,
        (its, places, controls, lengths) => {
          const text = encodeBeat(its);
          const ends = places.map((place) => Math.min(place, text.length)).sort((a, b) => a - b);
          const parts = [...ends, text.length].map((end, index) =>
            text.slice(ends[index - 1] ?? 0, end),
          );
          const frames = parts.flatMap((payload, index): FrameParts[] => [
            { opcode: index === 0 ? 1 : 0, payload, isFinal: index === parts.length - 1 },
            ...(index < parts.length - 1 ? controls.slice(index, index + 1) : []),
          ]);
          const texts: string[] = [];
          const { flow, sink } = flowOf({ receiveText: (came) => texts.push(came) > 0 }, side);
          const bytes = Buffer.concat(
            frames.map((frame) => frameOf({ ...frame, ...(mask && { mask }) })),
          );
          for (const piece of piecesOf(bytes, lengths)) flow.read(piece);
          expect(texts).toEqual([text]);
          const left = frames.filter(({ opcode }) => opcode >= 8);
          expect(
            sink.bytes.equals(
              Buffer.concat(left.map((frame) => frameOf({ ...frame, ...(mask && { mask }) }))),
            ),
          ).toBe(true);
          flow.read(frameOf({ opcode: 1, payload: 'next', ...(mask && { mask }) }));
          expect(new FrameReader().read(sink.bytes).at(-1)).toMatchObject({
            opcode: 1,
            isFinal: true,
          });
        },
      ),
      settings,
    );
  });

  it('is taken out behind any number of empty fragments, and only a few of them are kept', () => {
    const texts: string[] = [];
    const receiveText = (text: string) => decodeBeat(text) !== undefined && texts.push(text) > 0;
    const { flow, sink } = flowOf({ receiveText }, side);
    const send = (parts: FrameParts) => flow.read(frameOf({ ...parts, ...(mask && { mask }) }));
    send({ opcode: 1, payload: '\u0005wb', isFinal: false });
    for (let count = 0; count < 10_000; count += 1) send({ opcode: 0, isFinal: false });
    send({ opcode: 0, payload: ';by=gateway' });
    expect([texts, sink.bytes.length]).toEqual([['\u0005wb;by=gateway'], 0]);
    send({ opcode: 1, payload: '\u0005wb', isFinal: false });
    for (let count = 0; count < 10_000; count += 1) send({ opcode: 0, isFinal: false });
    send({ opcode: 0, payload: ' is no beat' });
    expect(sink.bytes.length).toBeLessThan(2_000);
    expect(eventsOf(new FrameReader().read(sink.bytes))).toEqual([
      { opcode: 1, payload: '\u0005wb is no beat' },
    ]);
  });
});

describe('FramePipe', () => {
  it('passes every byte on unchanged, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, lengths) => {
        const { flow, sink } = flowOf();
        const bytes = Buffer.concat(messages.flat().map(page));
        for (const piece of piecesOf(bytes, lengths)) flow.read(piece);
        if (!messages.some(mayBeHeld)) expect(sink.bytes.equals(bytes)).toBe(true);
        // A control frame may go ahead of fragments that were held, which no message shows.
        const [came, left] = [seenOf(messages.flat()), new FrameReader().read(sink.bytes)];
        const isData = ({ opcode }: SeenFrame) => opcode < 8;
        expect(left.filter(isData)).toEqual(came.filter(isData));
        expect(eventsOf(left)).toEqual(eventsOf(came));
        expect(flow.frames).toBe(messages.flat().length);
      }),
      settings,
    );
  });

  it('takes out what the port claims, and nothing else', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, lengths) => {
        const taken: string[] = [];
        const { flow, sink } = flowOf({
          receiveText: (text) => decodeBeat(text) !== undefined && taken.push(text) > 0,
          receiveControl: (opcode) => opcode === 10,
        });
        const frames = messages.flat();
        for (const piece of piecesOf(Buffer.concat(frames.map(page)), lengths)) flow.read(piece);
        const came = eventsOf(seenOf(frames));
        const left = eventsOf(new FrameReader().read(sink.bytes));
        expect(left).toEqual(came.filter((event) => event.opcode !== 10 && !isBeat(event)));
        expect(taken).toEqual(came.filter(isBeat).map(({ payload: its }) => its));
      }),
      settings,
    );
  });

  it('inserts frames between frames, and messages between messages: §5.4', () => {
    const ping = frameOf({ opcode: 9, payload: 'ours' });
    const beat = frameOf({ opcode: 1, payload: 'our message' });
    fc.assert(
      fc.property(stream, cuts, (messages, lengths) => {
        const { flow, sink } = flowOf({}, 'upstream');
        const frames = messages.flat();
        const bytes = Buffer.concat(frames.map(frameOf));
        const pieces = piecesOf(bytes, lengths);
        for (const piece of pieces) {
          flow.insert(ping);
          flow.insert(beat, { isMessage: true });
          flow.read(piece);
        }
        const seen = new FrameReader().read(sink.bytes);
        const ours = (text: string) =>
          seen.filter((frame) => String(frame.payload) === text).length;
        expect([ours('ours'), ours('our message')]).toEqual([pieces.length, pieces.length]);
        let isWithin = false;
        for (const { opcode, isFinal } of seen) {
          if (opcode >= 8) continue;
          expect(opcode === 0).toBe(isWithin);
          isWithin = !isFinal;
        }
        const theirs = seen.filter(({ payload: its }) => !String(its).startsWith('our'));
        const sent = new FrameReader().read(bytes);
        const others = sent.filter(({ payload: its }) => !String(its).startsWith('our'));
        expect(eventsOf(theirs)).toEqual(eventsOf(others));
      }),
      settings,
    );
  });

  it('keeps the later of two frames for the same slot', () => {
    const { flow, sink } = flowOf({}, 'upstream');
    flow.read(frameOf({ opcode: 1, payload: 'long', claimed: 10 }));
    const pong = (text: string) => frameOf({ opcode: 10, payload: text });
    flow.insert(pong('first'), { slot: 'pong' });
    flow.insert(frameOf({ opcode: 9 }), { slot: 'ping' });
    flow.insert(pong('second'), { slot: 'pong' });
    flow.read(Buffer.from(' enough'.slice(1)));
    const seen = new FrameReader().read(sink.bytes).map(({ payload: its }) => String(its));
    expect(seen).toEqual(['longenough', 'second', '']);
  });

  it('passes on what came before a fault, and nothing of the fault', () => {
    const { flow, sink } = flowOf();
    const good = page({ opcode: 1, payload: 'good' });
    const bad = page({ opcode: 1, payload: 'bad', reserved: 0x40 });
    expect(() => flow.read(Buffer.concat([good, bad]))).toThrow(FrameError);
    expect(sink.bytes.equals(good)).toBe(true);
  });

  it('passes a Close frame on, reports it, and passes nothing on after it: §5.5.1', () => {
    let bytesAtEnd = -1;
    const { flow, sink } = flowOf({
      closed: () => (bytesAtEnd = sink.bytes.length + sink.writableLength),
    });
    const close = page({ opcode: 8, payload: '\u0003\u00e8' });
    flow.read(Buffer.concat([close, page({ opcode: 1, payload: 'late' })]));
    flow.read(page({ opcode: 1, payload: 'later' }));
    flow.insert(frameOf({ opcode: 9 }));
    expect(sink.bytes.equals(close)).toBe(true);
    expect(bytesAtEnd).toBe(close.length);
    expect(flow.isShut).toBe(true);
  });

  it('is shut by a frame, but not in the middle of another', () => {
    const close = frameOf({ opcode: 8 });
    const { flow, sink } = flowOf({}, 'upstream');
    const other = flowOf({}, 'upstream');
    expect(flow.shut(close)).toBe(true);
    expect(sink.bytes.equals(close)).toBe(true);
    const half = frameOf({ opcode: 2, payload: 'half', claimed: 8 });
    other.flow.read(half);
    expect(other.flow.shut(close)).toBe(false);
    expect(other.sink.bytes.equals(half)).toBe(true);
  });

  it('passes on half of a possible heartbeat message before the Close frame behind it', () => {
    const { flow, sink } = flowOf();
    const half = page({ opcode: 1, payload: '\u0005wb', isFinal: false });
    const close = page({ opcode: 8, payload: '\u0003\u00e8' });
    flow.read(Buffer.concat([half, close]));
    expect(sink.bytes.equals(Buffer.concat([half, close]))).toBe(true);
  });

  it('inserts nothing while the other end accepts nothing, and then the latest of each slot', () => {
    const { flow, sink } = flowOf({}, 'upstream');
    sink.full = true;
    flow.read(frameOf({ opcode: 2, payload: Buffer.alloc(100_000) }));
    const before = sink.writableLength;
    for (let count = 1; count <= 1_000; count += 1) {
      flow.insert(frameOf({ opcode: 1, payload: `pong ${count}` }), {
        isMessage: true,
        slot: 'pong',
      });
    }
    expect(sink.writableLength).toBe(before);
    sink.full = false;
    flow.drained();
    const [, ...seen] = new FrameReader().read(sink.bytes);
    expect(seen.map(({ payload: its }) => String(its))).toEqual(['pong 1000']);
  });

  it('reads nothing while the other end accepts nothing, and continues when it does', () => {
    const { flow, source, sink } = flowOf();
    const big = page({ opcode: 2, payload: Buffer.alloc(100_000) });
    sink.full = true;
    flow.read(page({ opcode: 2, payload: Buffer.alloc(1_000) }));
    expect([flow.isPaused, source.isPaused()]).toEqual([false, false]);
    flow.read(big);
    expect([flow.isPaused, source.isPaused()]).toEqual([true, true]);
    sink.full = false;
    flow.drained();
    expect([flow.isPaused, source.isPaused()]).toEqual([false, false]);
  });

  it('goes on reading while the other end still accepts bytes, however many it holds', () => {
    const [source, sink] = [new Wire(), new Wire({ writableHighWaterMark: 1 << 20 })];
    const ends = { side: 'page', source, sink, maxMessageBytes: Number.POSITIVE_INFINITY } as const;
    const flow = new FramePipe(ends, WATCH_NOTHING);
    sink.full = true;
    flow.read(page({ opcode: 2, payload: Buffer.alloc(100_000) }));
    expect(flow.isPaused).toBe(false); // no `drain` would come
    flow.read(page({ opcode: 2, payload: Buffer.alloc(1 << 20) }));
    expect(flow.isPaused).toBe(true);
  });
});
