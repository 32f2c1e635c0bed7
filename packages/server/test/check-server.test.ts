import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../src/attach.ts';
import { Stage } from './virtual-server.ts';

/** As far as it matters here. */
const express = Object.assign(() => {}, { handle: () => {}, use: () => {}, listen: () => {} });
const socketIo = Object.assign(new EventEmitter(), { of: () => {}, sockets: {}, engine: {} });
const membersOf = (...names: string[]) => Object.fromEntries(names.map((name) => [name, () => {}]));
const closedSocket = (): WebSocket => {
  const socket = new WebSocket('ws://127.0.0.1:9');
  socket.on('error', () => {});
  socket.terminate();
  return socket;
};

describe('attachHeartbeat', () => {
  it.each([
    [
      'an HTTP server',
      createServer(),
      'made of this HTTP server: `new WebSocketServer({ server })`',
    ],
    ['one socket', closedSocket(), 'not one socket: pass the server, and this to `watch()`'],
    ['a Socket.IO server', socketIo, 'not that of Socket.IO, which has a heartbeat of its own'],
    ['an Express app', express, '`new WebSocketServer({ server: app.listen(8080) })`'],
    ['an emitter', new EventEmitter(), 'a WebSocketServer of `ws`, got'],
    ['a port', 8080, 'a WebSocketServer of `ws`, got `8080`'],
    ['nothing', undefined, 'of `ws`, a package that you install beside it, got `undefined`'],
    ['a server of Bun', membersOf('upgrade', 'publish', 'requestIP'), '@wirebeat/server/bun'],
    ['a server of Deno', membersOf('finished', 'shutdown', 'addr'), '@wirebeat/server/deno'],
    ['crossws', membersOf('peers', 'publish', 'closeAll'), '@wirebeat/server/crossws'],
    ['a Durable Object', membersOf('acceptWebSocket', 'getWebSockets'), 'server/cloudflare'],
  ])('refuses %s, and says what to pass instead', (_, wrong, advice) => {
    expect(() => attachHeartbeat(wrong as never)).toThrow(advice);
    expect(() => attachHeartbeat(wrong as never)).toThrow(
      'Expected `server` to be a WebSocketServer',
    );
    if (wrong instanceof EventEmitter) expect(wrong.listenerCount('connection')).toBeLessThan(2);
  });

  it('takes a WebSocketServer, and no other type compiles', () => {
    const server = new WebSocketServer({ noServer: true });
    attachHeartbeat(server).detach();
    const wrong = () => {
      // @ts-expect-error: not a WebSocketServer
      attachHeartbeat(createServer());
      // @ts-expect-error: not a WebSocketServer
      attachHeartbeat(closedSocket());
      // @ts-expect-error: not a WebSocketServer
      attachHeartbeat(express);
    };
    expect(wrong).toThrow();
  });
});

describe('watch', () => {
  it.each([
    [undefined],
    [{}],
    [new EventEmitter()],
    [new WebSocketServer({ noServer: true })],
    [
      {
        send: () => {},
        ping: () => {},
        terminate: true,
        emit: () => {},
        addEventListener: () => {},
      },
    ],
  ])('refuses %o', (wrong) => {
    const { heartbeat } = new Stage();
    expect(() => heartbeat.watch(wrong as never)).toThrow(
      'Expected `socket` to be a WebSocket of `ws`',
    );
  });

  it('adds one heartbeat to a socket, however it is passed, and none after `detach`', () => {
    const stage = new Stage();
    const socket = stage.socket();
    const connection = stage.heartbeat.watch(socket);
    expect(connection).toBeDefined();
    expect(stage.heartbeat.watch(socket)).toBe(connection);
    stage.server.accept(socket);
    expect(stage.heartbeat.connections.size).toBe(1);
    expect(stage.lines(/Ping/)).toHaveLength(1);
    const { socket: accepted, connection: its } = stage.connect();
    expect(stage.heartbeat.watch(accepted)).toBe(its);
    const ended = stage.socket();
    ended.end(1000);
    expect(stage.heartbeat.watch(ended)).toBeUndefined();
    stage.heartbeat.detach();
    expect(stage.heartbeat.watch(stage.socket())).toBeUndefined();
  });
});
