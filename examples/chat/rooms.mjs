// What was said in each room, in order.

/** How many messages of a room are kept. */
const KEPT = 1_000;

/** The messages of all rooms. Each has a number in its room, and the id that its sender gave it. */
export class Rooms {
  #rooms = new Map();

  /** Adds a message. Returns it with its number, or undefined if it came before. */
  add(room, { id, from, text }) {
    const { messages, ids } = this.#find(room);
    if (ids.has(id)) return undefined; // sent again, because its sender did not know that it had arrived
    const message = { room, n: (messages.at(-1)?.n ?? 0) + 1, id, from, text };
    messages.push(message);
    ids.add(id);
    if (messages.length > KEPT) ids.delete(messages.shift().id);
    return message;
  }

  /** Returns the messages of a room after a number. */
  since(room, n) {
    return this.#find(room).messages.filter((message) => message.n > n);
  }

  #find(room) {
    const found = this.#rooms.get(room) ?? { messages: [], ids: new Set() };
    this.#rooms.set(room, found);
    return found;
  }
}
