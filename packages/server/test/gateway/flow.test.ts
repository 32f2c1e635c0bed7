import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../core/test/simulation.ts';
import { Flow, type FlowWatcher } from '../../src/gateway/flow.ts';
import { FrameError } from '../../src/gateway/frame-error.ts';
import { type FrameParts, FrameReader, frameOf, MASK } from './frames.ts';

/** A socket of which both directions are looked at. It takes nothing while it is `full`. */
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

const WATCH_NOTHING: FlowWatcher = {
  receiveText: () => false,
  receiveControl: () => false,
  closed: () => {},
};

function flowOf(watcher: Partial<FlowWatcher> = {}, side: 'page' | 'upstream' = 'page') {
  const [source, sink] = [new Wire(), new Wire()];
  const ends = { side, source, sink, maxMessageBytes: Number.POSITIVE_INFINITY };
  return { flow: new Flow(ends, { ...WATCH_NOTHING, ...watcher }), source, sink };
}

const page = (parts: FrameParts) => frameOf({ mask: MASK, ...parts });

/** What may come from a page: whole messages, messages in fragments with control frames between, beats. */
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('', '\u0005wb', '\u0006wb.1', '\u0005no beat', '{"json":true}'),
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

describe('Flow', () => {
  it('hands on every byte as it came, however it came in pieces', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, lengths) => {
        const { flow, sink } = flowOf();
        const bytes = Buffer.concat(messages.flat().map(page));
        for (const piece of piecesOf(bytes, lengths)) flow.read(piece);
        expect(sink.bytes.equals(bytes)).toBe(true);
        expect(flow.frames).toBe(messages.flat().length);
      }),
      settings,
    );
  });

  it('takes out what the watcher takes, and nothing else', () => {
    fc.assert(
      fc.property(stream, cuts, (messages, lengths) => {
        const taken: string[] = [];
        const { flow, sink } = flowOf({
          receiveText: (text) => text.startsWith('\u0005wb') && taken.push(text) > 0,
          receiveControl: (opcode) => opcode === 10,
        });
        const frames = messages.flat();
        const isTaken = ({ opcode, payload: its, isFinal = true }: FrameParts) =>
          opcode === 10 || (opcode === 1 && isFinal && String(its).startsWith('\u0005wb'));
        for (const piece of piecesOf(Buffer.concat(frames.map(page)), lengths)) flow.read(piece);
        const rest = Buffer.concat(frames.filter((frame) => !isTaken(frame)).map(page));
        expect(sink.bytes.equals(rest)).toBe(true);
        expect(taken).toHaveLength(
          frames.filter((frame) => frame.opcode === 1 && isTaken(frame)).length,
        );
      }),
      settings,
    );
  });

  it('puts frames in between frames, and messages in between messages: §5.4', () => {
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
        expect(theirs).toEqual(sent.filter(({ payload: its }) => !String(its).startsWith('our')));
      }),
      settings,
    );
  });

  it('keeps of two frames for the same slot the later one', () => {
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

  it('hands on what came before a fault, and nothing of it', () => {
    const { flow, sink } = flowOf();
    const good = page({ opcode: 1, payload: 'good' });
    const bad = page({ opcode: 1, payload: 'bad', reserved: 0x40 });
    expect(() => flow.read(Buffer.concat([good, bad]))).toThrow(FrameError);
    expect(sink.bytes.equals(good)).toBe(true);
  });

  it('hands on a Close frame, tells of it, and hands on nothing after it: §5.5.1', () => {
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

  it('reads nothing more while the other end takes nothing, and goes on when it does', () => {
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
});
