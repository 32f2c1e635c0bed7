import { WebSocket as UndiciWebSocket } from 'undici';
import { afterAll, beforeAll, describe } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import type { WebSocketConstructor } from '../src/websocket-api/default-websocket.ts';
import type { Subject } from './w3c-rules.ts';
import { listenForW3c, type W3cServer } from './w3c-server.ts';
import { type Known, w3cSurface } from './w3c-surface.ts';

/** Of undici 6, the one in Node 22; its MessageEvent and CloseEvent are classes of its own. */
const UNDICI_BREAKS: string[] = [
  'binaryType becomes what it may be, and ignores all else',
  'are called in their turn among the listeners: where they were first set',
  'are called beside the same function as a listener',
  'message is a MessageEvent with data and the origin of the server',
  'after close() sends nothing and does not throw; bufferedAmount counts it',
  'closes with 1000 where there is only a reason',
  'dispatches nothing in its own turn',
];
/** Its `close` never comes where there was no `open`. */
const UNDICI_HANGS: string[] = [
  'a connection that is refused gives error, then close with 1006, and no open',
  'while connecting ends in close with 1006, and no open',
];

describe('the surface of a WebSocket, as the standard has it,', () => {
  let server: W3cServer;
  const sockets: WebSocket[] = [];
  const address = () => server.address;

  beforeAll(async () => {
    server = await listenForW3c();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await server.close();
  });

  const subjectOf = (
    Class: unknown,
    create: Subject['create'],
    breaks: string[],
  ): Subject & Known => ({
    Class: Class as typeof WebSocket,
    create(...args) {
      const socket = create(...args);
      sockets.push(socket);
      return socket;
    },
    address,
    breaks,
  });
  /** One that gives up at the first end is to be told from a WebSocket by nothing. */
  const reconnectingOver = (WebSocket: WebSocketConstructor, breaks: string[]): Subject & Known =>
    subjectOf(
      ReconnectingWebSocket,
      (...args) => {
        const [url, protocols] = args as [string, string[]];
        return new ReconnectingWebSocket(url, protocols, { WebSocket, maxAttempts: 0 });
      },
      breaks,
    );

  // The check of the suite itself: what is asked of ours is what a WebSocket does. What this one
  // does not do was looked up in the standard, and is to be seen in a browser.
  const create: Subject['create'] = (...args) => Reflect.construct(UndiciWebSocket, args);
  const undici = subjectOf(UndiciWebSocket, create, UNDICI_BREAKS);
  w3cSurface('is that of undici', { ...undici, hangs: UNDICI_HANGS });
  w3cSurface('is ours over undici', reconnectingOver(UndiciWebSocket, []));
  w3cSurface('is ours over ws', reconnectingOver(NodeWebSocket, ['binaryType is blob at first']));
  const { WebSocket: Global } = globalThis as { WebSocket?: WebSocketConstructor };
  if (Global !== undefined) {
    w3cSurface('is ours over the class of Node itself', reconnectingOver(Global, []));
  }
});
