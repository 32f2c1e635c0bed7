import type { Dialect, DialectBeat, Wire } from './dialect.ts';
import { asking, define } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import { MARK, messageSession, pongWith, readJson } from './messages.ts';
import { textOf } from './wire.ts';

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
  const grammar = {
    write: (id: string) => write(ping, pingId, MARK + id),
    read(message: Wire): DialectBeat | undefined {
      const found = readJson(message);
      const isLike = (template: JsonTemplate, key?: string) =>
        Object.keys({ ...template, ...found }).every(
          (name) => name === key || found[name] === template[name],
        );
      const isPong = isLike(pong, pongId);
      if (!isPong && !isLike(ping, pingId)) return undefined;
      if (!Object.keys(found)[0] && message !== '{}') return undefined; // it was not parsed
      const value = found[String(isPong ? pongId : pingId)];
      const id = value === undefined ? value : String(value);
      if (isPong) return pongWith(id);
      return { kind: 'ping', answer: write(pong, pongId, value), id }; // undefined is left out
    },
  };
  const role = { asks: true, beats: false };
  return define(
    {
      name,
      client: role,
      server: role,
      inject: id === undefined ? 'order' : 'id',
      open: (_end, isShared) => messageSession(inOrder(grammar), isShared),
    },
    textOf,
    asking,
  );
}
