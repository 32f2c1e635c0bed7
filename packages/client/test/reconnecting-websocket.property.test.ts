import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ReconnectingWebSocket } from '../src/reconnecting-websocket.ts';
import {
  autoResponder,
  FakeServer,
  KINDS,
  type Link,
  minimalPeer,
  silentPeer,
} from './fake-server.ts';

const { HEARTBEAT_TEST_RUNS = 500 } = process.env;
const RUNS = Number(HEARTBEAT_TEST_RUNS);

vi.setConfig({ testTimeout: 5_000 + 10 * RUNS });
const ANSWERS = { minimal: minimalPeer, auto: autoResponder, silent: silentPeer } as const;

/** A world in which anything may happen to one socket. */
class World {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly server: FakeServer;
  readonly socket: ReconnectingWebSocket;
  /** The events that tell of connections: o(pen), c(lose), g(iveup), r(etry). */
  story = '';
  /** Messages that were received, with the connection they came on. */
  readonly received: string[] = [];
  #sent = 0;

  constructor(kind: 'ws' | 'browser', seed: number, maxAttempts: number | false) {
    this.server = new FakeServer(this.scheduler, kind);
    this.socket = new ReconnectingWebSocket('ws://test/', [], {
      scheduler: this.scheduler,
      random: seededRandom(seed),
      WebSocket: this.server.WebSocket,
      maxAttempts,
    });
    for (const name of ['open', 'close', 'giveup', 'retry'] as const) {
      this.socket.addEventListener(name, () => {
        this.story += name[0];
      });
    }
    this.socket.addEventListener('message', ({ data }) => this.received.push(String(data)));
  }

  send(): void {
    this.#sent += 1;
    this.socket.send(`message ${this.#sent}`);
  }

  say(link: Link, message: string): void {
    if (link.peer.readyState === 1) link.peer.send(message);
  }

  /** All that may come of a socket that was left. */
  haunt(index: number): void {
    const link = this.server.links[index];
    if (link === undefined || link === this.server.last) return;
    link.mend();
    this.say(link, 'ghost');
    for (const type of ['open', 'message', 'error', 'close']) {
      link.dispatch({ type, data: 'ghost', code: 4400 });
    }
  }

  check(): void {
    expect(this.server.live).toBeLessThanOrEqual(1);
    expect(this.server.mostLive).toBe(1);
    // One close for each open, and at most one that stands alone: the end for good.
    const connections = this.story.replaceAll(/[rg]/g, '');
    expect(connections).toMatch(/^(oc)*[oc]?$/);
    const { readyState } = this.socket;
    if (readyState === 1) expect(connections).toMatch(/o$/);
    if (readyState === 0) expect(connections).toMatch(/^(oc)*$/);
    if (readyState === 3) expect(connections).toMatch(/c$/);
    expect(this.received).not.toContain('ghost');
  }
}

type Step =
  | { readonly type: 'advance' | 'stall'; readonly by: number }
  | { readonly type: 'peer closes'; readonly code: number }
  | { readonly type: 'greet'; readonly greeting: FakeServer['greeting'] }
  | { readonly type: 'answer'; readonly answer: keyof typeof ANSWERS }
  | { readonly type: 'haunt'; readonly index: number }
  | { readonly type: 'reset' | 'cut' | 'mend' | 'error' | 'peer sends' | 'send' | 'probe' };

function act(world: World, step: Step): void {
  const { scheduler, server, socket } = world;
  switch (step.type) {
    case 'advance':
      return scheduler.advance(step.by);
    case 'stall':
      return scheduler.stall(step.by);
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

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('advance' as const), by: fc.nat(40_000) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('advance' as const), by: fc.nat(30) }) },
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

const setting = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.integer(),
  maxAttempts: fc.constantFrom<false | number>(false, false, 0, 3),
  steps: fc.array(step, { maxLength: 30 }),
});

describe('ReconnectingWebSocket, whatever happens,', () => {
  it('has at most one live socket, one close for each open, and nothing left after close()', () => {
    fc.assert(
      fc.property(setting, fc.nat(30), ({ kind, seed, maxAttempts, steps }, closeAt) => {
        const world = new World(kind, seed, maxAttempts);
        for (const [index, step] of steps.entries()) {
          if (index === closeAt) world.socket.close();
          act(world, step);
          world.check();
        }
        world.socket.close();
        world.scheduler.advance(1_000);
        expect(world.socket.readyState).toBe(3);
        const dialled = world.server.links.length;
        const { story } = world;
        world.server.last.mend(); // a handshake that hangs may end now
        world.scheduler.advance(2_000);
        world.check();
        expect(world.server.live).toBe(0);
        expect(world.scheduler.pending).toBe(0);
        expect(world.server.links).toHaveLength(dialled);
        expect(world.story).toBe(story);
      }),
      { numRuns: RUNS },
    );
  });

  it('comes back when the server does', () => {
    fc.assert(
      fc.property(setting, ({ kind, seed, steps }) => {
        const world = new World(kind, seed, false);
        for (const step of steps) {
          act(world, step);
          if (world.socket.readyState === 3) return; // a fatal code
        }
        world.server.greeting = 'accept';
        world.server.answer = minimalPeer;
        // The longest way: a stall and its probe, a dead link, the longest wait.
        world.scheduler.advance(36_000 + 20_000 + 30_000 + 10_000);
        if (world.socket.readyState === 3) return;
        expect(world.socket.readyState).toBe(1);
        expect(world.socket.status).toBe('alive');
      }),
      { numRuns: RUNS },
    );
  });

  it('never loses, doubles or reorders what is sent over a link that holds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 40 }),
        fc.nat(2_000),
        (kind, waits, refusedFor) => {
          const world = new World(kind, refusedFor, false);
          const { server, scheduler } = world;
          scheduler.at(refusedFor, () => {
            server.greeting = 'accept';
          });
          if (refusedFor > 10) server.greeting = 'refuse';
          for (const wait of waits) {
            world.send();
            scheduler.advance(wait);
          }
          scheduler.advance(60_000);
          const expected = waits.map((_, index) => `message ${index + 1}`);
          expect(server.links.flatMap(({ received }) => received)).toEqual(expected);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
