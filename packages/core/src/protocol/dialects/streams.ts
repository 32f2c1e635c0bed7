import type { DialectBeat, DialectSession, Wire } from './dialect.ts';
import type { Grammar, OwnedBeat } from './messages.ts';

/** Finds units, such as lines, in a stream that is split into messages of any length. */
export interface UnitReader<Unit> {
  /** Whether the last message ended in the middle of a unit. */
  readonly isWithin: boolean;
  /**
   * Reads one message. Calls `decide` for each unit that may be a beat, which returns whether to take it
   * out. Returns the rest: the message itself if nothing was taken out, `undefined` if nothing is left.
   */
  read(message: Wire, decide: (unit: Unit) => boolean): Wire | undefined;
}

/** A session of a heartbeat in a stream, whose beats share messages with other units. */
export function streamSession<Unit>(
  { write, read, sent, learn, ready = true, timing = {} }: Grammar<Unit>,
  isShared: boolean | undefined,
  incoming: UnitReader<Unit>,
  outgoing: UnitReader<Unit>,
): DialectSession {
  const session = {
    ready,
    timing,
    get isMidMessage() {
      return outgoing.isWithin;
    },
    ping: (id: string) => (session.ready && !outgoing.isWithin ? write(id) : undefined),
    receive(message: Wire) {
      const beats: DialectBeat[] = [];
      const rest = incoming.read(message, (unit) => {
        const beat = read(unit) as OwnedBeat | undefined;
        learn?.(unit, session, beat);
        return beat !== undefined && beats.push(beat) > 0 && (!isShared || beat.isOurs === true);
      });
      return beats[0] || rest !== message ? { beats, rest } : undefined;
    },
    sent(message: Wire) {
      let id: string | undefined;
      outgoing.read(message, (unit) => {
        learn?.(unit, session);
        id = sent?.(unit) ?? id;
        return false;
      });
      return id;
    },
  };
  return session;
}
