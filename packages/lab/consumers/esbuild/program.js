import { once } from 'node:events';
import { ReconnectingWebSocket } from '@wirebeat/client';

const socket = new ReconnectingWebSocket(process.env.SERVER_URL);
await once(socket, 'pong');
socket.close();
