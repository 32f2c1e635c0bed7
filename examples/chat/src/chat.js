import { Delivery, prepareWith, ReconnectingWebSocket } from '@wirebeat/client';

/** How far a message has come. */
export const TICKS = { waiting: '…', arrived: '✓', stored: '✓✓' };

/**
 * The connection of one user to the chat, without a page: rooms that are joined again on each
 * connection, messages that arrive once, and the end when the user is signed out.
 */
export class Chat {
  socket;
  #delivery = new Delivery({ resend: true }); // the server leaves out what it has already
  #rooms = new Map(); // to the number of the last message that was shown
  #on;
  #isSignedOut = false;

  /** `on` has functions: `message(message)`, `tick(id, tick)` and `signedOut()`. */
  constructor(user, on) {
    this.#on = on;
    this.socket = new ReconnectingWebSocket((attempt) => this.#address(user, attempt), [], {
      delivery: this.#delivery,
      ready: prepareWith((socket) => {
        for (const room of this.#rooms.keys()) socket.send(this.#joining(room));
      }),
      shouldReconnect: ({ reason }) => reason !== 'fatal' && !this.#isSignedOut,
    });
    this.socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data)));
    this.socket.addEventListener('giveup', () => on.signedOut());
  }

  join(room) {
    if (this.#rooms.has(room)) return;
    this.#rooms.set(room, 0);
    if (this.socket.readyState === 1) this.socket.send(this.#joining(room)); // else `ready` does
  }

  /** Sends a message, now or when there is a connection. Returns its id. */
  say(room, text) {
    const id = crypto.randomUUID();
    this.socket.send(JSON.stringify({ type: 'say', room, id, text }));
    this.#on.tick(id, TICKS.waiting);
    this.#delivery.flushed().then(
      () => this.#on.tick(id, TICKS.arrived),
      () => {}, // the user has signed out
    );
    return id;
  }

  close() {
    this.socket.close();
  }

  /** A new token for each attempt. */
  async #address(user, { signal }) {
    const path = `/token?user=${encodeURIComponent(user)}`;
    const response = await fetch(path, { method: 'POST', signal });
    this.#isSignedOut = response.status === 401;
    if (!response.ok) throw new Error(`no token: ${response.status}`);
    const { protocol, host } = location;
    const live = `${protocol.replace('http', 'ws')}//${host}/live`;
    return `${live}?token=${encodeURIComponent(await response.text())}`;
  }

  #joining(room) {
    return JSON.stringify({ type: 'join', room, since: this.#rooms.get(room) });
  }

  #receive(message) {
    const { room, n, id } = message;
    const last = this.#rooms.get(room) ?? 0;
    this.#on.tick(id, TICKS.stored);
    if (n <= last) return; // shown before: a room was joined twice
    this.#rooms.set(room, n);
    this.#on.message(message);
  }
}
