/** An entry of a {@link ConnectionMap}. */
export interface Member {
  readonly socket: object;
  /** Index in the map. Only the map sets it. */
  place: number;
}

/**
 * The connections of one server by socket. Each socket refers to its connection with a property under a
 * private symbol. A `Map` would use up to 56 more bytes per connection, and one more memory access per
 * lookup.
 */
export class ConnectionMap<Socket extends object, Of extends Member>
  implements ReadonlyMap<Socket, Of>
{
  readonly #key: symbol = Symbol('heartbeat');
  readonly #members: Of[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Of): void {
    member.place = this.#members.push(member) - 1;
    Object.defineProperty(member.socket, this.#key, { value: member, configurable: true });
  }

  /** Removes an entry. The last entry moves to its index. */
  delete(socket: Socket): void {
    const member = this.get(socket);
    if (member === undefined) return;
    const last = this.#members.pop() as Of;
    if (last !== member) {
      last.place = member.place;
      this.#members[member.place] = last;
    }
    Reflect.deleteProperty(socket, this.#key);
  }

  get(socket: Socket): Of | undefined {
    return (socket as { readonly [key: symbol]: Of | undefined })[this.#key];
  }

  has(socket: Socket): boolean {
    return this.get(socket) !== undefined;
  }

  forEach(act: (member: Of, socket: Socket, roster: ReadonlyMap<Socket, Of>) => void): void {
    for (const member of this.values()) act(member, member.socket as Socket, this);
  }

  *keys(): Generator<Socket, undefined> {
    for (const { socket } of this.values()) yield socket as Socket;
  }

  /** Iterates over a copy, so that entries may be deleted meanwhile. */
  *values(): Generator<Of, undefined> {
    yield* [...this.#members];
  }

  *entries(): Generator<[Socket, Of], undefined> {
    for (const member of this.values()) yield [member.socket as Socket, member];
  }

  [Symbol.iterator](): Generator<[Socket, Of], undefined> {
    return this.entries();
  }
}
