/** How long the answer to a message may take before the message counts as lost, in ms. */
const PATIENCE = 2_500;
/** How many messages of a lane are shown. */
const SHOWN = 60;

/** The connection of a lane, whatever library has opened it. */
export interface LaneSocket {
  readonly state: 'OPEN' | 'CONNECTING' | 'CLOSED';
  send(text: string): void;
  /** Calls `listener` with each message. */
  onMessage(listener: (text: string) => void): void;
  /** Calls `listener` each time that a connection was opened. */
  onOpen(listener: () => void): void;
}

/** What became of the messages of a lane so far. */
export interface LaneResult {
  readonly title: string;
  readonly state: LaneSocket['state'];
  /** Messages without an answer. */
  readonly lost: number;
  /** How many times a connection was opened. */
  readonly connections: number;
  /** How long after the fault a message was answered that was sent after it, in ms. */
  readonly backAfter: number | undefined;
}

interface Message {
  readonly sentAt: number;
  readonly dot: HTMLElement;
  isLost: boolean;
}

/** One connection, its messages, and where the page shows them. */
export class Lane {
  readonly #title: string;
  readonly #socket: LaneSocket;
  readonly #state: HTMLElement;
  readonly #counts: HTMLElement;
  readonly #track: HTMLElement;
  readonly #waiting: Map<number, Message> = new Map();
  #sent = 0;
  #answered = 0;
  #lost = 0;
  #connections = 0;
  #faultAt: number | undefined;
  #backAfter: number | undefined;

  /** `section` has a heading, and elements with the classes `state`, `counts` and `track`. */
  constructor(section: HTMLElement, socket: LaneSocket) {
    const part = (selector: string) => {
      const found = section.querySelector<HTMLElement>(selector);
      if (found === null) throw new Error(`unreachable: race.html has ${selector}`);
      return found;
    };
    this.#title = part('h2').textContent ?? '';
    this.#state = part('.state');
    this.#counts = part('.counts');
    this.#track = part('.track');
    this.#socket = socket;
    socket.onMessage((text) => this.#receive(JSON.parse(text)));
    socket.onOpen(() => {
      this.#connections += 1;
    });
  }

  get result(): LaneResult {
    return {
      title: this.#title,
      state: this.#socket.state,
      lost: this.#lost,
      connections: this.#connections,
      backAfter: this.#backAfter,
    };
  }

  /** A fault begins now. */
  hurt(): void {
    this.#faultAt = performance.now();
  }

  /** Sends the next message, and shows what became of the others. */
  beat(): void {
    const now = performance.now();
    for (const message of this.#waiting.values()) {
      if (!message.isLost && now - message.sentAt >= PATIENCE) this.#lose(message);
    }
    if (this.#socket.state === 'OPEN' || this.#sent > 0) this.#send(now);
    this.#show();
  }

  #send(now: number): void {
    const dot = document.createElement('span');
    dot.className = 'message';
    this.#track.append(dot);
    if (this.#track.childElementCount > SHOWN) this.#track.firstElementChild?.remove();
    this.#sent += 1;
    this.#waiting.set(this.#sent, { sentAt: now, dot, isLost: false });
    this.#socket.send(JSON.stringify({ race: this.#sent }));
  }

  #receive({ race = 0 }: { readonly race?: number }): void {
    const message = this.#waiting.get(race);
    if (message === undefined) return;
    this.#waiting.delete(race);
    if (message.isLost) this.#lost -= 1; // it was only late
    this.#answered += 1;
    message.dot.className = message.isLost ? 'message late' : 'message answered';
    if (this.#faultAt !== undefined && message.sentAt >= this.#faultAt) {
      this.#backAfter ??= performance.now() - this.#faultAt;
    }
  }

  #lose(message: Message): void {
    message.isLost = true;
    message.dot.classList.add('lost');
    this.#lost += 1;
  }

  #show(): void {
    this.#state.textContent = this.#socket.state;
    const counts = [`${this.#sent} sent`, `${this.#answered} answered`, `${this.#lost} lost`];
    if (this.#connections > 1) counts.push(`${this.#connections} connections so far`);
    this.#counts.textContent = counts.join(', ');
  }
}
