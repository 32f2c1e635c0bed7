// Those who are held against each other on the server: how each is made, and how its clients behave.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { attachHeartbeat } from '@wirebeat/server';
import { Server as EngineIo } from 'engine.io';
import { WebSocketServer } from 'ws';
import { setWsHeartbeat } from 'ws-heartbeat/server.js';

import { MESSAGE } from './message.mjs';

const ignore = () => {};

/** The application: it listens to errors and to messages, each of which it answers by one. */
function application(sockets) {
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => String(data) === MESSAGE && socket.send(MESSAGE));
    socket.on('error', ignore);
  });
}

/** The recipe of the README of `ws`, "How to detect and close broken connections?". */
function readme(sockets, { interval }) {
  function heartbeat() {
    this.isAlive = true;
  }
  sockets.on('connection', (socket) => {
    socket.isAlive = true;
    socket.on('pong', heartbeat);
  });
  const wasStopped = stopWatch(interval);
  setInterval(() => {
    if (wasStopped()) for (const socket of sockets.clients) socket.isAlive = true;
    for (const socket of sockets.clients) {
      if (socket.isAlive === false) {
        socket.terminate();
        continue;
      }
      socket.isAlive = false;
      socket.ping();
    }
  }, interval);
}

/** The same, without the burst: every `step` ms it checks as many as are due. */
function readmeSpread(sockets, { interval, step = 10 }) {
  const all = [];
  function heartbeat() {
    this.isAlive = true;
  }
  sockets.on('connection', (socket) => {
    socket.isAlive = true;
    socket.on('pong', heartbeat);
    all.push(socket);
  });
  const wasStopped = stopWatch(interval);
  let before = performance.now();
  let due = 0;
  let checked = 0;
  setInterval(() => {
    const now = performance.now();
    due += (Math.min(now - before, interval) / interval) * all.length;
    before = now;
    if (wasStopped()) for (const socket of all) socket.isAlive = true;
    for (; checked < due; checked += 1) {
      const socket = all[checked % all.length];
      if (socket.isAlive === false) socket.terminate();
      socket.isAlive = false;
      socket.ping();
    }
  }, step);
}

/** Returns whether the process was stopped since the last call: pongs may wait unread then. */
function stopWatch(interval) {
  let before = performance.now();
  return () => {
    const since = performance.now() - before;
    before += since;
    return since > 2 * interval;
  };
}

/** What is often written in place of it: a timer for each connection. */
function timerEach(sockets, { interval }) {
  sockets.on('connection', (socket) => {
    let isAlive = true;
    socket.on('pong', () => {
      isAlive = true;
    });
    const timer = setInterval(() => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    }, interval);
    socket.on('close', () => clearInterval(timer));
  });
}

const jsonPong = (socket, data) => {
  if (String(data) === '{"kind":"ping"}') socket.send('{"kind":"pong"}');
};

/** Of the same times as the others, and the same interval for those clients that drive. */
function wirebeat(sockets, { interval, ...more }) {
  attachHeartbeat(sockets, {
    pingInterval: interval,
    pingTimeout: 20_000,
    advertise: false,
    ...more,
  });
}

/** What each puts on a `WebSocketServer` of `ws`. */
export const WATCHES = {
  nothing: ignore,
  wirebeat,
  'wirebeat at its defaults': (sockets) => attachHeartbeat(sockets),
  'wirebeat with an interval': (sockets, { interval }) =>
    attachHeartbeat(sockets, { pingInterval: interval }),
  readme,
  'readme, spread': readmeSpread,
  'a timer each': timerEach,
  'ws-heartbeat': (sockets, { pingTimeout }) => setWsHeartbeat(sockets, jsonPong, pingTimeout),
};

/**
 * The floor: the same frames through `net`, spread over the interval, and nothing else. Who answers is
 * not looked at.
 */
export function listenNet({ interval }) {
  const sockets = [];
  const ping = Buffer.from([0x89, 9, ...Buffer.from('wb-000000')]);
  const server = createTcpServer((socket) => {
    socket.once('data', (request) => {
      socket.write(upgraded(request));
      socket.on('data', ignore);
      sockets.push(socket);
    });
    socket.on('error', ignore);
  });
  const start = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = ((performance.now() - start) / interval) * sockets.length;
    if (due - sent > sockets.length) sent = Math.floor(due); // they have just come
    for (; sent < due; sent += 1) sockets[sent % sockets.length].write(ping);
  }, 10);
  return new Promise((resolve) => {
    const options = { port: 0, host: '127.0.0.1', backlog: 1_024 };
    server.listen(options, () => resolve(server.address()));
  });
}

/** RFC 6455 §4.2.2. */
function upgraded(request) {
  const [, key] = /Sec-WebSocket-Key: (\S+)/.exec(String(request));
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`
  );
}

/** Listens on a port of its own, over `http` as applications do. */
function listening(attach) {
  const server = createServer();
  attach(server);
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, () => resolve(server.address()));
  });
}

/** A server on `ws` whose application has its listeners before `watch` comes. */
export function listenWs(watch, options = {}) {
  return listening((server) => {
    const sockets = new WebSocketServer({ server });
    application(sockets);
    watch(sockets, options);
  });
}

/** Engine.IO by WebSocket alone; its clients are asked, as ours are. */
export function listenEngineIo({ interval = 25_000, pingTimeout = 20_000 } = {}) {
  return listening((server) => {
    const options = { transports: ['websocket'], pingInterval: interval, pingTimeout };
    const sockets = new EngineIo(options);
    sockets.on('connection', (socket) => socket.on('message', ignore));
    sockets.attach(server);
  });
}
