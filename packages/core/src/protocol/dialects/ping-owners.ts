/** An unanswered ping, and whether you or the application sent it. */
export interface PingOwner {
  readonly id: string;
  readonly isOurs: boolean;
}

/** The maximum number of unanswered pings kept, to limit memory if the peer never answers. */
const MAX_UNANSWERED = 16;

/**
 * Finds the ping that a pong answers if you and the application both send pings on one socket.
 * Pongs without an id come in the order of the pings, so each goes to the oldest one.
 */
export class PingOwners {
  readonly #unanswered: PingOwner[] = [];
  #asked = 0; // pings of the application, to name them
  #echoesIds = false; // a pong without an id then answers a ping that had none: the application's

  get isFull(): boolean {
    return this.#unanswered.length >= MAX_UNANSWERED;
  }

  /** Records a ping that you sent. */
  add(id: string): void {
    this.#push({ id, isOurs: true });
  }

  /**
   * Records a ping of the application, with its id if it has one. Returns the id to report with its
   * pong.
   */
  addForeign(id = `application-${++this.#asked}`): string {
    this.#push({ id, isOurs: false });
    return id;
  }

  /** Removes and returns the ping that a pong answers. */
  take(id?: string): PingOwner | undefined {
    const list = this.#unanswered;
    const at = id === undefined ? this.#oldest() : list.findIndex((ping) => ping.id === id);
    const owner = list[at];
    if (owner === undefined) return undefined;
    if (id !== undefined && owner.isOurs) this.#echoesIds = true;
    // A pong with an id also answers all older pings of the same side, as messages stay in order.
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
