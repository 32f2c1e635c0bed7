import type { DialectBeat, DialectSession, DialectTiming, Wire } from './dialect.ts';

/** What a grammar can learn from messages that are no beats. */
export interface Learned {
  /** Whether the handshake is complete. */
  ready: boolean;
  timing: DialectTiming;
}

/**
 * How a heartbeat is written. A `Unit` is what can be a beat: a message, or a part of a stream, such as a
 * line. No method throws.
 */
export interface Grammar<Unit = Wire> {
  /** Writes a ping or beat; `undefined` if none may be sent. */
  write(id: string): Wire | undefined;
  /** Reads what the peer sent; `undefined` unless it is exactly a beat. */
  read(unit: Unit): DialectBeat | undefined;
  /** Reads what the application sent. Returns the id of its ping; `undefined` if it is none. */
  sent?(unit: Unit): string | undefined;
  /** Reads timing, or the end of the handshake; `beat` if the peer sent one. */
  learn?(unit: Unit, learned: Learned, beat?: DialectBeat): void;
  /** Whether pings need no handshake. @default true */
  readonly ready?: boolean;
  readonly timing?: DialectTiming;
}

/** A session of a heartbeat in which each beat is one whole message. */
export function messageSession(
  { write, read, sent = () => undefined, learn, ready = true, timing = {} }: Grammar,
  isShared?: boolean,
): DialectSession {
  const session = {
    ready,
    timing,
    ping: (id: string) => (session.ready ? write(id) : undefined),
    receive(message: Wire) {
      const beat = read(message) as OwnedBeat | undefined;
      learn?.(message, session, beat);
      return beat && { beats: [beat], rest: isShared && !beat.isOurs ? message : undefined };
    },
    sent,
  };
  return session;
}

/** A beat, and whether it answers a ping that you sent. */
export type OwnedBeat = DialectBeat & { readonly isOurs?: boolean | undefined };

/** Begins the ids of your pings, so that their pongs are told from those of the application. */
export const MARK = 'wb';

/** The pong with this id, if it has one. */
export function pongWith(id: string | undefined): DialectBeat {
  const isOurs = id?.startsWith(MARK);
  return { kind: 'pong', id: isOurs ? id?.slice(MARK.length) : id, isOurs };
}

/** Longer messages are not parsed, because beats of these protocols are shorter. */
const MAX_PARSED = 256;

/**
 * Returns the object or array in a short message of JSON. Returns an object without members if the message
 * is long, binary or invalid, or begins with another character: most messages are not parsed.
 */
export function readJson(message: Wire, first = '{'): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    if (message[0] === first && message.length <= MAX_PARSED) value = JSON.parse(message as string);
  } catch {
    // It belongs to the application.
  }
  return Object(value);
}
