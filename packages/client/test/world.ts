// A socket that reconnects, in a world in which anything may happen: what the property tests run.
import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { expect } from 'vitest';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import {
  autoResponder,
  FakeServer,
  KINDS,
  type Kind,
  type Link,
  minimalPeer,
  silentPeer,
} from './fake-server.ts';

const ANSWERS = { minimal: minimalPeer, auto: autoResponder, silent: silentPeer } as const;

/** The time of one program: counts the timers that wait, those of the network left out. */
export class CountingScheduler implements Scheduler {
  readonly #world: VirtualScheduler;
  readonly #waiting: Set<Timer> = new Set();

  constructor(world: VirtualScheduler) {
    this.#world = world;
  }

  get pending(): number {
    return this.#waiting.size;
  }

  now(): Instant {
    return this.#world.now();
  }

  at(due: Instant, callback: () => void): Timer {
    const timer = this.#world.at(due, () => {
      this.#waiting.delete(counted);
      callback();
    });
    const counted = {
      cancel: () => {
        this.#waiting.delete(counted);
        timer.cancel();
      },
    };
    this.#waiting.add(counted);
    return counted;
  }
}

/** Something that the socket told: its name, and what a law may want to know of it. */
export interface Told {
  readonly at: Instant;
  readonly name: string;
  readonly code?: number;
  readonly wasClean?: boolean;
  readonly attempt?: number;
  readonly delay?: Millis;
  readonly reason?: string;
  readonly wasOpen?: boolean;
}

/** Which event the user closes at, as a listener: the `nth` of that name. */
export interface Quitting {
  readonly name: string;
  readonly nth: number;
}

export interface Setting {
  readonly kind: Kind;
  readonly seed: number;
  readonly maxAttempts: number | false;
  readonly makeBeforeBreak: boolean;
  readonly steps: readonly Step[];
  readonly quitting?: Quitting | undefined;
}

/** The opens and closes that may have been told by now, by `readyState`. */
const CONNECTIONS: readonly RegExp[] = [/^(oc)*$/, /^(oc)*o$/, /^(oc)*o?$/, /^(oc)*o?c$/];

/** The socket, its server, and all that it told. */
export class World {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly own: CountingScheduler = new CountingScheduler(this.scheduler);
  readonly server: FakeServer;
  readonly socket: ReconnectingWebSocket;
  readonly told: Told[] = [];
  readonly dials: Instant[] = [];
  readonly received: string[] = [];
  /** What was told of connections: o(pen), c(lose), g(iveup), r(etry). */
  story = '';
  /** Since when callbacks could not run late by the world's own fault. */
  stalledUntil: Instant = 0;
  #sent = 0;

  constructor({ kind, seed, maxAttempts, makeBeforeBreak, quitting }: Omit<Setting, 'steps'>) {
    this.server = new FakeServer(this.scheduler, kind);
    const { dials, scheduler } = this;
    const Dialled = class extends this.server.WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        dials.push(scheduler.now());
      }
    };
    this.socket = new ReconnectingWebSocket('ws://test/', [], {
      scheduler: this.own,
      random: seededRandom(seed),
      WebSocket: Dialled,
      maxAttempts,
      makeBeforeBreak,
    });
    const names = ['open', 'message', 'close', 'dead', 'dial', 'retry', 'giveup'];
    for (const name of names) this.#note(name);
    if (quitting !== undefined) this.#quitAt(quitting);
  }

  send(): void {
    this.#sent += 1;
    this.socket.send(`message ${this.#sent}`);
  }

  say(link: Link, message: string): void {
    if (link.peer.readyState === 1) link.peer.send(message);
  }

  /** All that may come of a socket that was left, which changes nothing. */
  haunt(index: number): void {
    const link = this.server.links[index];
    if (link === undefined) return;
    const { readyState } = this.socket;
    const isNewest = link === this.server.last && readyState !== 3;
    // One that closes by order of the user is in use until it has closed, though a standby was dialled after it.
    const isInUse = isNewest || link.client.readyState <= (readyState === 2 ? 2 : 1);
    if (isInUse) return;
    const before = this.state;
    link.mend();
    this.say(link, 'ghost');
    for (const type of ['open', 'message', 'error', 'close']) {
      link.dispatch({ type, data: 'ghost', code: 4400 });
    }
    expect(this.state).toEqual(before);
  }

  /** All that a user can see. */
  get state(): unknown {
    const { readyState, status, latency, bufferedAmount } = this.socket;
    const { story, received, dials } = this;
    return [
      readyState,
      status,
      latency,
      bufferedAmount,
      story,
      received.length,
      dials.length,
      this.own.pending,
    ];
  }

  /** What always holds. */
  check(): void {
    const { server, socket, own, story, received } = this;
    const { readyState } = socket;
    const connections = story.replaceAll(/[rg]/g, '');
    const rules = {
      'one live socket, and a standby': server.live <= 2 && server.mostLive <= 2,
      'one close for each open, and at most one that stands alone: the end for good':
        CONNECTIONS[readyState]?.test(connections),
      'nothing of old sockets': !received.includes('ghost'),
      'while it waits, what it left is on its way out': !this.#waits || server.live === 0,
      // Those of the standby: of its heartbeat, and of its opening. At the end the closing handshake's.
      'one timer for each': own.pending <= (readyState === 2 ? 2 : 3),
    };
    const broken = Object.entries(rules).filter(([, holds]) => holds !== true);
    if (broken.length > 0) expect(broken.map(([rule]) => rule)).toEqual([]);
  }

  get #waits(): boolean {
    const last = this.told.findLast(({ name }) => name === 'retry');
    return last !== undefined && last.at + (last.delay ?? 0) > this.scheduler.now();
  }

  #note(name: string): void {
    this.socket.addEventListener(name, (event) => {
      const { code, wasClean, detail, data } = event as Event &
        Partial<CloseEvent & CustomEvent & MessageEvent>;
      const { attempt, delay, cause } = detail ?? {};
      const { reason, wasOpen } = cause ?? {};
      if (name === 'message') this.received.push(String(data));
      else if (name !== 'dead' && name !== 'dial') this.story += name[0];
      const at = this.scheduler.now();
      this.told.push({ at, name, code, wasClean, attempt, delay, reason, wasOpen } as Told);
    });
  }

  #quitAt({ name, nth }: Quitting): void {
    let times = 0;
    this.socket.addEventListener(name, () => {
      if (times === nth) this.socket.close();
      times += 1;
    });
  }
}

