import { cut } from './cut.ts';
import type { Dialect, DialectTiming } from './dialect.ts';
import { define, listening } from './dialect-connection.ts';
import type { Grammar } from './messages.ts';
import { streamSession, type UnitReader } from './streams.ts';
import { restOf, utf8Bytes, wireOf } from './wire.ts';

const BEAT = '\n';
const LF = 10;
const CR = 13;
const NUL = 0;
/** How many characters of a head are kept: enough for CONNECT and CONNECTED, which are read. */
const MAX_HEAD = 1_024;

/**
 * STOMP 1.1 and 1.2: both ends send a line feed between frames when they are idle, without an
 * answer. CONNECT and CONNECTED agree on the interval. Latency cannot be measured.
 *
 * Source: STOMP 1.2, sections "Heart-beating" and "Augmented BNF".
 */
export const stomp: Dialect = /* @__PURE__ */ define(
  {
    name: 'stomp',
    subprotocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'],
    client: { asks: false, beats: true },
    server: { asks: false, beats: true },
    inject: 'order',
    open: (end, isShared) =>
      streamSession(grammarOf(end === 'client'), isShared, frameReader(), frameReader()),
    cut,
  },
  wireOf,
  listening,
);

/** What an end offers, in ms: how often it can send, and how often it wants to receive; 0: never. */
type Offer = readonly [sends: number, wants: number];

function grammarOf(isClient: boolean): Grammar<string> {
  let client: Offer = [0, 0];
  return {
    write: () => BEAT,
    read: (unit) => (unit === BEAT ? { kind: 'beat' } : undefined),
    learn(head, learned) {
      const [, command] = /^(STOMP|CONNECT|CONNECTED)\r?\n/.exec(head) ?? [];
      if (!command) return;
      const [, sends, wants] = /\nheart-beat:(\d{1,9}),(\d{1,9})\r?\n/.exec(head) ?? [];
      const offer: Offer = [Number(sends ?? 0), Number(wants ?? 0)];
      if (command !== 'CONNECTED') {
        client = offer;
        return;
      }
      learned.ready = true;
      learned.timing = isClient ? timingOf(client, offer) : timingOf(offer, client);
    },
    ready: false,
  };
}

/** Each direction has the larger of what its sender can and its receiver wants. */
function timingOf([sends, wants]: Offer, [theirs, asked]: Offer): DialectTiming {
  return {
    ...(sends && asked && { pingInterval: Math.max(sends, asked) }),
    ...(theirs && wants && { maxSilence: 2 * Math.max(theirs, wants) }), // with room for delays
  };
}

/** Finds the heads of frames, and the line feeds between frames. Bodies are skipped, not kept. */
function frameReader(): UnitReader<string> {
  let head = ''; // of the frame; empty between frames
  let end = ''; // of the head, as far as it was received
  let left: number | undefined; // bytes of the body, if their number is known; undefined within the head
  return {
    get isWithin() {
      return head !== '';
    },
    read(message, decide) {
      const isTaken: boolean[] = [];
      for (let at = 0; at < message.length; at += 1) {
        const isText = typeof message === 'string';
        const code = isText ? message.charCodeAt(at) : (message[at] as number);
        if (head === '' && (code === LF || code === CR)) {
          if (code === LF && decide(BEAT)) isTaken[at] = true;
        } else if (left === undefined) {
          const character = String.fromCharCode(code);
          if (head.length < MAX_HEAD) head += character;
          end = (end + character).slice(-3);
          if (!/\n\r?\n$/.test(end)) continue;
          decide(head);
          left = Number(/\ncontent-length: *(\d{1,15})\r?\n/.exec(head)?.[1] ?? 0);
        }
        // STOMP 1.2: with a content-length the body may contain NUL; without one, NUL ends it.
        else if (left > 0) left -= isText ? utf8Bytes(code) : 1;
        else if (code === NUL) {
          head = end = '';
          left = undefined;
        }
      }
      return restOf(message, isTaken);
    },
  };
}
