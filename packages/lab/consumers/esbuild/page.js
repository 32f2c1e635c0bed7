import { ReconnectingWebSocket } from '@wirebeat/client';

const socket = new ReconnectingWebSocket('/');
socket.addEventListener('pong', () => {
  document.title = 'pong';
});
