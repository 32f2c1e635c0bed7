// @vitest-environment jsdom
// Under jsdom, `Uint8Array` and `EventTarget` are those of another realm than Node's own objects.
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { attachHeartbeat } from '../src/attach.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import type { WebSocketConstructor } from '../src/websocket-api/default-websocket.ts';
import { listen, within } from './sockets.ts';

const CLASSES: [name: string, WebSocket: WebSocketConstructor][] = [
  ['ws', NodeWebSocket],
  ['jsdom', WebSocket],
];

describe.each(CLASSES)('under jsdom, a socket of %s', (_, Class) => {
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  it('is not of the realm of a Buffer, without which this tests nothing', () => {
    expect(Buffer.from('') instanceof Uint8Array).toBe(false);
  });

  it.each(['attachHeartbeat', 'ReconnectingWebSocket'])(
    'keeps the beats from the application: %s',
    async (way) => {
      const server = await listen();
      cleanup.push(() => server.close());
      const reconnecting = () =>
        new ReconnectingWebSocket(server.url, [], { WebSocket: Class, pingInterval: 50 });
      const socket = way === 'attachHeartbeat' ? new Class(server.url) : reconnecting();
      cleanup.push(() => socket.close());
      const heartbeat =
        way === 'attachHeartbeat'
          ? attachHeartbeat(socket, { pingInterval: 50 })
          : (socket as ReconnectingWebSocket);
      const heard: unknown[] = [];
      const done = new Promise<void>((resolve) => {
        Reflect.set(socket, 'onmessage', ({ data }: { data: unknown }) => {
          heard.push(data);
          if (data === 'last') resolve();
        });
      });
      socket.addEventListener('message', ({ data }: { data: unknown }) => heard.push(data));
      const connection = await server.connection();
      await within(
        new Promise((resolve) => {
          let pongs = 0;
          const count = () => {
            pongs += 1;
            if (pongs === 3) resolve(undefined);
          };
          if ('on' in heartbeat) heartbeat.on('pong', count);
          else heartbeat.addEventListener('pong', count);
        }),
        'three pongs',
      );
      connection.send('last');
      await within(done, 'the message');
      expect(heard).toEqual(['last', 'last']);
      expect(heartbeat.latency).toBeGreaterThanOrEqual(0);
    },
  );
});
