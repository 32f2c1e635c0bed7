import { InvalidOptionError } from '@wirebeat/core';

const WANTED = 'a WebSocketServer of `ws`';

/** Objects that are often passed by mistake, recognized by their members, each with advice. */
const OTHERS: readonly (readonly [members: readonly string[], advice: string])[] = [
  [['send', 'close', 'readyState'], 'not one socket: pass the server, and this to `watch()`'],
  [['of', 'sockets', 'engine'], 'not that of Socket.IO, which has a heartbeat of its own'],
  [
    ['handle', 'use', 'listen'],
    'made of the HTTP server: `new WebSocketServer({ server: app.listen(8080) })`',
  ],
  [
    ['upgrade', 'publish', 'requestIP'],
    'not that of Bun: `BunHeartbeat` of `@wirebeat/server/bun` is for it',
  ],
  [
    ['finished', 'shutdown', 'addr'],
    'not that of Deno: `DenoHeartbeat` of `@wirebeat/server/deno` is for it',
  ],
  [
    ['peers', 'publish', 'closeAll'],
    'not that of crossws: `CrosswsHeartbeat` of `@wirebeat/server/crossws` is for it',
  ],
  [
    ['acceptWebSocket', 'getWebSockets'],
    'not the state of a Durable Object: `DurableHeartbeat` of `@wirebeat/server/cloudflare` is for it',
  ],
  [['listen', 'close', 'address'], 'made of this HTTP server: `new WebSocketServer({ server })`'],
];

/**
 * @throws {InvalidOptionError} if `server` is not a WebSocketServer. The message says what to pass
 * instead.
 */
export function checkServer(server: unknown): void {
  if (has(server, ['prependListener']) && areFunctions(server, ['handleUpgrade', 'shouldHandle']))
    return;
  const [, advice] = OTHERS.find(([members]) => has(server, members)) ?? [];
  const said =
    advice ?? (server === undefined ? 'a package that you install beside it' : undefined);
  throw new InvalidOptionError('server', said ? `${WANTED}, ${said}` : WANTED, server);
}

/** @throws {InvalidOptionError} if `socket` is not a WebSocket of `ws`. */
export function checkSocket(socket: unknown): void {
  if (areFunctions(socket, ['send', 'ping', 'terminate', 'emit', 'addEventListener'])) return;
  throw new InvalidOptionError(
    'socket',
    'a WebSocket of `ws`, as `handleUpgrade` makes it',
    socket,
  );
}

function has(value: unknown, members: readonly string[]): value is object {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && members.every((member) => member in value);
}

function areFunctions(value: unknown, members: readonly string[]): boolean {
  return (
    has(value, members) &&
    members.every((member) => typeof Reflect.get(value, member) === 'function')
  );
}
