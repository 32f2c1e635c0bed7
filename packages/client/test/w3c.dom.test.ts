import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { listenForW3c, type W3cServer } from './w3c-server.ts';
import { w3cSurface } from './w3c-surface.ts';

/** Of happy-dom: its EventTarget takes a signal that is aborted, its WebSocket is refused in silence. */
const HAPPY_DOM_BREAKS: string[] = [
  'end with once, and with their signal',
  'a connection that is refused gives error, then close with 1006, and no open',
];

describe('the surface of a WebSocket in a page', () => {
  let server: W3cServer;
  const sockets: WebSocket[] = [];

  beforeAll(async () => {
    server = await listenForW3c();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await server.close();
  });

  w3cSurface('is ours over the class of the page', {
    Class: ReconnectingWebSocket as unknown as typeof WebSocket,
    create(...args) {
      const [url, protocols] = args as [string, string[]];
      const socket = new ReconnectingWebSocket(url, protocols, { WebSocket, maxAttempts: 0 });
      sockets.push(socket);
      return socket;
    },
    address: () => server.address,
    breaks: HAPPY_DOM_BREAKS,
  });

  it('reads relative addresses by that of the page', () => {
    const { host } = window.location;
    const options = { WebSocket: () => new WebSocket(server.address) };
    const socket = new ReconnectingWebSocket('/path?query', [], options);
    expect(socket.url).toBe(`ws://${host}/path?query`);
    socket.close();
  });
});
