import { cut } from './cut.ts';
import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectBeat, DialectSession, DialectTiming } from './dialect.ts';

/** Ends each record, and so separates records that share a message. */
const SEPARATOR = '\u001e';
const BEAT = '{"type":6}';
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
export const signalR: Dialect = /* @__PURE__ */ defineDialect({
  name: 'signalr',
  client: { asks: false, beats: true },
  server: { asks: false, beats: true },
  inject: 'order',
  open: (_end, isShared = false) => openSession(isShared),
  cut,
});

function openSession(isShared: boolean): DialectSession {
  let ready = false;
  let isWithinRecord = false; // the last message ended in the middle of one
  let isSendingRecord = false; // the application's last message did
  return {
    get ready() {
      return ready;
    },
    get timing() {
      return ready ? TIMING : {};
    },
    get isMidMessage() {
      return isSendingRecord;
    },
    ping: () => (ready && !isSendingRecord ? BEAT + SEPARATOR : undefined),
    receive(message) {
      if (typeof message !== 'string') return undefined;
      const records = message.split(SEPARATOR);
      // The handshake response is an empty object; `{"error":…}` in its place ends the connection.
      if (records[0] === '{}') ready = true;
      const isBeat = (record: string, index: number) => {
        const isWhole = index < records.length - 1 && !(index === 0 && isWithinRecord);
        return isWhole && record === BEAT;
      };
      const left = records.filter((record, index) => !isBeat(record, index));
      const beats = records.filter(isBeat).map((): DialectBeat => ({ kind: 'beat' }));
      if (records.length > 1 || message !== '') isWithinRecord = records.at(-1) !== '';
      if (beats.length === 0) return undefined;
      return { beats, rest: isShared ? message : left.join(SEPARATOR) || undefined };
    },
    sent(message) {
      if (typeof message === 'string' && message !== '') {
        if (message.startsWith(`{}${SEPARATOR}`)) ready = true; // the response of a server
        isSendingRecord = !message.endsWith(SEPARATOR);
      }
      return undefined;
    },
  };
}
