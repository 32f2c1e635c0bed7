import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import type { LifecycleListener } from '../../src/page/page-lifecycle.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { prepareWith } from '../../src/reconnect/prepare-with.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { FakeServer, KINDS } from '../fake-server.ts';
import { settle } from '../stage.ts';

// Promises settle in real turns, so a schedule costs more than elsewhere.
const NUM_RUNS = Math.ceil(RUNS / 5);

vi.setConfig({ testTimeout: 10_000 + 100 * NUM_RUNS });

/** What becomes of a question. */
type Fate = 'answered' | 'refused' | 'late' | 'forgotten';

/** One socket, with everything that it may be told to do, and all that came of it. */
class World {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly server: FakeServer;
  readonly socket: ReconnectingWebSocket;
  readonly listeners: Set<LifecycleListener> = new Set();
  readonly signals: AbortSignal[] = [];
  readonly dropped: unknown[] = [];
  readonly refused: string[] = [];
  readonly late: (() => void)[] = [];
  /** o(pen), c(lose), g(iveup). */
  story = '';
  fate: Fate = 'answered';
  sent = 0;
  sentTooLate = 0;

  constructor(kind: 'ws' | 'browser', seed: number, options: ReconnectOptions) {
    this.server = new FakeServer(this.scheduler, kind);
    const lifecycle = {
      watch: (listener: LifecycleListener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    };
    this.socket = new ReconnectingWebSocket(
      ({ signal }) => this.#ask(signal, 'ws://test/'),
      ({ signal }) => this.#ask(signal, ['chat']),
      {
        scheduler: this.scheduler,
        random: seededRandom(seed),
        WebSocket: this.server.WebSocket,
        lifecycle,
        ready: prepareWith((_, { signal }) => this.#ask(signal, undefined)),
        ...options,
      },
    );
    for (const name of ['open', 'close', 'giveup'] as const) {
      this.socket.addEventListener(name, () => {
        this.story += name[0];
      });
    }
    this.socket.addEventListener('drop', ({ detail }) => this.dropped.push(...detail.messages));
  }

  send(): void {
    const message = `message ${this.sent}`;
    this.sent += 1;
    if (this.socket.readyState >= this.socket.CLOSING) this.sentTooLate += 1;
    try {
      this.socket.send(message);
    } catch {
      this.refused.push(message);
    }
  }

  check(): void {
    expect(this.server.live).toBeLessThanOrEqual(2); // the one in use and a standby
    expect(this.server.mostLive).toBeLessThanOrEqual(2);
    expect(this.story.replaceAll('g', '')).toMatch(/^(oc)*[oc]?$/);
  }

  #ask<T>(signal: AbortSignal, answer: T): T | Promise<T> {
    this.signals.push(signal);
    if (this.fate === 'answered') return answer;
    if (this.fate === 'refused') throw new Error('refused');
    if (this.fate === 'forgotten') return new Promise(() => {});
    return new Promise((resolve) => this.late.push(() => resolve(answer)));
  }
}

type Act = (world: World) => void;

const last = (world: World, act: (link: FakeServer['last']) => void) => {
  if (world.server.links.length > 0) act(world.server.last);
};

const ACTS: Record<string, Act> = {
  send: (world) => world.send(),
  reconnect: ({ socket }) => socket.reconnect(),
  probe: ({ socket }) => socket.probe(),
  hint: ({ listeners }) => {
    for (const listener of [...listeners]) listener.hint();
  },
  'the late come': ({ late }) => {
    for (const come of late.splice(0)) come();
  },
  reset: (world) => last(world, (link) => link.reset()),
  cut: (world) => last(world, (link) => link.cut()),
  'peer closes': (world) => last(world, ({ peer }) => peer.close(1012, 'retryAfter=2000')),
  'peer refuses': (world) => last(world, ({ peer }) => peer.close(4400)),
  'peer asks to wait': (world) =>
    last(world, ({ peer }) => peer.readyState === 1 && peer.send('\u0005wb;retryAfter=700')),
  accept: ({ server }) => {
    server.greeting = 'accept';
  },
  refuse: ({ server }) => {
    server.greeting = 'refuse';
  },
  ignore: ({ server }) => {
    server.greeting = 'ignore';
  },
};
for (const fate of ['answered', 'refused', 'late', 'forgotten'] as const) {
  ACTS[fate] = (world) => {
    world.fate = fate;
  };
}

const step: fc.Arbitrary<readonly [name: string, wait: number]> = fc.tuple(
  fc.constantFrom(...Object.keys(ACTS), 'send', 'send', 'answered', 'accept'),
  fc.oneof(fc.constant(0), fc.nat(30), fc.nat(15_000)),
);

const setting = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.integer(),
  steps: fc.array(step, { maxLength: 25 }),
  options: fc.record({
    maxAge: fc.constantFrom<false | number>(false, 5_000, 60_000),
    maxAttempts: fc.constantFrom<false | number>(false, false, 2),
    maxQueuedMessages: fc.constantFrom(1, 3, 100),
    queuePolicy: fc.constantFrom('error' as const, 'drop-oldest' as const, 'drop-newest' as const),
  }),
});

describe('ReconnectingWebSocket with all its options, whatever happens,', () => {
  it('closes at any time for good, and loses no message without a word', async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.nat(25), async ({ kind, seed, steps, options }, closeAt) => {
        const world = new World(kind, seed, options);
        for (const [index, [name, wait]] of steps.entries()) {
          if (index === closeAt) world.socket.close();
          ACTS[name]?.(world);
          await settle();
          world.scheduler.advance(wait);
          await settle();
          world.check();
        }
        world.socket.close();
        const dialled = world.server.links.length;
        await settle();
        world.scheduler.advance(1_000);
        expect(world.socket.readyState).toBe(3);
        const { story } = world;
        ACTS['the late come']?.(world);
        await settle();
        world.scheduler.advance(60_000);
        await settle();
        world.check();
        expect(world.scheduler.pending).toBe(0);
        expect(world.listeners.size).toBe(0);
        expect(world.signals.every(({ aborted }) => aborted)).toBe(true);
        expect(world.server.live).toBe(0);
        expect(world.server.links).toHaveLength(dialled);
        expect(world.story).toBe(story);
        accountFor(world);
      }),
      { numRuns: NUM_RUNS },
    );
  });
});

/** Each message went to one socket, or was dropped, or refused, or came after the end. */
function accountFor(world: World): void {
  const passed = world.server.links.flatMap(({ wire }) => wire.sentMessages.map(String));
  const told = [...passed, ...world.dropped.map(String), ...world.refused];
  const messages = told.filter((text) => text.startsWith('message '));
  expect(new Set(messages).size).toBe(messages.length);
  expect(messages.length + world.sentTooLate).toBe(world.sent);
  const numbers = passed
    .filter((text) => text.startsWith('message '))
    .map((text) => Number(text.slice(8)));
  expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
}
