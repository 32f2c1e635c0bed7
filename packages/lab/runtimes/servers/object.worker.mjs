// A worker with one Durable Object, whose clients have wirebeat's heartbeat. Without `nodejs_compat`.
import { DurableHeartbeat } from '@wirebeat/server/cloudflare';
import { exportMetrics } from '@wirebeat/server/opentelemetry';
import { RuntimeHeartbeat } from '@wirebeat/server/runtime';

export class Room {
  #state;
  #heartbeat;
  #counts = {};

  constructor(state, { TIMING }) {
    this.#state = state;
    this.#heartbeat = new DurableHeartbeat(state, TIMING);
    this.#heartbeat.on('dead', ({ silentFor }) => this.#note({ name: 'dead', silentFor }));
    this.#heartbeat.on('replaced', () => this.#note({ name: 'replaced' }));
    this.#heartbeat.on('flood', () => this.#note({ name: 'flood' }));
    exportMetrics(this.#heartbeat, { meter: meterOf(this.#counts) });
    void this.#add('constructed', Date.now());
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (request.headers.get('upgrade') === 'websocket') {
      const { 0: client, 1: server } = new WebSocketPair();
      await this.#heartbeat.accept(server);
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname === '/drain') {
      await this.#heartbeat.drain({ within: 500, retryAfter: 1234 });
      return new Response('drained');
    }
    if (pathname === '/metrics') return Response.json(this.#counts);
    const { connections, detectionBound } = this.#heartbeat;
    const latencies = [...connections.values()].map(({ latency }) => latency);
    const stored = Object.fromEntries(await this.#state.storage.list());
    return Response.json({ ...stored, latencies, detectionBound, open: connections.size });
  }

  async webSocketMessage(socket, message) {
    await this.#count('woken');
    if (this.#heartbeat.message(socket, message)) return;
    await this.#note({ name: 'message', message: String(message) });
    socket.send(message);
  }

  webSocketClose(socket, code) {
    this.#heartbeat.closed(socket);
    socket.close(code === 1006 || code === 1005 ? 1000 : code);
  }

  async alarm() {
    await this.#heartbeat.alarm();
  }

  async #count(name) {
    const { storage } = this.#state;
    await storage.put(name, ((await storage.get(name)) ?? 0) + 1);
  }

  #note(event) {
    return this.#add('events', event);
  }

  async #add(name, value) {
    const { storage } = this.#state;
    await storage.put(name, [...((await storage.get(name)) ?? []), value]);
  }
}

/** A meter of OpenTelemetry that writes into `counts`. */
function meterOf(counts) {
  const add =
    (name) =>
    (value, labels = {}) => {
      const key = [name, ...Object.values(labels)].join(' ');
      counts[key] = (counts[key] ?? 0) + value;
    };
  return {
    createCounter: (name) => ({ add: add(name) }),
    createHistogram: (name) => ({ record: (_, labels) => add(name)(1, labels) }),
    createObservableGauge: () => ({ addCallback() {}, removeCallback() {} }),
  };
}

/** What the heartbeat for any runtime sends where nothing of Node is there. */
function answersHere() {
  const sent = [];
  const heartbeat = new RuntimeHeartbeat({
    send: (_, text) => sent.push(text),
    close: () => {},
    ping: (_, payload) => sent.push(payload),
  });
  const socket = {};
  heartbeat.opened(socket);
  heartbeat.message(socket, '\u0005wb');
  heartbeat.detach();
  return Response.json({ sent, process: typeof globalThis.process });
}

export default {
  fetch(request, env) {
    if (new URL(request.url).pathname === '/runtime') return answersHere();
    return env.ROOM.get(env.ROOM.idFromName('room')).fetch(request);
  },
};
