import { cut } from './cut.ts';
import type { Dialect } from './dialect.ts';
import { asking, define, holding } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import type { Grammar } from './messages.ts';
import { streamSession, type UnitReader } from './streams.ts';
import { restOf, utf8Bytes, wireOf } from './wire.ts';

const PING = 'PING\r\n';
const PONG = 'PONG\r\n';
const BEATS = [PING, PONG];
/** The maximum length of a line in bytes: the limit of the server is 4 096. */
const MAX_LINE = 4_096;
const LF = 10;

/**
 * NATS over WebSockets: either end sends `PING` and the other answers `PONG`. The lines are one stream
 * of bytes, so a message may hold several of them, or a part of one.
 *
 * Source: the NATS client protocol, sections "PING/PONG" and "MSG".
 */
export const nats: Dialect = /* @__PURE__ */ define(
  {
    name: 'nats',
    client: { asks: true, beats: false },
    server: { asks: true, beats: false },
    inject: 'order',
    open: (_end, isShared) =>
      streamSession(inOrder(GRAMMAR), isShared, lineReader(true), lineReader()),
    cut,
  },
  wireOf,
  asking,
  holding,
);

const GRAMMAR: Grammar<string> = {
  write: () => bytesOf(PING),
  read(line) {
    if (line === PING) return { kind: 'ping', answer: bytesOf(PONG) };
    return line === PONG ? { kind: 'pong' } : undefined;
  },
};

function bytesOf(line: string): Uint8Array {
  return Uint8Array.from(line, (character) => character.charCodeAt(0));
}

/**
 * Finds the lines in a stream split into messages of any length, and skips the payloads. If it `holds`,
 * it holds back the beginning of a possible beat until the rest has come.
 */
function lineReader(holds?: boolean): UnitReader<string> {
  let line = '';
  let left = 0; // bytes of a payload that are to come
  let held: readonly number[] = []; // the beginning of a possible beat

  return {
    get isWithin() {
      return line !== '' || left > 0;
    },
    read(message, decide) {
      const isText = typeof message === 'string';
      if (holds && isText) return message; // a server sends binary messages
      const whole =
        held.length > 0 ? Uint8Array.from([...held, ...(message as Uint8Array)]) : message;
      held = [];
      const isTaken: boolean[] = [];
      let start = 0; // of the line being read
      const take = (end: number) => {
        for (; start < end; start += 1) isTaken[start] = true;
      };
      for (let at = 0; at < whole.length; ) {
        const code = isText ? message.charCodeAt(at) : (whole[at] as number);
        if (left > 0) {
          const bytes = isText ? utf8Bytes(code) : Math.min(left, whole.length - at);
          left -= bytes;
          at += isText ? 1 : bytes;
          continue;
        }
        if (line === '') start = at;
        at += 1;
        if (line.length < MAX_LINE) line += String.fromCharCode(code);
        if (code !== LF) continue;
        if (decide(line)) take(at);
        left = payloadBytes(line);
        line = '';
      }
      if (holds && line && BEATS.some((beat) => beat.startsWith(line))) {
        held = [...bytesOf(line)];
        take(whole.length);
        line = '';
      }
      return restOf(whole, isTaken);
    },
  };
}

/** Returns the number of bytes after a line: the payload and its line end. */
function payloadBytes(line: string): number {
  const [, length] = /^H?(?:MSG|PUB) .*?(\d{1,10})\r\n$/i.exec(line) ?? [];
  return length === undefined ? 0 : Number(length) + 2;
}
