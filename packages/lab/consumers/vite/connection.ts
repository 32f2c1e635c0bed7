import { ReconnectingWebSocket } from '@wirebeat/client';

export const socket = new ReconnectingWebSocket(import.meta.env.VITE_SERVER ?? '/');
socket.addEventListener('pong', () => {
  document.title = 'pong 0';
});

if (import.meta.hot) {
  import.meta.hot.accept();
  import.meta.hot.dispose(() => socket.close());
}
