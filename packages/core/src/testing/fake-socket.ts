import { CloseCode } from '../close-code.ts';
import { ReadyState, type SocketEvent, type WebSocketLike } from '../socket.ts';
import type { Scheduler } from '../time.ts';
import { Link, LinkEnd, Path } from './link.ts';

type Listener = (event: SocketEvent) => void;

/**
 * A WebSocket that is joined to another one in the same program. What it sends arrives in order, by
 * a scheduler's time, as its `path` lets it. If the scheduler is frozen, the socket is.
 */
export class FakeSocket implements WebSocketLike {
  readonly #scheduler: Scheduler;
  readonly #listeners: Map<string, Listener[]> = new Map();
  #peer: FakeSocket | undefined;
  readyState: number = ReadyState.Connecting;
  bufferedAmount = 0;
  /** The path of the messages that this side sends. */
  readonly path: Path;
  /** Everything that was sent, in order. */
  readonly sentMessages: unknown[] = [];
  onopen: Listener | null = null;
  onmessage: Listener | null = null;
  onerror: Listener | null = null;
  onclose: Listener | null = null;

  /** On an end of a {@link Link} it takes the path of that, else one of its own. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.path = scheduler instanceof LinkEnd ? scheduler.path : new Path(scheduler);
  }

  /** Joins both sides; each opens when word of it has taken the other's path. */
  static join(one: FakeSocket, other: FakeSocket): void {
    one.#peer = other;
    other.#peer = one;
    other.#deliver((peer) => peer.#open());
    one.#deliver((peer) => peer.#open());
  }

  send(data: unknown): void {
    if (this.readyState === ReadyState.Connecting) throw new Error('not open yet');
    if (this.readyState !== ReadyState.Open) return;
    this.sentMessages.push(data);
    this.#deliver((peer) => peer.#receive(data));
  }

  /** Starts the closing handshake. Over a path that is cut, it never ends. */
  close(code: number = CloseCode.NoStatus, reason = ''): void {
    if (this.readyState >= ReadyState.Closing) return;
    this.readyState = ReadyState.Closing;
    this.#deliver((peer) => {
      if (peer.readyState === ReadyState.Closed) return; // terminated: it does not answer
      peer.#end(code, reason, true);
      peer.#deliver((self) => self.#end(code, reason, true));
    });
  }

  /** Closes at once without notifying the peer, as if the process died and the cable was cut. */
  terminate(): void {
    this.#end(CloseCode.Abnormal, '', false);
  }

  addEventListener(type: string, listener: Listener): void {
    const list = this.#listeners.get(type) ?? [];
    if (!list.includes(listener)) this.#listeners.set(type, [...list, listener]);
  }

  removeEventListener(type: string, listener: Listener): void {
    const list = this.#listeners.get(type) ?? [];
    this.#listeners.set(
      type,
      list.filter((other) => other !== listener),
    );
  }

  /** The number of listeners, without handlers. */
  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, list) => sum + list.length, 0);
  }

  /** Calls listeners in the order of their registration, then the handler. */
  dispatchEvent(event: SocketEvent): boolean {
    let stopped = false;
    const shown = Object.assign(event, { stopImmediatePropagation: () => (stopped = true) });
    for (const listener of this.#listeners.get(event.type) ?? []) {
      if (!stopped) listener(shown);
    }
    const handler = this[`on${event.type}` as 'onmessage'];
    if (!stopped) handler?.(shown);
    return true;
  }

  #receive(data: unknown): void {
    if (this.readyState === ReadyState.Open) this.dispatchEvent({ type: 'message', data });
  }

  #open(): void {
    if (this.readyState !== ReadyState.Connecting) return;
    this.readyState = ReadyState.Open;
    this.dispatchEvent({ type: 'open' });
  }

  #end(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === ReadyState.Closed) return;
    this.readyState = ReadyState.Closed;
    this.dispatchEvent({ type: 'close', code, reason, wasClean });
  }

  #deliver(arrive: (peer: FakeSocket) => void): void {
    const peer = this.#peer;
    if (peer !== undefined) this.path.carry(peer.#scheduler, () => arrive(peer));
  }
}

/** Two sockets of one connection, which opens by the scheduler's time; over a link, one at each end. */
export function fakeSocketPair(over: Scheduler | Link): [FakeSocket, FakeSocket] {
  const [one, other] = over instanceof Link ? over.ends : [over, over];
  const pair: [FakeSocket, FakeSocket] = [new FakeSocket(one), new FakeSocket(other)];
  FakeSocket.join(...pair);
  return pair;
}
