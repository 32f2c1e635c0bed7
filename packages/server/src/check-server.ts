import { InvalidOptionError } from '@wirebeat/core';

const WANTED = 'a WebSocketServer of `ws`';

/** Servers of other kinds, by what they have, and what to do about each. */
const OTHERS: readonly (readonly [members: readonly string[], advice: string])[] = [
  [['send', 'close', 'readyState'], 'not one socket: pass the server, and this to `watch()`'],
  [['of', 'sockets', 'engine'], 'not that of Socket.IO, which has a heartbeat of its own'],
  [
    ['handle', 'use', 'listen'],
    'made of the HTTP server: `new WebSocketServer({ server: app.listen(8080) })`',
  ],
  [['listen', 'close', 'address'], 'made of this HTTP server: `new WebSocketServer({ server })`'],
];

/** @throws {InvalidOptionError} if this is no WebSocketServer, with what to pass in its place. */
export function checkServer(server: unknown): void {
  if (has(server, ['prependListener']) && areFunctions(server, ['handleUpgrade', 'shouldHandle']))
    return;
  const other = OTHERS.find(([members]) => has(server, members));
  throw new InvalidOptionError('server', other ? `${WANTED}, ${other[1]}` : WANTED, server);
}

/** @throws {InvalidOptionError} if this is no WebSocket of `ws`. */
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
