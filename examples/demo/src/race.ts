// The race: the browser's own WebSocket and a ReconnectingWebSocket at its defaults send the same
// messages over links that are cut at the same moment.
import { ReconnectingWebSocket } from '@wirebeat/client';
import { seconds } from './figures.ts';

const MESSAGE_INTERVAL = 1_000;
/** How long the answer to a message may take before the message counts as lost. */
const PATIENCE = 2_500;
/** How many messages of a lane are shown. */
const SHOWN = 60;

interface RaceSocket {
  readonly readyState: number;
  send(data: string): void;
  addEventListener(name: 'message', listener: (event: MessageEvent) => void): void;
}

interface Message {
  readonly sentAt: number;
  readonly dot: HTMLElement;
}

const page = crypto.randomUUID();
const url = `ws://${location.host}/socket?page=${page}`;
let cutAt: number | undefined;

/** One connection, and what became of its messages. */
class Lane {
  readonly #name: string;
  readonly #socket: RaceSocket;
  readonly #waiting: Map<number, Message> = new Map();
  #sent = 0;
  #answered = 0;
  lost = 0;
  /** How long after the cut a message was answered that was sent after it. */
  backAfter: number | undefined;

  constructor(name: string, socket: RaceSocket) {
    this.#name = name;
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data))));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  beat(): void {
    const now = performance.now();
    this.#giveUp(now);
    if (this.isOpen || this.#sent > 0) this.#send(now);
    const { OPEN, CONNECTING } = WebSocket;
    const words = new Map<number, string>([
      [OPEN, 'OPEN'],
      [CONNECTING, 'CONNECTING'],
    ]);
    element(`${this.#name}-state`).textContent = words.get(this.#socket.readyState) ?? 'CLOSED';
    const counts = `${this.#sent} sent, ${this.#answered} answered, ${this.lost} lost`;
    element(`${this.#name}-counts`).textContent = counts;
  }

  #send(now: number): void {
    const dot = document.createElement('span');
    dot.className = 'message';
    const track = element(`${this.#name}-track`);
    track.append(dot);
    if (track.childElementCount > SHOWN) track.firstElementChild?.remove();
    this.#sent += 1;
    this.#waiting.set(this.#sent, { sentAt: now, dot });
    this.#socket.send(JSON.stringify({ race: this.#sent }));
  }

  #receive({ race }: { race?: number }): void {
    const message = this.#waiting.get(race ?? 0);
    if (race === undefined || message === undefined) return;
    this.#waiting.delete(race);
    this.#answered += 1;
    message.dot.classList.add('answered');
    if (cutAt === undefined || message.sentAt < cutAt || this.backAfter !== undefined) return;
    this.backAfter = performance.now() - cutAt;
  }

  #giveUp(now: number): void {
    for (const [number, { sentAt, dot }] of this.#waiting) {
      if (now - sentAt < PATIENCE) continue;
      this.#waiting.delete(number);
      this.lost += 1;
      dot.classList.add('lost');
    }
  }
}

const plain = new Lane('plain', new WebSocket(url));
const wirebeat = new Lane('wirebeat', new ReconnectingWebSocket(url));

setInterval(() => {
  plain.beat();
  wirebeat.beat();
  if (cutAt !== undefined) showVerdict(performance.now() - cutAt);
}, MESSAGE_INTERVAL);

element('cut').addEventListener('click', async () => {
  const button = element('cut');
  if (cutAt !== undefined) return location.reload();
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  const { ok, status } = await fetch(`/faults/cut?page=${page}`, { method: 'POST' });
  if (!ok) {
    element('verdict').textContent = `The server refused to cut the link (${status}).`;
    return;
  }
  cutAt = performance.now();
  button.textContent = 'Start again';
  button.removeAttribute('aria-disabled');
});

function showVerdict(elapsed: number): void {
  const back = wirebeat.backAfter;
  const ours =
    back === undefined
      ? 'wirebeat: not back yet'
      : `wirebeat: back after ${seconds(back)}, ${wirebeat.lost} lost`;
  const state = plain.isOpen ? 'still OPEN' : 'closed';
  const theirs = `The browser’s own WebSocket: ${state} after ${seconds(elapsed)}, ${plain.lost} lost.`;
  element('verdict').textContent = `${ours}. ${theirs}`;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`unreachable: race.html has #${id}`);
  return found;
}
