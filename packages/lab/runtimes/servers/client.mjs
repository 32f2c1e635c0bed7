// A client of the suite: a WebSocket that does as it is told, and remembers what came.
import { WebSocket } from 'ws';

const OPEN_LIMIT = 20_000; // ms
/** A ping without the ENQ that it begins with. */
const PING = /^wb(\.[\w-]+)?(;[A-Za-z]+=[\w-]+)*$/;

export class Client {
  /** The texts that came, without pings that were answered. */
  texts = [];
  /** How many application pings and protocol Pings came. */
  pings = 0;
  protocolPings = 0;
  /** How it was closed: `{ code, reason }`. */
  closed;
  socket;
  #answers;

  /** `answers`: application pings. `autoPong`: protocol Pings. */
  static async open(url, { answers = true, autoPong = true } = {}) {
    const client = new Client(new WebSocket(url, { autoPong }), answers);
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
      setTimeout(() => reject(new Error('did not open')), OPEN_LIMIT).unref();
    });
    return client;
  }

  constructor(socket, answers) {
    this.socket = socket;
    this.#answers = answers;
    socket.on('error', () => {});
    socket.on('ping', () => (this.protocolPings += 1));
    socket.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }));
    socket.on('message', (data) => this.#receive(String(data)));
  }

  send(text) {
    this.socket.send(text);
  }

  end() {
    this.socket.terminate();
  }

  #receive(text) {
    if (!text.startsWith('\u0005') || !PING.test(text.slice(1))) return this.texts.push(text);
    this.pings += 1;
    const [id] = text.slice(1).split(';');
    if (this.#answers) this.send(`\u0006${id}`);
  }
}

/** Resolves once `holds` returns something true, to what it returned. */
export async function until(what, limit, holds) {
  const end = performance.now() + limit;
  for (;;) {
    const held = await holds();
    if (held) return held;
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${what}`);
    await pause(25);
  }
}

export function pause(duration) {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

export function must(condition, what) {
  if (!condition) throw new Error(what);
}
