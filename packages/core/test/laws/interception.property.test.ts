import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intercept } from '../../src/intercept/intercept.ts';
import { type Beat, encodeBeat } from '../../src/protocol/beat.ts';
import { FakeSocket } from '../../src/testing/fake-socket.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { isBeat } from '../beat-grammar.ts';
import { settings } from '../simulation.ts';

type Data = string | Uint8Array;

/** A socket of one of the three kinds, and what its application sees. */
interface Stage {
  readonly socket: Parameters<typeof intercept>[0];
  deliver(data: Data): void;
  /** Adds a listener of the application, which notes what it sees. */
  listen(seen: Data[]): void;
}

/** Its runtime dispatches by a method that can be overridden: undici's, and imitations. */
function dispatching(): Stage {
  const socket = new FakeSocket(new VirtualScheduler());
  return {
    socket,
    deliver: (data) => socket.dispatchEvent({ type: 'message', data }),
    listen: (seen) =>
      socket.addEventListener('message', (event) => seen.push((event as { data: Data }).data)),
  };
}

/** That of a page: its runtime dispatches by none. */
function paging(): Stage {
  const target = new EventTarget();
  const socket = Object.assign(target, { readyState: 1, send: () => {}, close: () => {} });
  return {
    socket,
    deliver: (data) =>
      EventTarget.prototype.dispatchEvent.call(target, new MessageEvent('message', { data })),
    listen: (seen) =>
      target.addEventListener('message', (event) => seen.push((event as MessageEvent<Data>).data)),
  };
}

/** That of `ws`: an emitter, whose text comes as bytes. */
function emitting(): Stage {
  const emitter = new EventEmitter();
  const socket = Object.assign(emitter, {
    readyState: 1,
    send: () => {},
    close: () => {},
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  return {
    socket,
    deliver: (data) =>
      emitter.emit(
        'message',
        typeof data === 'string' ? Buffer.from(data) : data,
        typeof data !== 'string',
      ),
    listen: (seen) =>
      emitter.on('message', (data: Buffer, isBinary: boolean) =>
        seen.push(isBinary ? data : data.toString()),
      ),
  };
}

const KINDS: [kind: string, create: () => Stage][] = [
  ['whose dispatchEvent can be overridden', dispatching],
  ['of a page', paging],
  ['that emits', emitting],
];

const WORD = [...'abcXYZ019_-'];
const word = (most: number) =>
  fc.string({ unit: fc.constantFrom(...WORD), minLength: 1, maxLength: most });
const key = fc.string({ unit: fc.constantFrom(...'abcXYZ'), minLength: 1, maxLength: 16 });
const beat: fc.Arbitrary<string> = fc
  .record<Beat>(
    {
      type: fc.constantFrom('ping', 'pong'),
      id: word(16),
      values: fc.dictionary(key, word(24), { maxKeys: 2 }),
    },
    { requiredKeys: ['type'] },
  )
  .map(encodeBeat);
/** A beat in which one character is another, is missing, or is one too many. */
const nearBeat = fc
  .tuple(beat, fc.nat(130), fc.nat(1), fc.constantFrom('', ';', '=', '.', 'a', '\u0005', '\n', 'é'))
  .map(([text, at, missing, more]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + more + text.slice(place + missing);
  });
const text = fc.oneof(
  fc.constantFrom('', '\u0005', '\u0006', '\u0005w', 'wb', '{"wb":1}', '\u0005wb'.padEnd(200, 'x')),
  fc.string({ unit: 'grapheme' }),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  beat.map((each): Uint8Array => new TextEncoder().encode(each)), // binary is no beat
);
const repeated = fc
  .tuple(beat, key, word(3))
  .map(([each, name, value]) => `${each};${name}=1;${name}=${value}`);
const stream = fc.array(fc.oneof(beat, nearBeat, repeated, text, bytes), { maxLength: 30 });

const isHidden = (data: Data) => typeof data === 'string' && isBeat(data);

describe('law 10: heartbeats never reach the application, its messages are never swallowed', () => {
  for (const [kind, create] of KINDS) {
    it(`hands on exactly what is no beat, untouched and in order: a socket ${kind}`, () => {
      fc.assert(
        fc.property(stream, fc.boolean(), (all, early) => {
          const { socket, deliver, listen } = create();
          const seen: Data[] = [];
          const shown: boolean[] = [];
          // Before a page's socket is attached to, no listener can be kept from its beats.
          if (early && create !== paging) listen(seen);
          intercept(socket, { receive: (beat) => shown.push(beat !== undefined) });
          if (!early || create === paging) listen(seen);
          for (const data of all) deliver(data);
          expect(seen).toEqual(all.filter((data) => !isHidden(data)));
          expect(shown).toEqual(all.map(isHidden));
        }),
        settings,
      );
    });

    it(`hides beats from when it begins until it ends: a socket ${kind}`, () => {
      fc.assert(
        fc.property(stream, stream, stream, (before, during, after) => {
          const { socket, deliver, listen } = create();
          const seen: Data[] = [];
          const all = [...before, ...during, ...after];
          const hidden = new Set<number>();
          let end = () => {};
          for (const [index, data] of all.entries()) {
            if (index === before.length) end = intercept(socket, { receive: () => {} });
            if (index === before.length + during.length) end();
            if (index === before.length) listen(seen);
            const isWatched = index >= before.length && index < before.length + during.length;
            if (isWatched && isHidden(data)) hidden.add(index);
            deliver(data);
          }
          const visible = all.filter((_, index) => index >= before.length && !hidden.has(index));
          expect(seen).toEqual(visible);
        }),
        settings,
      );
    });
  }
});
