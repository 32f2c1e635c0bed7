import { ws } from 'msw';
import { setupServer } from 'msw/node';
import { it } from 'vitest';
import { WebSocket } from 'ws';
import { seePong } from './pong.js';

it('sees a pong of a handler of MSW', async () => {
  globalThis.WebSocket ??= WebSocket; // Node 20 has none that MSW could take the place of
  const link = ws.link('wss://nowhere.invalid/');
  const handler = link.addEventListener('connection', ({ client }) => {
    client.addEventListener('message', ({ data }) => {
      if (String(data).startsWith('\u0005wb')) client.send(`\u0006${data.slice(1)}`);
    });
  });
  const server = setupServer(handler);
  server.listen({ onUnhandledRequest: 'error' });
  await seePong('wss://nowhere.invalid/');
  server.close();
});