export type Step =
  | { readonly type: 'advance' | 'stall'; readonly by: number }
  | { readonly type: 'peer closes'; readonly code: number }
  | { readonly type: 'greet'; readonly greeting: FakeServer['greeting'] }
  | { readonly type: 'answer'; readonly answer: keyof typeof ANSWERS }
  | { readonly type: 'haunt'; readonly index: number }
  | { readonly type: 'reset' | 'cut' | 'mend' | 'error' | 'peer sends' | 'send' | 'probe' };

export function act(world: World, step: Step): void {
  const { scheduler, server, socket } = world;
  switch (step.type) {
    case 'advance':
      return scheduler.advance(step.by);
    case 'stall':
      scheduler.stall(step.by);
      world.stalledUntil = scheduler.now();
      return;
    case 'peer closes':
      return server.last.peer.close(step.code);
    case 'greet':
      server.greeting = step.greeting;
      return;
    case 'answer':
      server.answer = ANSWERS[step.answer];
      return;
    case 'haunt':
      return world.haunt(step.index);
    case 'reset':
      return server.last.reset();
    case 'cut':
      return server.last.cut();
    case 'mend':
      return server.last.mend();
    case 'error':
      return server.last.dispatch({ type: 'error' });
    case 'peer sends':
      return world.say(server.last, 'text');
    case 'send':
      return world.send();
    case 'probe':
      return socket.probe();
    default:
      step satisfies never;
  }
}

const advance = fc.constant('advance' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: advance, by: fc.nat(40_000) }) },
  { weight: 3, arbitrary: fc.record({ type: advance, by: fc.nat(30) }) },
  fc.record({ type: fc.constant('stall' as const), by: fc.nat(100_000) }),
  fc.record({
    type: fc.constant('peer closes' as const),
    code: fc.constantFrom(1000, 1001, 4399, 4400, 4500),
  }),
  fc.record({
    type: fc.constant('greet' as const),
    greeting: fc.constantFrom('accept' as const, 'refuse' as const, 'ignore' as const),
  }),
  fc.record({
    type: fc.constant('answer' as const),
    answer: fc.constantFrom('minimal' as const, 'auto' as const, 'silent' as const),
  }),
  fc.record({ type: fc.constant('haunt' as const), index: fc.nat(5) }),
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'reset' as const,
        'cut' as const,
        'mend' as const,
        'error' as const,
        'peer sends' as const,
        'send' as const,
        'probe' as const,
      ),
    }),
  },
);

export const setting: fc.Arbitrary<Setting> = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.integer(),
  maxAttempts: fc.constantFrom<(number | false)[]>(false, false, 0, 3),
  makeBeforeBreak: fc.boolean(),
  steps: fc.array(step, { maxLength: 30 }),
});

/** When the user closes in a listener, if at all. */
export const quitting: fc.Arbitrary<Quitting | undefined> = fc.option(
  fc.record({
    name: fc.constantFrom('open', 'message', 'close', 'dead', 'retry'),
    nth: fc.nat(3),
  }),
  { nil: undefined },
);
