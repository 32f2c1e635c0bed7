// What runs in the page: a client of each library, and a main thread that is busy.
import { ReconnectingWebSocket } from '@wirebeat/client';
import { WebSocket as PartySocket } from 'partysocket';
import OtherReconnectingWebSocket from 'reconnecting-websocket';
import { io } from 'socket.io-client';
import WebsocketHeartbeatJs from 'websocket-heartbeat-js';

const url = (port) => `ws://127.0.0.1:${port}`;
const HeartbeatJs = WebsocketHeartbeatJs.default ?? WebsocketHeartbeatJs;
const DIALS = {
  wirebeat: (port) => new ReconnectingWebSocket(url(port)),
  'socket.io-client': (port) => io(`http://127.0.0.1:${port}`, { forceNew: true }),
  'websocket-heartbeat-js': (port) => new HeartbeatJs({ url: url(port) }),
  partysocket: (port) => new PartySocket(url(port), []),
  'reconnecting-websocket': (port) => new OtherReconnectingWebSocket(url(port), []),
  "the browser's own WebSocket": (port) => new WebSocket(url(port)),
};
const kept = []; // so that none is collected

globalThis.dialAll = (ports) => {
  for (const [name, port] of Object.entries(ports)) kept.push(DIALS[name](port));
};

globalThis.block = (length) => {
  const end = performance.now() + length;
  while (performance.now() < end);
};
