import { once } from 'node:events';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { Connection } from './connection.js';

export const dynamic = 'force-dynamic';

/** The server pings first: without its pong there is no page. */
export default async function Page() {
  const socket = new ReconnectingWebSocket(process.env.SERVER_URL);
  const [{ detail }] = await once(socket, 'pong');
  socket.close();
  return <Connection url={process.env.SERVER_URL} serverLatency={detail.latency} />;
}
