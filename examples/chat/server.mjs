// The server of the chat: `node server.mjs`, with PORT.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';
import { Rooms } from './rooms.mjs';

const { PORT = '8080' } = process.env;
const TOKEN_LIFE = 60_000; // ms
const UNAUTHORIZED = 4401; // a code from 4400 to 4499 stops a client for good
const LIMITS = { id: 64, room: 40, text: 2_000 };
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
/** The folders that the page loads from: its own, and the built packages. */
const FOLDERS = {
  src: fileURLToPath(new URL('src', import.meta.url)),
  client: dirname(fileURLToPath(import.meta.resolve('@wirebeat/client/status'))),
  core: dirname(fileURLToPath(import.meta.resolve('@wirebeat/core'))),
};

const rooms = new Rooms();
const tokens = new Map(); // to the user and the end of life
const signedOut = new Set(); // users who must sign in again

// Tokens: a client asks for one before each attempt.

function issue(user) {
  const now = Date.now();
  for (const [token, { until }] of tokens) if (until < now) tokens.delete(token);
  const token = randomUUID();
  tokens.set(token, { user, until: now + TOKEN_LIFE });
  return token;
}

function userOf(token) {
  const known = tokens.get(token);
  return known !== undefined && known.until > Date.now() ? known.user : undefined;
}

/** Ends all connections of a user, and gives out no more tokens. */
function signOut(user) {
  signedOut.add(user);
  for (const [token, known] of tokens) if (known.user === user) tokens.delete(token);
  for (const socket of sockets.clients) {
    if (socket.user === user) socket.close(UNAUTHORIZED, 'signed out');
  }
}

// HTTP: the page, tokens, and signing in and out.

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://host');
  const user = searchParams.get('user') ?? '';
  response.setHeader('connection', 'close'); // a kept connection may be dead without anybody knowing
  if (request.method === 'POST') {
    if (pathname === '/sign-in') signedOut.delete(user);
    else if (pathname === '/sign-out') signOut(user);
    else if (pathname !== '/token') return response.writeHead(404).end();
    else if (user === '' || signedOut.has(user)) return response.writeHead(401).end();
    return response.end(pathname === '/token' ? issue(user) : '');
  }
  const [, folder, name] =
    /^\/(src|client|core)\/([\w.-]+\.(?:html|js|css))$/.exec(
      pathname === '/' ? '/src/index.html' : pathname,
    ) ?? [];
  try {
    const text = await readFile(`${FOLDERS[folder]}/${name}`);
    response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1)] }).end(text);
  } catch {
    response.writeHead(404).end();
  }
});

// WebSocket: joining and talking.

const sockets = new WebSocketServer({ server, path: '/live', maxPayload: 16_384 });
const heartbeat = attachHeartbeat(sockets);

sockets.on('connection', (socket, request) => {
  socket.on('error', () => {}); // its `close` follows
  socket.user = userOf(new URL(request.url, 'http://host').searchParams.get('token'));
  if (socket.user === undefined) return socket.close(UNAUTHORIZED, 'unknown token');
  socket.rooms = new Set();
  socket.on('message', (data) => {
    const message = read(data);
    if (message?.type === 'join') join(socket, message);
    else if (message?.type === 'say') say(socket, message);
    else socket.close(1008, 'not understood');
  });
});

/** Sends what was said since the last message that the client has seen, and from now on everything. */
function join(socket, { room, since }) {
  socket.rooms.add(room);
  for (const message of rooms.since(room, Number(since) || 0)) socket.send(JSON.stringify(message));
}

function say(socket, { room, id, text }) {
  const message = rooms.add(room, { id, from: socket.user, text });
  if (message === undefined) return;
  for (const other of sockets.clients) {
    if (other.rooms?.has(room)) other.send(JSON.stringify(message));
  }
}

/** Returns a message whose texts are texts and not too long; else undefined. */
function read(data) {
  try {
    const message = JSON.parse(String(data));
    const isGood = Object.entries(LIMITS).every(([name, limit]) => {
      const value = message[name] ?? '';
      return typeof value === 'string' && value.length <= limit;
    });
    return isGood && typeof message.room === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

process.on('SIGTERM', async () => {
  await heartbeat.drain({ within: 500 });
  process.exit();
});

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`The chat is at http://127.0.0.1:${server.address().port}/`);
});
