import { ReconnectingWebSocket } from '@wirebeat/client';
import { io } from 'socket.io-client';
import type { LaneSocket } from './race-lane.ts';

type AnySocket = Pick<WebSocket, 'readyState' | 'send' | 'addEventListener'>;

/** The browser's own WebSocket. */
export function plainSocket(url: string): LaneSocket {
  return laneSocket(new WebSocket(url));
}

/** wirebeat, without any option. */
export function wirebeatSocket(url: string): LaneSocket {
  return laneSocket(new ReconnectingWebSocket(url) as unknown as AnySocket);
}

/** socket.io, without any option but the page that the server cuts off. */
export function socketIoSocket(page: string): LaneSocket {
  const socket = io({ query: { page } });
  return {
    get state() {
      return socket.connected ? 'OPEN' : 'CONNECTING';
    },
    send: (text) => socket.emit('race', text),
    onMessage: (listener) => socket.on('race', listener),
    onOpen: (listener) => socket.on('connect', listener),
  };
}

function laneSocket(socket: AnySocket): LaneSocket {
  const { OPEN, CONNECTING } = WebSocket;
  return {
    get state() {
      if (socket.readyState === OPEN) return 'OPEN';
      return socket.readyState === CONNECTING ? 'CONNECTING' : 'CLOSED';
    },
    send: (text) => socket.send(text),
    onMessage: (listener) => {
      socket.addEventListener('message', ({ data }) => listener(String(data)));
    },
    onOpen: (listener) => socket.addEventListener('open', () => listener()),
  };
}
