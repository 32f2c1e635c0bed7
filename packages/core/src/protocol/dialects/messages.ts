import type { DialectBeat, DialectSession, DialectTiming, Wire } from './dialect.ts';
import { PingOwners } from './ping-owners.ts';

/** A beat as a grammar reads it, before a pong is matched with its ping. */
export type MessageBeat =
  | { readonly kind: 'ping'; readonly answer: Wire; readonly id?: string | undefined }
  | { readonly kind: 'pong'; readonly id?: string | undefined }
  | { readonly kind: 'beat'; readonly clock?: number };

/** A heartbeat in which each beat is one whole message. */
export interface MessageGrammar {
  /** Writes a ping or beat; `undefined` if this end sends none. */
  write(id: string): Wire | undefined;
  /** Reads one message; `undefined` unless it is exactly a beat. Never throws. */
  read(message: Wire): MessageBeat | undefined;
  /** Reads timing, or the end of the handshake, from a message that is not a beat. */
  learn?(message: Wire, told: { ready: boolean; timing: DialectTiming }): void;
  /** Whether pings must wait for the handshake. */
  readonly isGated?: boolean;
  readonly timing?: DialectTiming;
}

/** A session of a heartbeat in which each beat is one whole message. */
export function messageSession(grammar: MessageGrammar, isShared: boolean): DialectSession {
  const owners = new PingOwners();
  const told = { ready: !grammar.isGated, timing: grammar.timing ?? {} };
  const owned = (beat: MessageBeat): DialectBeat => {
    if (beat.kind === 'ping') return { kind: 'ping', answer: isShared ? undefined : beat.answer };
    if (beat.kind === 'beat') return beat;
    const owner = owners.take(beat.id);
    return { kind: 'pong', id: owner?.id, isOurs: owner?.isOurs === true };
  };
  return {
    get ready() {
      return told.ready;
    },
    get timing() {
      return told.timing;
    },
    ping(id) {
      if (!told.ready || owners.isFull) return undefined;
      const ping = grammar.write(id);
      if (ping !== undefined) owners.add(id);
      return ping;
    },
    receive(message) {
      const read = grammar.read(message);
      grammar.learn?.(message, told);
      if (read === undefined) return undefined;
      const beat = owned(read);
      const isTaken = !isShared || (beat.kind === 'pong' && beat.isOurs);
      return { beats: [beat], rest: isTaken ? undefined : message };
    },
    sent(message) {
      const read = grammar.read(message);
      return read?.kind === 'ping' ? owners.addForeign(read.id) : undefined;
    },
  };
}

/** Longer messages are not parsed, because beats of these protocols are shorter. */
const MAX_PARSED = 256;

/** Parses a short text message as JSON; `undefined` if it is long, binary, or invalid. */
export function parseShort(message: Wire): unknown {
  if (typeof message !== 'string' || message.length > MAX_PARSED) return undefined;
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** Returns a JSON object if it has only these members; otherwise `undefined`. */
export function objectOf(value: unknown, ...names: string[]): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).every((name) => names.includes(name))
    ? (value as Record<string, unknown>)
    : undefined;
}
