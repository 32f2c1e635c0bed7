/** What a {@link ConnectionMap} keeps. */
export interface Member {
  readonly socket: object;
  /** Where it stands in the roster, which alone sets it. */
  place: number;
}

/**
 * The connections of one server, by their sockets: each socket leads to its own by a property that
 * nothing else sees. A `Map` would take up to 56 bytes of each, and a look into memory more.
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

  /** The last one takes its place. */
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

  /** As they are now, whoever leaves meanwhile. */
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
