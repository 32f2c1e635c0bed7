import { decodeBeat } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../core/test/simulation.ts';
import { attachHeartbeat, type SocketHeartbeat } from '../src/attach.ts';
import {
  autoResponder,
  FakeServer,
  KINDS,
  type Link,
  minimalPeer,
  silentPeer,
} from './fake-server.ts';
import { CountingScheduler } from './world.ts';

type Step =
  | { readonly type: 'peer sends'; readonly text: string }
  | { readonly type: 'send'; readonly text: string }
  | { readonly type: 'advance' | 'stall'; readonly by: number }
  | { readonly type: 'probe' | 'ping' | 'cut' };

const text = fc.oneof(
  fc.constantFrom(
    '\u0005wb',
    '\u0006wb',
    '\u0005wb.7;v=1',
    '\u0006wb.1',
    '\u0006wb;pingInterval=2000',
  ),
  fc.constantFrom('\u0005wb ', '\u0005', 'wb', '\u0006wb.', '\u0005wb;a=1;a=2', '', 'hello'),
  fc.string(),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('peer sends'), text }) },
  // What begins as a ping is answered by a minimal peer, and rightly so.
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('send'),
      text: fc.constantFrom('', 'wb', '\u0006wb.', 'hello'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('advance'), by: fc.nat(30_000) }) },
  fc.record({ type: fc.constant('stall'), by: fc.nat(30_000) }),
  fc.record({ type: fc.constantFrom('probe', 'ping', 'cut') }),
);
const setting = fc.record({
  kind: fc.constantFrom(...KINDS),
  seed: fc.integer(),
  answer: fc.constantFrom(minimalPeer, autoResponder, silentPeer),
  steps: fc.array(step, { maxLength: 30 }),
});
type Setting = typeof setting extends fc.Arbitrary<infer Given> ? Given : never;

/** An application's socket with a heartbeat on it, and what each of them saw. */
class Stage {
  readonly world: VirtualScheduler = new VirtualScheduler();
  readonly own: CountingScheduler = new CountingScheduler(this.world);
  readonly link: Link;
  readonly heartbeat: SocketHeartbeat;
  readonly untouched: readonly PropertyKey[];
  readonly said: string[] = []; // by the peer, over a link that holds
  readonly seen: unknown[] = [];
  readonly sent: string[] = [];
  waiting = 0;
  #isCut = false;

  constructor({ kind, seed, answer }: Omit<Setting, 'steps'>) {
    const server = new FakeServer(this.world, kind);
    server.answer = answer;
    this.link = server.connect();
    this.untouched = Reflect.ownKeys(this.link.client);
    const options = { scheduler: this.own, random: seededRandom(seed) };
    this.heartbeat = attachHeartbeat(this.link.client, options);
    this.listen();
    this.world.advance(30);
  }

  listen(): void {
    this.link.client.addEventListener('message', ({ data }: { readonly data: unknown }) =>
      this.seen.push(data),
    );
  }

  get isOpen(): boolean {
    return this.link.client.readyState === 1;
  }

  act(step: Step): void {
    const { heartbeat, world } = this;
    if ('text' in step) step.type === 'send' ? this.#send(step.text) : this.#say(step.text);
    else if ('by' in step) step.type === 'stall' ? world.stall(step.by) : world.advance(step.by);
    else if (step.type === 'probe') heartbeat.probe();
    else if (step.type === 'ping') this.#ping();
    else this.#cut();
  }

  #ping(): void {
    this.waiting += 1;
    const settle = () => {
      this.waiting -= 1;
    };
    this.heartbeat.ping().then(settle, settle);
  }

  #cut(): void {
    this.world.advance(20); // what is on its way arrives
    this.link.cut();
    this.#isCut = true;
  }

  #send(message: string): void {
    if (!this.isOpen || this.#isCut) return;
    this.link.client.send(message);
    if (decodeBeat(message) === undefined) this.sent.push(message);
  }

  #say(message: string): void {
    if (!this.isOpen || this.#isCut) return;
    this.link.peer.send(message);
    this.world.advance(20);
    if (this.isOpen) this.said.push(message); // else given up while that was on its way
  }
}

describe('law 10: heartbeats never reach the application, its messages are never swallowed', () => {
  it('shows the application exactly what is no beat, and the peer all that it sends', () => {
    fc.assert(
      fc.property(setting, ({ steps, ...rest }) => {
        const stage = new Stage(rest);
        for (const each of steps) stage.act(each);
        if (stage.isOpen) stage.world.advance(20);
        expect(stage.seen).toEqual(stage.said.filter((each) => decodeBeat(each) === undefined));
        expect(stage.link.received).toEqual(stage.sent);
      }),
      settings,
    );
  });
});

describe('law 13: nothing is left running', () => {
  it('has no timer, listener, method or promise left after detach(), and sends no more', async () => {
    await fc.assert(
      fc.asyncProperty(setting, fc.boolean(), async ({ steps, ...rest }, disposes) => {
        const stage = new Stage(rest);
        const { heartbeat, link, own, world } = stage;
        for (const each of steps) stage.act(each);
        const wasOpen = stage.isOpen;
        if (disposes) heartbeat[Symbol.dispose]();
        else heartbeat.detach();
        expect(own.pending).toBe(0);
        // That of the application; an abandoned socket keeps the one that hears its errors.
        expect(link.client.listenerCount).toBeLessThanOrEqual(wasOpen ? 1 : 2);
        expect(Reflect.ownKeys(link.client)).toEqual(stage.untouched);
        const { length } = link.wire.sentMessages;
        const seen = stage.seen.length;
        if (wasOpen) link.mend();
        link.peer.send('\u0005wb');
        world.advance(200_000);
        expect(link.wire.sentMessages).toHaveLength(length);
        // From now the application sees beats too, also pongs that were on their way.
        const pings = stage.seen.slice(seen).filter((data) => data === '\u0005wb');
        if (stage.isOpen) expect(pings).toHaveLength(1);
        for (let turns = 0; turns < 4; turns += 1) await Promise.resolve();
        expect(stage.waiting).toBe(0);
      }),
      settings,
    );
  });
});
