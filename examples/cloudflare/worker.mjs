// A worker with one Durable Object, which sleeps while its pages only ping.
import { DurableHeartbeat } from '@wirebeat/server/cloudflare';

export class Room {
  #heartbeat;

  constructor(state) {
    this.#heartbeat = new DurableHeartbeat(state);
    this.#heartbeat.on('dead', ({ silentFor }) =>
      console.log(`gave up one that was silent for ${silentFor} ms`),
    );
  }

  async fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    await this.#heartbeat.accept(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, message) {
    if (this.#heartbeat.message(socket, message)) return;
    socket.send(message);
  }

  webSocketClose(socket) {
    this.#heartbeat.closed(socket);
  }

  alarm() {
    return this.#heartbeat.alarm();
  }
}

export default {
  fetch(request, { ROOM }) {
    if (request.headers.get('upgrade') !== 'websocket') return new Response('pages\n');
    return ROOM.get(ROOM.idFromName('room')).fetch(request);
  },
};
