// A ReconnectingWebSocket that sends numbered messages over links on which anything may happen, and what
// the server's WebSocket layer has read of them: what the properties of delivery run.
import type { Instant, Timer } from '@wirebeat/core';
import { decodeBeat, ReadyState } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { expect } from 'vitest';
import { Delivery } from '../src/outbox/delivery.ts';
import type { ReconnectOptions } from '../src/reconnect/options.ts';
import { prepareWith } from '../src/reconnect/prepare-with.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import {
  FakeServer,
  KINDS,
  type Kind,
  type Link,
  minimalPeer,
  sessionServer,
} from './fake-server.ts';

/** What a server that will not take a message closes with. */
const REFUSALS = [1003, 1007, 1008, 1009] as const;
/** How the server answers pings. */
const ANSWERS = ['all', 'bare ones alone', 'the latest after a while', 'none'] as const;
/** So long a pong waits for a later ping. */
const HELD_FOR = 400;

/** Knows when something is due, so that the world can stop there. */
class SteppedScheduler extends VirtualScheduler {
  readonly #due: Set<{ readonly due: Instant }> = new Set();

  override at(due: Instant, callback: () => void): Timer {
    const entry = { due };
    this.#due.add(entry);
    const timer = super.at(due, () => {
      this.#due.delete(entry);
      callback();
    });
    return {
      cancel: () => {
        this.#due.delete(entry);
        timer.cancel();
      },
    };
  }

  /** When the next callback is due; `Infinity` if none is. */
  get next(): Instant {
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#due) next = Math.min(next, due);
    return next;
  }
}

interface Message {
  readonly text: string;
  /** The connection that it was last written to; undefined while it waits. */
  link: Link | undefined;
  /** How often it was read. */
  reads: number;
  wasDropped: boolean;
  /** A listener of `open` sent it: it belongs to its connection, and is not sent again. */
  readonly isGreeting: boolean;
  readonly refusal: number | undefined;
}

export interface Setting {
  readonly kind: Kind;
  readonly seed: number;
  readonly confirm: boolean;
  readonly resend: boolean;
  readonly makeBeforeBreak: boolean | undefined;
  readonly hasSessions: boolean;
  readonly greets: boolean;
  readonly isReadied: boolean;
  readonly pingInterval: number | false;
  readonly latency: number;
  /** Bytes that leave the client in a ms. */
  readonly bandwidth: number;
  readonly answers: (typeof ANSWERS)[number];
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly type: 'send'; readonly size: number }
  | { readonly type: 'poison'; readonly code: number; readonly size: number }
  | { readonly type: 'advance'; readonly by: number }
  | { readonly type: 'peer closes'; readonly code: number }
  | { readonly type: 'outage'; readonly for: number }
  | { readonly type: 'greet'; readonly greeting: FakeServer['greeting'] }
  | { readonly type: 'answer'; readonly answers: Setting['answers'] }
  | { readonly type: 'flush' | 'cut' | 'deafen' | 'silence' | 'reset' | 'reconnect' | 'ping' };

/** The socket, its server, and every message that it was given. */
export class DeliveryWorld {
  readonly scheduler: SteppedScheduler = new SteppedScheduler();
  readonly server: FakeServer;
  readonly socket: ReconnectingWebSocket;
  readonly delivery: Delivery;
  readonly messages: Message[] = [];
  /** In the order in which they were read first. */
  readonly firstReads: Message[] = [];
  /** Calls of `flushed()` that have neither resolved nor rejected. */
  flushing = 0;
  answers: Setting['answers'];
  readonly #setting: Setting;
  readonly #ended: Set<Link> = new Set();
  readonly #held: Map<Link, string> = new Map();

