import type { DialectBeat, Wire } from './dialect.ts';
import type { Grammar } from './messages.ts';

/** The maximum number of unanswered pings kept, to limit memory if the peer never answers. */
const MAX_UNANSWERED = 16;

/**
 * The grammar of a protocol whose pongs come in the order of the pings. Both you and the application send
 * pings, so this gives each pong to whoever sent its ping. A pong that carries an id needs no order. Once a
 * pong has carried the id of our ping, one without an id answers none of ours: it may answer no ping at all.
 *
 * `readSent` reads the pings of the application.
 */
export function inOrder<Unit = Wire>(
  grammar: Grammar<Unit>,
  readSent: Grammar<Unit>['read'] = grammar.read,
): Grammar<Unit> {
  const unanswered: DialectBeat[] = [];
  let mayBeOurs = true; // a pong without an id
  const add = (id: string, isOurs: boolean) =>
    unanswered.length < MAX_UNANSWERED && unanswered.push({ kind: 'pong', id, isOurs });
  return {
    ...grammar,
    write: (id) => (add(id, mayBeOurs) ? grammar.write(id) : undefined),
    read(unit) {
      const beat = grammar.read(unit);
      if (beat?.kind !== 'pong') return beat;
      if (beat.id === undefined) return unanswered.shift() ?? beat;
      unanswered.length = 0; // the pings before it have been answered, or never will be
      mayBeOurs &&= !beat.isOurs;
      return beat;
    },
    sent(unit) {
      const beat = readSent(unit);
      if (beat?.kind !== 'ping') return undefined;
      const { id = '' } = beat;
      add(id, false);
      return id;
    },
  };
}
