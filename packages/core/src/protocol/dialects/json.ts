import { defineDialect } from './define-dialect.ts';
import type { Dialect } from './dialect.ts';
import { messageSession, objectOf, parseShort } from './messages.ts';

/** A JSON object of constants. */
export type JsonTemplate = Readonly<Record<string, string | number | boolean | null>>;

/** How a {@link json} heartbeat is written. */
export interface JsonOptions {
  readonly name?: string;
  /** @default { type: 'ping' } */
  readonly ping?: JsonTemplate;
  /** @default { type: 'pong' } */
  readonly pong?: JsonTemplate;
  /**
   * The member that holds the id of a ping, and returns in its pong. With two names, the first is
   * for the ping and the second for the pong. @default none: pongs come in the order of the pings
   */
  readonly id?: string | readonly [ping: string, pong: string];
}

/**
 * A heartbeat of JSON objects, `{"type":"ping"}` and `{"type":"pong"}` unless you say otherwise. A
 * message is a beat only if it has exactly the members of the template, and the id.
 */
export function json(options: JsonOptions = {}): Dialect {
  const { name = 'json', ping = { type: 'ping' }, pong = { type: 'pong' }, id } = options;
  const [pingId, pongId] = typeof id === 'object' ? id : [id, id];
  const write = (template: JsonTemplate, key: string | undefined, value: unknown) =>
    JSON.stringify(key === undefined ? template : { ...template, [key]: value });
  const match = (value: unknown, template: JsonTemplate, key: string | undefined) => {
    const names = Object.keys(template);
    const found = objectOf(value, ...names, ...(key === undefined ? [] : [key]));
    return found && names.every((name) => found[name] === template[name]) ? found : undefined;
  };
  const idIn = (found: Record<string, unknown>, key: string | undefined) => {
    const value = key === undefined ? undefined : found[key];
    return value === undefined ? undefined : String(value);
  };
  const grammar = {
    write: (id: string) => write(ping, pingId, id),
    read(message: string | Uint8Array) {
      if (typeof message !== 'string' || message[0] !== '{') return undefined;
      const value = parseShort(message);
      const answered = match(value, pong, pongId);
      if (answered) return { kind: 'pong', id: idIn(answered, pongId) } as const;
      const asked = match(value, ping, pingId);
      if (asked === undefined) return undefined;
      const back = pingId === undefined ? undefined : asked[pingId];
      const answer = write(pong, back === undefined ? undefined : pongId, back);
      return { kind: 'ping', answer, id: idIn(asked, pingId) } as const;
    },
  };
  const role = { asks: true, beats: false };
  return defineDialect({
    name,
    client: role,
    server: role,
    inject: id === undefined ? 'order' : 'id',
    open: (_end, isShared = false) => messageSession(grammar, isShared),
  });
}
