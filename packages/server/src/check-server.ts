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
  [['listen', 'close', 'address'], 'made of this HTTP server: `new WebSocketServer({ server })`'],
];

/**
 * @throws {InvalidOptionError} if `server` is not a WebSocketServer. The message says what to pass
 * instead.
 */
export function checkServer(server: unknown): void {
  if (has(server, ['prependListener']) && areFunctions(server, ['handleUpgrade', 'shouldHandle']))
    return;
  const other = OTHERS.find(([members]) => has(server, members));
  throw new InvalidOptionError('server', other ? `${WANTED}, ${other[1]}` : WANTED, server);
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
