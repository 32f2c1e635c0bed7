import { cut } from './cut.ts';
import type { Dialect, DialectTiming } from './dialect.ts';
import { define, listening } from './dialect-connection.ts';
import type { Grammar } from './messages.ts';
import { streamSession, type UnitReader } from './streams.ts';
import { textOf } from './wire.ts';

/** Ends each record, and so separates records that share a message. */
const SEPARATOR = '\u001e';
const HANDSHAKE = `{}${SEPARATOR}`;
const BEAT = `{"type":6}${SEPARATOR}`;
/** Both ends send a beat if they sent nothing else for this long. */
const PING_INTERVAL = 15_000;
/** Both ends time out after this time without any message. */
const MAX_SILENCE = 30_000;
const TIMING: DialectTiming = { pingInterval: PING_INTERVAL, maxSilence: MAX_SILENCE };

/**
 * SignalR with its JSON protocol: both ends send `{"type":6}` when they are idle, without an
 * answer. Latency cannot be measured.
 *
 * Source: the SignalR hub protocol, sections "Ping Message Encoding" and "JSON Encoding".
 */
export const signalR: Dialect = /* @__PURE__ */ define(
  {
    name: 'signalr',
    client: { asks: false, beats: true },
    server: { asks: false, beats: true },
    inject: 'order',
    open: (_end, isShared) => streamSession(GRAMMAR, isShared, recordReader(), recordReader()),
    cut,
  },
  textOf,
  listening,
);

const GRAMMAR: Grammar<string> = {
  write: () => BEAT,
  read: (record) => (record === BEAT ? { kind: 'beat' } : undefined),
  learn(record, learned) {
    // The handshake response is an empty object; `{"error":…}` in its place ends the connection.
    if (learned.ready || record !== HANDSHAKE) return;
    learned.ready = true;
    learned.timing = TIMING;
  },
  ready: false,
};

/** Finds records. A beat is never split over two messages. */
function recordReader(): UnitReader<string> {
  let isWithin = false; // the last message ended in the middle of a record
  return {
    get isWithin() {
      return isWithin;
    },
    read(message, decide) {
      if (typeof message !== 'string') return message;
      const records = message.split(SEPARATOR).map((record) => record + SEPARATOR);
      const end = records.pop()?.slice(0, -1); // the beginning of a record, or nothing
      if (end) records.push(end);
      const left = records.filter((record) => {
        const isWhole = !isWithin;
        isWithin = !record.endsWith(SEPARATOR);
        return !(isWhole && decide(record));
      });
      return left.length === records.length ? message : left.join('') || undefined;
    },
  };
}
