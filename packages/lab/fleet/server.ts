// The server of a fleet, in a separate process, with one of several heartbeats. It can be blocked,
// stopped, drained and queried. Clients are identified by the paths that they dial.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { attachHeartbeat, type ServerHeartbeat, type ServerOptions } from '@wirebeat/server';
import { type WebSocket, WebSocketServer } from 'ws';
import { Lateness } from './lateness.ts';
import { obey, settings, tell } from './parent.ts';
import { Recipe } from './recipe.ts';

/** Settings of a server. */
export interface ServerSettings {
  /**
   * `wirebeat`; `recipe`: that of the manual of `ws`, every `options.pingInterval`; `echo`: no
   * heartbeat, but answers application pings as a minimal peer does.
   */
  readonly kind: 'wirebeat' | 'recipe' | 'echo';
  /** The options that are plain data. */
  readonly options?: Pick<ServerOptions, 'pingInterval' | 'pingTimeout' | 'advertise'>;
  /** Whether a client's newer connection replaces its older one. @default true */
  readonly hasSessions?: boolean;
}

/** The answer to `count`. */
export interface Counts {
  readonly sockets: number;
  readonly connections: number;
  /** Open files of the process; 0 if unknown. */
  readonly descriptors: number;
  /** Bytes in use after a garbage collection, on the heap and external. */
  readonly memory: number;
}

const { kind, options, hasSessions } = settings<ServerSettings>();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4_096 });
const names = new WeakMap<WebSocket, string>();
const stalls = new WeakMap<WebSocket, number[]>();
const asking = new Map<WebSocket, number>();
const lateness = new Lateness();
const nameOf = (socket: WebSocket) => names.get(socket) ?? '';

server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
  const name = request.url ?? '';
  names.set(socket, name);
  stalls.set(socket, []);
  socket.on('error', () => {});
  socket.on('close', (code) => {
    asking.delete(socket);
    tell('closed', name, { code });
  });
  if (kind === 'echo') answerPings(socket);
  tell('opened', name);
});

const recipe = kind === 'recipe' ? new Recipe(server, Number(options?.pingInterval)) : undefined;
const heartbeat = kind === 'wirebeat' ? attach() : undefined;

function attach(): ServerHeartbeat<WebSocket> {
  const session = hasSessions === false ? ({ session: false } as const) : {};
  const attached = attachHeartbeat(server, { ...options, ...session });
  attached.on('ping', ({ socket }) => asking.set(socket, (asking.get(socket) ?? 0) + 1));
  attached.on('pong', ({ socket }) => asking.set(socket, 0));
  attached.on('stall', ({ socket, lateBy }) => stalls.get(socket)?.push(lateBy));
  attached.on('dead', ({ socket, connection, silentFor, reason }) => {
    const { detectionBound } = connection;
    const detail = { silentFor, reason, detectionBound, stalls: stalls.get(socket) };
    tell('dead', nameOf(socket), detail);
  });
  attached.on('end', ({ socket, reason, code }) => tell('ended', nameOf(socket), { reason, code }));
  return attached;
}

/** Answers pings as docs/protocol.md requires, without a limit. */
function answerPings(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => {
    if (!isBinary && String(data).startsWith('\u0005wb'))
      socket.send(`\u0006${String(data).slice(1)}`);
  });
}

/** Returns the number of connections that have not answered their Ping. */
function countAsking(): number {
  if (recipe !== undefined) return recipe.asking;
  return [...asking.values()].filter((count) => count > 0).length;
}

/** Resolves when at least this many Pings are unanswered, to their number. */
async function untilAsking({ atLeast }: { readonly atLeast: number }): Promise<number> {
  while (countAsking() < atLeast) await turn();
  return countAsking();
}

obey({
  untilAsking,
  /** Blocks the event loop for `ms` right after Pings were sent. Answers how many. */
  async block({ ms, atLeast }: { readonly ms: number; readonly atLeast: number }) {
    const asked = await untilAsking({ atLeast });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    return asked;
  },
  async count(): Promise<Counts> {
    for (let collections = 0; collections < 3; collections += 1) {
      globalThis.gc?.();
      await turn();
    }
    const { heapUsed, external } = process.memoryUsage();
    return {
      sockets: server.clients.size,
      connections: heartbeat?.connections.size ?? server.clients.size,
      descriptors: countDescriptors(),
      memory: heapUsed + external,
    };
  },
  drain: (given: { readonly within: number }) => heartbeat?.drain(given),
  lateness: () => lateness.take(),
});

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

await once(server, 'listening');
tell('listening', undefined, { port: (server.address() as AddressInfo).port });