  constructor(setting: Setting) {
    this.#setting = setting;
    this.answers = setting.answers;
    this.server = new FakeServer(this.scheduler, setting.kind);
    this.server.latency = setting.latency;
    const answer = setting.hasSessions ? sessionServer() : minimalPeer;
    this.server.answer = (text, link) => this.#receive(text, link, answer);
    this.delivery = new Delivery({ confirm: setting.confirm, resend: setting.resend });
    this.socket = this.#dial();
    this.socket.addEventListener('open', () => setting.greets && this.#send(1, true));
    this.socket.addEventListener('drop', ({ detail }) => {
      for (const text of detail.messages) {
        const message = this.#messageOf(text);
        expect(detail.reason).toBe('undeliverable');
        expect(message?.refusal).toBeDefined(); // the others can be delivered
        if (message !== undefined) message.wasDropped = true;
      }
    });
  }

  async act(step: Step): Promise<void> {
    const { server, socket, scheduler } = this;
    const { last } = server;
    switch (step.type) {
      case 'send':
        this.#send(step.size);
        break;
      case 'poison':
        this.#send(step.size, false, step.code);
        break;
      case 'advance':
        return this.advance(step.by);
      case 'flush':
        this.#flush();
        break;
      case 'peer closes':
        last.peer.close(step.code);
        break;
      case 'outage':
        last.wire.path.loss = last.peer.path.loss = 1;
        scheduler.at(scheduler.now() + step.for, () => {
          last.wire.path.loss = last.peer.path.loss = 0;
        });
        break;
      case 'greet':
        server.greeting = step.greeting;
        break;
      case 'answer':
        this.answers = step.answers;
        break;
      case 'cut':
        last.cut();
        break;
      case 'deafen':
        last.peer.path.cut = true; // what is sent arrives, and nobody learns that it did
        break;
      case 'silence':
        last.wire.path.cut = true; // nothing that is sent arrives, and the server goes on
        break;
      case 'reset':
        last.reset();
        break;
      case 'reconnect':
        socket.reconnect();
        break;
      case 'ping':
        socket.ping({ id: 'mine' }).catch(() => {}); // is out already, or there is no connection
        break;
      default:
        step satisfies never;
    }
    await this.advance(0);
  }

  /** Lets time pass from one thing that happens to the next, so that promises settle in between. */
  async advance(by: number): Promise<void> {
    const { scheduler } = this;
    const end = scheduler.now() + by;
    for (let next = scheduler.next; next <= end; next = scheduler.next) {
      scheduler.advanceTo(next);
      await settle();
    }
    scheduler.advanceTo(end);
    await settle();
  }

  /** From here nothing goes wrong but what a message itself brings about. */
  async recover(): Promise<void> {
    const { server } = this;
    this.answers = 'all';
    server.greeting = 'accept';
    for (const { wire, peer } of server.links) wire.path.loss = peer.path.loss = 0;
    await this.advance(10_000);
    this.socket.reconnect(); // the last may be one that nobody judges
    for (let times = 0; times < 50 && !this.#isDone; times += 1) await this.advance(20_000);
  }

  get #isDone(): boolean {
    const isWaitedFor = this.delivery.unconfirmed.length > 0 || this.flushing > 0;
    return !isWaitedFor && (!this.#setting.resend || this.#owed().length === 0);
  }

  /** What has neither been read nor handed back, and is not lost with its connection. */
  #owed(): Message[] {
    return this.messages.filter(({ reads, wasDropped, isGreeting }) => {
      return reads === 0 && !wasDropped && !isGreeting;
    });
  }

  /** With `resend`: each message was read or handed back, and first reads are in order. */
  expectAllThere(): void {
    expect(this.#owed().map(({ text }) => text.slice(0, 9))).toEqual([]);
    expect(this.delivery.unconfirmed.map((text) => String(text).slice(0, 9))).toEqual([]);
    expect(this.flushing).toBe(0);
    const reads = this.firstReads.filter(({ isGreeting }) => !isGreeting);
    const inOrder = this.messages.filter((message) => reads.includes(message));
    expect(reads.map((message) => this.messages.indexOf(message))).toEqual(
      inOrder.map((message) => this.messages.indexOf(message)),
    );
    for (const { refusal, wasDropped } of this.messages)
      expect(wasDropped).toBe(refusal !== undefined);
  }

  #dial(): ReconnectingWebSocket {
    const { makeBeforeBreak, seed, isReadied, pingInterval } = this.#setting;
    const options: ReconnectOptions = {
      scheduler: this.scheduler,
      random: seededRandom(seed),
      WebSocket: this.#slowSockets(),
      delivery: this.delivery,
      pingInterval,
      pingTimeout: 3_000,
      backoff: { maxDelay: 2_000 },
      ...(makeBeforeBreak !== undefined && { makeBeforeBreak }),
      ...(isReadied && { ready: prepareWith(() => undefined) }),
    };
    return new ReconnectingWebSocket('ws://test/', [], options);
  }

  /** Sockets whose bytes leave one after the other, and wait in `bufferedAmount` until they do. */
  #slowSockets(): FakeServer['WebSocket'] {
    const { scheduler, server } = this;
    const { bandwidth, latency } = this.#setting;
    const written = (data: unknown, link: Link | undefined) => {
      const message = this.#messageOf(data);
      if (message !== undefined) message.link = link;
    };
    return class extends server.WebSocket {
      #freeAt = 0;

      override send(data: unknown): void {
        const wire = this as unknown as { bufferedAmount: number };
        const link = server.links.find(({ client }) => client === (this as unknown));
        if (link === undefined || this.readyState !== ReadyState.Open)
          return super.send(data as never);
        const size = String(data).length;
        const now = scheduler.now();
        this.#freeAt = Math.max(now, this.#freeAt) + Math.ceil(size / bandwidth);
        link.wire.path.latency = this.#freeAt - now + latency;
        written(data, link);
        wire.bufferedAmount += size;
        scheduler.at(this.#freeAt, () => {
          if (!link.wire.path.cut) wire.bufferedAmount -= size;
        });
        super.send(data as never);
      }
    };
  }

  #send(size: number, isGreeting = false, refusal?: number): void {
    const text = `${this.messages.length}:`.padEnd(size, 'x');
    this.messages.push({
      text,
      link: undefined,
      reads: 0,
      wasDropped: false,
      isGreeting,
      refusal,
    });
    this.socket.send(text);
  }

  /** When it resolves, the server has read all that was to be read then. */
  #flush(): void {
    const { resend } = this.#setting;
    const covered = this.messages.filter(({ link, isGreeting, wasDropped }) => {
      const isLost = link !== undefined && this.#isLost(link) && (isGreeting || !resend);
      return !isLost && !wasDropped;
    });
    this.flushing += 1;
    this.delivery
      .flushed()
      .then(
        () => {
          this.flushing -= 1;
          expect(covered.every(({ reads }) => reads > 0)).toBe(true);
        },
        () => (this.flushing -= 1),
      )
      .catch((error) => (this.failure ??= error));
  }

  /** What an expectation in a promise found. */
  failure: unknown;

  #isLost(link: Link): boolean {
    return this.#ended.has(link) || link.client.readyState > ReadyState.Open;
  }

  #messageOf(data: unknown): Message | undefined {
    const number = /^(\d+):/.exec(String(data))?.[1];
    return number === undefined ? undefined : this.messages[Number(number)];
  }

  #receive(text: string, link: Link, answer: FakeServer['answer']): string | undefined {
    const message = this.#messageOf(text);
    if (message?.refusal !== undefined) {
      link.peer.close(message.refusal, 'not that');
      return undefined;
    }
    if (message !== undefined) {
      if (message.reads === 0) this.firstReads.push(message);
      message.reads += 1;
      return undefined;
    }
    const pong = answer(text, link);
    if (this.answers === 'all') return pong;
    if (this.answers === 'bare ones alone') return isBare(text) ? pong : undefined;
    if (this.answers === 'the latest after a while' && pong !== undefined) this.#hold(link, pong);
    return undefined;
  }

  #hold(link: Link, pong: string): void {
    const isFirst = !this.#held.has(link);
    this.#held.set(link, pong);
    if (!isFirst) return;
    this.scheduler.at(this.scheduler.now() + HELD_FOR, () => {
      if (link.peer.readyState === ReadyState.Open) link.peer.send(this.#held.get(link));
      this.#held.delete(link);
    });
  }
}

