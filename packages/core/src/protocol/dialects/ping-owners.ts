/** A ping that is unanswered, and whether you sent it or the application did. */
export interface PingOwner {
  readonly id: string;
  readonly isOurs: boolean;
}

/** More unanswered pings than this are not kept: a peer that never answers costs no memory. */
const MAX_UNANSWERED = 16;

/**
 * Finds the ping that a pong answers where you and the application both send pings on one socket.
 * Pongs without an id come in the order of the pings, so each goes to the oldest one.
 */
export class PingOwners {
  readonly #unanswered: PingOwner[] = [];
  #asked = 0; // pings of the application, to name them
  #echoesIds = false; // a pong without an id then answers a ping that had none: the application's

  get isFull(): boolean {
    return this.#unanswered.length >= MAX_UNANSWERED;
  }

  /** You sent a ping. */
  add(id: string): void {
    this.#push({ id, isOurs: true });
  }

  /** The application sent a ping, maybe with an id of its own. Returns the id to report its pong under. */
  addForeign(id = `application-${++this.#asked}`): string {
    this.#push({ id, isOurs: false });
    return id;
  }

  /** A pong came. Returns the ping that it answers, which is forgotten. */
  take(id?: string): PingOwner | undefined {
    const list = this.#unanswered;
    const at = id === undefined ? this.#oldest() : list.findIndex((ping) => ping.id === id);
    const owner = list[at];
    if (owner === undefined) return undefined;
    if (id !== undefined && owner.isOurs) this.#echoesIds = true;
    // A pong with an id answers all older pings of the same side too: messages keep their order.
    const isOlder = (ping: PingOwner, index: number) => index < at && ping.isOurs === owner.isOurs;
    const left = list.filter((ping, index) => index !== at && !isOlder(ping, index));
    list.splice(0, list.length, ...left);
    return owner;
  }

  #oldest(): number {
    return this.#echoesIds ? this.#unanswered.findIndex(({ isOurs }) => !isOurs) : 0;
  }

  #push(owner: PingOwner): void {
    if (this.isFull) this.#unanswered.shift();
    this.#unanswered.push(owner);
  }
}
