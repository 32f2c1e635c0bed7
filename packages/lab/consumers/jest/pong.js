import { ReconnectingWebSocket } from '@wirebeat/client';

export async function seePong() {
  const socket = new ReconnectingWebSocket(process.env.SERVER_URL);
  await new Promise((resolve) => socket.addEventListener('pong', resolve));
  socket.close();
  await new Promise((resolve) => socket.addEventListener('close', resolve));
}
