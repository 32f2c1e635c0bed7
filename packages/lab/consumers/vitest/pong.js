import { ReconnectingWebSocket } from '@wirebeat/client';

export async function seePong(url) {
  const socket = new ReconnectingWebSocket(url);
  await new Promise((resolve) => socket.addEventListener('pong', resolve));
  socket.close();
  await new Promise((resolve) => socket.addEventListener('close', resolve));
}
