import { Server } from 'mock-socket';
import { it } from 'vitest';
import { seePong } from './pong.js';

it('sees a pong of a server of mock-socket', async () => {
  const server = new Server('wss://nowhere.invalid/');
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      if (String(data).startsWith('\u0005wb')) socket.send(`\u0006${data.slice(1)}`);
    });
  });
  await seePong('wss://nowhere.invalid/');
  server.stop();
});