function isBare(text: string): boolean {
  return decodeBeat(text)?.id === undefined;
}

/** Runs what promises have to do; time stands still. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 6; turns += 1) await undefined;
}

const size = fc.oneof(fc.nat(20), fc.nat(5_000));
const wait = fc.oneof(
  { weight: 3, arbitrary: fc.nat(6_000) },
  { weight: 2, arbitrary: fc.nat(60) },
);
const STEPS: Readonly<Record<Step['type'], fc.Arbitrary<Step>>> = {
  send: fc.record({ type: fc.constant('send'), size }),
  poison: fc.record({ type: fc.constant('poison'), size, code: fc.constantFrom(...REFUSALS) }),
  advance: fc.record({ type: fc.constant('advance'), by: wait }),
  'peer closes': fc.record({
    type: fc.constant('peer closes'),
    code: fc.constantFrom(1000, 1001, 1011, 1012, 4000),
  }),
  outage: fc.record({ type: fc.constant('outage'), for: fc.nat(4_000) }),
  greet: fc.record({
    type: fc.constant('greet'),
    greeting: fc.constantFrom('accept' as const, 'refuse' as const, 'ignore' as const),
  }),
  answer: fc.record({ type: fc.constant('answer'), answers: fc.constantFrom(...ANSWERS) }),
  flush: fc.record({ type: fc.constant('flush') }),
  cut: fc.record({ type: fc.constant('cut') }),
  deafen: fc.record({ type: fc.constant('deafen') }),
  silence: fc.record({ type: fc.constant('silence') }),
  reset: fc.record({ type: fc.constant('reset') }),
  reconnect: fc.record({ type: fc.constant('reconnect') }),
  ping: fc.record({ type: fc.constant('ping') }),
};

/** Any step of these types. */
export function stepOf(...types: readonly Step['type'][]): fc.Arbitrary<Step> {
  return fc.oneof(...types.map((type) => STEPS[type]));
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: stepOf('send') },
  { weight: 4, arbitrary: stepOf('advance') },
  { weight: 1, arbitrary: stepOf('flush') },
  { weight: 4, arbitrary: stepOf(...(Object.keys(STEPS) as Step['type'][])) },
);

/** What may be the case, and what may happen. */
export const setting: fc.Arbitrary<Setting> = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.integer(),
  confirm: fc.boolean(),
  resend: fc.boolean(),
  makeBeforeBreak: fc.constantFrom(undefined, true, false),
  hasSessions: fc.boolean(),
  greets: fc.boolean(),
  isReadied: fc.boolean(),
  pingInterval: fc.constantFrom(4_000 as const, 25_000 as const, false as const),
  latency: fc.constantFrom(1, 20, 300),
  bandwidth: fc.constantFrom(5, 50, 1_000_000),
  answers: fc.constantFrom('all' as const, ...ANSWERS),
  steps: fc.array(step, { maxLength: 30 }),
});
