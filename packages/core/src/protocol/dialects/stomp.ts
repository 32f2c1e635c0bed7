import { cut } from './cut.ts';
import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectBeat, DialectSession, DialectTiming, Wire } from './dialect.ts';
import { joinWire, utf8Bytes } from './wire.ts';

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
export const stomp: Dialect = /* @__PURE__ */ defineDialect({
  name: 'stomp',
  subprotocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'],
  client: { asks: false, beats: true },
  server: { asks: false, beats: true },
  inject: 'order',
  open: (end, isShared = false) => openSession(end === 'client', isShared),
  cut,
});

type Pair = readonly [sends: number, wants: number];

function openSession(isClient: boolean, isShared: boolean): DialectSession {
  let sent: Pair | undefined; // of our CONNECT, or CONNECTED at a server
  let received: Pair | undefined;
  let ready = false;
  const incoming = new FrameReader((head) => {
    received = heartBeatOf(head, isClient ? 'CONNECTED' : 'CONNECT') ?? received;
    if (isClient && head.startsWith('CONNECTED')) ready = true;
  });
  const outgoing = new FrameReader((head) => {
    sent = heartBeatOf(head, isClient ? 'CONNECT' : 'CONNECTED') ?? sent;
    if (!isClient && head.startsWith('CONNECTED')) ready = true;
  });
  return {
    get ready() {
      return ready;
    },
    get timing() {
      return ready ? timingOf(sent, received) : {};
    },
    get isMidMessage() {
      return outgoing.isWithinFrame;
    },
    ping: () => (ready && !outgoing.isWithinFrame ? '\n' : undefined),
    receive(message) {
      const { beats, rest } = incoming.read(message);
      if (beats === 0) return undefined;
      const list = Array.from({ length: beats }, (): DialectBeat => ({ kind: 'beat' }));
      return { beats: list, rest: isShared ? message : rest };
    },
    sent(message) {
      outgoing.read(message);
      return undefined;
    },
  };
}

/** Returns the larger of what one end can send and the other end wants; 0 means no heartbeat. */
function timingOf([sends, wants]: Pair = [0, 0], [theirs, asked]: Pair = [0, 0]): DialectTiming {
  const pingInterval = sends > 0 && asked > 0 ? Math.max(sends, asked) : 0;
  const heard = theirs > 0 && wants > 0 ? Math.max(theirs, wants) : 0;
  return {
    ...(pingInterval > 0 && { pingInterval }),
    ...(heard > 0 && { maxSilence: 2 * heard }), // the receiver should allow for delays
  };
}

function heartBeatOf(head: string, command: string): Pair | undefined {
  const [first, ...headers] = head.split(/\r?\n/);
  if (first !== command && !(command === 'CONNECT' && first === 'STOMP')) return undefined;
  const line = headers.find((header) => header.startsWith('heart-beat:')) ?? '';
  const [, sends, wants] = /^heart-beat:(\d{1,9}),(\d{1,9})$/.exec(line) ?? [];
  return [Number(sends ?? 0), Number(wants ?? 0)];
}

/** Finds the frames in messages, and the line feeds between them. Bodies are skipped, not kept. */
class FrameReader {
  readonly #learn: (head: string) => void;
  #part: 'between' | 'head' | 'body' = 'between';
  #head = '';
  #end = ''; // the head, as far as it was received
  #left: number | undefined; // bytes of the body, where its length is known

  constructor(learn: (head: string) => void) {
    this.#learn = learn;
  }

  get isWithinFrame(): boolean {
    return this.#part !== 'between';
  }

  /** Reads one message. Returns how many beats are in it, and what is left without them. */
  read(message: Wire): { beats: number; rest: Wire | undefined } {
    const pieces: Wire[] = [];
    const isText = typeof message === 'string';
    let beats = 0;
    let from = 0; // the first character that is neither kept nor taken yet
    for (let at = 0; at < message.length; at += 1) {
      const code = isText ? message.charCodeAt(at) : (message[at] as number);
      if (!this.#isBeat(code, isText)) continue;
      if (code === LF) beats += 1;
      pieces.push(message.slice(from, at));
      from = at + 1;
    }
    if (from === 0) return { beats, rest: message };
    return { beats, rest: joinWire([...pieces, message.slice(from)]) };
  }

  #isBeat(code: number, isText: boolean): boolean {
    if (this.#part === 'between') {
      if (code === LF || code === CR) return true;
      this.#part = 'head';
      this.#head = this.#end = '';
    }
    if (this.#part === 'head') this.#readHead(code);
    else this.#readBody(code, isText);
    return false;
  }

  #readHead(code: number): void {
    const character = String.fromCharCode(code);
    if (this.#head.length < MAX_HEAD) this.#head += character;
    this.#end = (this.#end + character).slice(-3);
    if (!/\n\r?\n$/.test(this.#end)) return;
    this.#learn(this.#head);
    const [, length] = /\ncontent-length: *(\d{1,15})\r?\n/.exec(this.#head) ?? [];
    this.#left = length === undefined ? undefined : Number(length);
    this.#part = 'body';
  }

  /** STOMP 1.2: with a content-length the body may contain NUL; without one, NUL ends it. */
  #readBody(code: number, isText: boolean): void {
    if (this.#left !== undefined && this.#left > 0) {
      this.#left -= isText ? utf8Bytes(code) : 1;
      return;
    }
    if (code === NUL) this.#part = 'between';
  }
}
