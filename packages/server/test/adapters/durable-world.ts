import { vi } from 'vitest';
import { DurableHeartbeat, type DurableOptions } from '../../src/adapters/cloudflare.ts';
import type { DurableEvents } from '../../src/adapters/durable-events.ts';
import type { DurableSocket, DurableState } from '../../src/adapters/durable-object.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const NAMES = ['ping', 'pong', 'dead', 'flood', 'replaced', 'stall', 'end'] as const;
const STEP = 100; // ms
const FALLS_ASLEEP = 10_000; // ms without work: the platform's figure
const TRIP = 50; // ms

/** A socket of a Durable Object, with the page at its other end. */
export class FakeSocket implements DurableSocket {
  readyState = 1;
  closedWith: number | undefined;
  readonly sent: string[] = [];
  answeredAt: number | undefined;
  /** Of the page: how often it pings by itself, and since when it is gone. */
  pingsEvery = Number.POSITIVE_INFINITY;
  pingsAt = Number.POSITIVE_INFINITY;
  isGone = false;
  readonly #send: (text: string) => void;
  #attached: unknown;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  send(text: string): void {
    this.sent.push(text);
    this.#send(text);
  }

  close(code?: number): void {
    this.readyState = 2;
    this.closedWith = code;
  }

  serializeAttachment(value: unknown): void {
    this.#attached = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attached);
  }
}

/** A platform in virtual time: it puts the object to sleep, wakes it, and answers the routine ping. */
export class DurableWorld {
  /** When the object was constructed. */
  readonly constructed: number[] = [];
  readonly events: [
    name: string,
    event: DurableEvents<FakeSocket>[keyof DurableEvents<FakeSocket>],
  ][] = [];
  readonly sockets: FakeSocket[] = [];
  alarmAt: number | null = null;
  /** The messages under way: those of pages to the object. */
  readonly #coming: { at: number; socket: FakeSocket; text: string }[] = [];
  readonly #options: DurableOptions | undefined;
  #heartbeat: DurableHeartbeat<FakeSocket> | undefined;
  #usedAt = 0;

  constructor(options?: DurableOptions) {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'], now: 1e12 });
    vi.stubGlobal('WebSocketRequestResponsePair', class {});
    this.#options = options;
  }

  end(): void {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  }

  /** The heartbeat, after waking the object if it slept. */
  wake(): DurableHeartbeat<FakeSocket> {
    this.#usedAt = Date.now();
    if (this.#heartbeat !== undefined) return this.#heartbeat;
    this.constructed.push(Date.now());
    const heartbeat = new DurableHeartbeat<FakeSocket>(this.#state(), this.#options);
    for (const name of NAMES) {
      heartbeat.on(name, (event) => this.events.push([name, event]));
    }
    this.#heartbeat = heartbeat;
    return heartbeat;
  }

  /** Something else keeps the object from sleeping. */
  keepAwake(): void {
    setTimeout(() => {}, 2 ** 31 - 1);
  }

  get isAsleep(): boolean {
    return this.#heartbeat === undefined;
  }

  /** The platform restarts the object: what is in memory is lost. */
  restart(): void {
    const now = Date.now();
    vi.clearAllTimers(); // also sets the clock back
    vi.setSystemTime(now);
    this.#heartbeat = undefined;
  }

  /** A page connects. It sends a first ping if it has a heartbeat. */
  async connect({ first = `${PING}.a1;v=1`, pingsEvery = Number.POSITIVE_INFINITY } = {}) {
    const socket: FakeSocket = new FakeSocket((text) => this.#toPage(socket, text));
    await this.wake().accept(socket);
    if (first !== '') this.wake().message(socket, first);
    socket.pingsEvery = pingsEvery;
    socket.pingsAt = Date.now() + pingsEvery;
    return socket;
  }

  /** Lets time pass, in steps of 100 ms. */
  async run(duration: number): Promise<void> {
    for (let passed = 0; passed < duration; passed += STEP) {
      await vi.advanceTimersByTimeAsync(STEP);
      await this.#step();
    }
  }

  /** Delivers what has arrived while nothing ran. */
  deliver(): void {
    for (const { socket, text } of this.#coming.splice(0)) this.wake().message(socket, text);
  }

  /** The events with this name. */
  of<Name extends keyof DurableEvents<FakeSocket>>(name: Name): DurableEvents<FakeSocket>[Name][] {
    return this.events.filter((each) => each[0] === name).map(([, event]) => event as never);
  }

  /** The sockets that were found dead. */
  get dead(): FakeSocket[] {
    return this.of('dead').map(({ socket }) => socket);
  }

  async #step(): Promise<void> {
    const now = Date.now();
    for (const socket of this.sockets) this.#pingOf(socket, now);
    const due = this.#coming.filter(({ at }) => at <= now);
    for (const message of due) {
      this.#coming.splice(this.#coming.indexOf(message), 1);
      if (message.socket.readyState === 1) this.wake().message(message.socket, message.text);
    }
    if (this.alarmAt !== null && this.alarmAt <= now) {
      this.alarmAt = null;
      await this.wake().alarm();
    }
    const isIdle = now - this.#usedAt >= FALLS_ASLEEP && vi.getTimerCount() === 0;
    if (isIdle) this.#sleep();
  }

  /** As in workerd, a socket that is being closed says that it is open when it wakes with the object. */
  #sleep(): void {
    this.#heartbeat = undefined;
    for (const socket of this.sockets) if (socket.readyState === 2) socket.readyState = 1;
  }

  /** The platform answers the routine ping of a page without waking the object. */
  #pingOf(socket: FakeSocket, now: number): void {
    if (socket.isGone || socket.readyState !== 1 || socket.pingsAt > now) return;
    socket.pingsAt = now + socket.pingsEvery;
    socket.answeredAt = now;
  }

  #toPage(socket: FakeSocket, text: string): void {
    if (socket.isGone || !text.startsWith(PING)) return;
    const answer = `${PONG}${text.slice(PING.length)}`;
    this.#coming.push({ at: Date.now() + TRIP, socket, text: answer });
  }

  #state(): DurableState<FakeSocket> {
    return {
      acceptWebSocket: (socket) => void this.sockets.push(socket),
      getWebSockets: () => this.sockets.filter(({ readyState }) => readyState < 3),
      setWebSocketAutoResponse: () => {},
      getWebSocketAutoResponseTimestamp: ({ answeredAt }) => {
        return answeredAt === undefined ? null : new Date(answeredAt);
      },
      storage: {
        getAlarm: async () => this.alarmAt,
        setAlarm: async (time) => {
          this.alarmAt = time;
        },
      },
    };
  }
}
