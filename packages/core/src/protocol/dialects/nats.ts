import { cut } from './cut.ts';
import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectBeat, DialectSession, Wire } from './dialect.ts';
import { PingOwners } from './ping-owners.ts';
import { joinWire, utf8Bytes } from './wire.ts';

const PING = 'PING\r\n';
const PONG = 'PONG\r\n';
/** The maximum length of a line in bytes: the limit of the server is 4 096. */
const MAX_LINE = 4_096;
const LF = 10;

/**
 * NATS over WebSockets: either end sends `PING` and the other answers `PONG`. The lines are one stream
 * of bytes, so a message may hold several of them, or a part of one.
 *
 * Source: the NATS client protocol, sections "PING/PONG" and "MSG".
 */
export const nats: Dialect = /* @__PURE__ */ defineDialect({
  name: 'nats',
  client: { asks: true, beats: false },
  server: { asks: true, beats: false },
  inject: 'order',
  open: (_end, isShared = false) => openSession(isShared),
  cut,
});

function openSession(isShared: boolean): DialectSession {
  const owners = new PingOwners();
  const incoming = new LineReader();
  const outgoing = new LineReader();
  const beatOf = (line: string): DialectBeat | undefined => {
    if (line === PING) return { kind: 'ping', answer: isShared ? undefined : bytesOf(PONG) };
    if (line !== PONG) return undefined;
    const owner = owners.take();
    return { kind: 'pong', id: owner?.id, isOurs: owner?.isOurs === true };
  };
  return {
    ready: true,
    timing: {},
    get isMidMessage() {
      return outgoing.isWithinLine;
    },
    ping(id) {
      if (outgoing.isWithinLine || owners.isFull) return undefined;
      owners.add(id);
      return bytesOf(PING);
    },
    receive(message) {
      if (typeof message === 'string') return undefined; // a server sends binary messages
      const beats: DialectBeat[] = [];
      const rest = incoming.read(message, (line) => {
        const beat = beatOf(line);
        if (beat === undefined) return false;
        beats.push(beat);
        return !isShared || (beat.kind === 'pong' && beat.isOurs);
      });
      return beats.length === 0 && rest === message ? undefined : { beats, rest };
    },
    sent(message) {
      let id: string | undefined;
      outgoing.read(message, (line) => {
        if (line === PING) id = owners.addForeign();
        return false;
      });
      return id;
    },
  };
}

function bytesOf(line: string): Uint8Array {
  return Uint8Array.from(line, (character) => character.charCodeAt(0));
}

/** Finds the lines in a stream split into messages of any length, and skips the payloads. */
class LineReader {
  #line = '';
  #left = 0; // bytes of a payload that are to come
  #held: Wire[] = []; // the beginning of a possible beat

  get isWithinLine(): boolean {
    return this.#line !== '' || this.#left > 0;
  }

  /** Like the reader of MQTT packets: `decide` returns whether to take a line out. */
  read(message: Wire, decide: (line: string) => boolean): Wire | undefined {
    const isText = typeof message === 'string';
    const kept: Wire[] = [];
    let from = 0;
    let start = 0;
    for (let at = 0; at < message.length; ) {
      if (this.#left > 0) {
        at = this.#skip(message, at);
        continue;
      }
      if (this.#line === '') start = at;
      const code = isText ? message.charCodeAt(at) : (message[at] as number);
      at += 1;
      if (this.#line.length < MAX_LINE) this.#line += String.fromCharCode(code);
      if (code !== LF) continue;
      const line = this.#line;
      this.#line = '';
      this.#left = payloadBytes(line);
      const held = this.#held.splice(0);
      if (!decide(line)) {
        kept.push(...held);
        continue;
      }
      if (held.length === 0) kept.push(message.slice(from, start));
      from = at;
    }
    if (isBeginningOfBeat(this.#line)) {
      if (this.#held.length === 0) kept.push(message.slice(from, start));
      this.#held.push(message.slice(start));
      from = message.length;
    } else if (this.#line !== '') kept.unshift(...this.#held.splice(0));
    if (kept.length === 0 && from === 0) return message;
    return joinWire([...kept, message.slice(from)]);
  }

  /** Continues to read a payload. */
  #skip(message: Wire, at: number): number {
    if (typeof message === 'string') {
      this.#left -= utf8Bytes(message.charCodeAt(at));
      return at + 1;
    }
    const end = Math.min(message.length, at + this.#left);
    this.#left -= end - at;
    return end;
  }
}

function isBeginningOfBeat(line: string): boolean {
  return line !== '' && (PING.startsWith(line) || PONG.startsWith(line));
}

/** Returns the number of bytes after a line: the payload and its line end. */
function payloadBytes(line: string): number {
  const [, length] = /^H?(?:MSG|PUB) .*?(\d{1,10})\r\n$/i.exec(line) ?? [];
  return length === undefined ? 0 : Number(length) + 2;
}
