// No use of the client's confirmations reaches the limit of pings at which the server closes a client,
// as it is by default: the server's own bucket counts what arrives.

import { decodeBeat } from '@wirebeat/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Link, minimalPeer } from '../../client/test/fake-server.ts';
import { dial, type Options, type Stage } from '../../client/test/outbox/delivery-stage.ts';
import { settle } from '../../client/test/stage.ts';
import { RUNS } from '../../core/test/simulation.ts';
import { RateLimit } from '../../server/src/connection/rate-limit.ts';
import { resolveServerOptions } from '../../server/src/options.ts';

const { pingLimit } = resolveServerOptions({});

/** A client, and how often the server would have closed it. */
function limited(options: Options, latency: number): Stage & { readonly floods: Link[] } {
  const stage = dial('ws', options);
  const { server, scheduler } = stage;
  server.latency = latency;
  const buckets = new Map<Link, RateLimit>();
  const floods: Link[] = [];
  server.answer = (text, link) => {
    if (decodeBeat(text)?.type !== 'ping') return undefined;
    const bucket = buckets.get(link) ?? new RateLimit();
    buckets.set(link, bucket);
    if (!bucket.take(scheduler.now(), pingLimit)) floods.push(link);
    return minimalPeer(text);
  };
  stage.socket.reconnect(); // with that latency
  scheduler.advance(4 * latency + 1);
  return { ...stage, floods };
}

const SHORT = 'x';
/** As a message of 300 KB is to the queue's default of 1 MiB, with a twentieth of the work. */
const LONG = 'x'.repeat(15_000);
const maxQueuedBytes = 52_428;

/** How an application may send, at each ms of virtual time. */
const USES: Readonly<Record<string, (stage: Stage, ms: number) => void>> = {
  'flushed() after each message, 50 a second': (stage, ms) => {
    if (ms % 20 === 0) sendAndFlush(stage);
  },
  'flushed() at each ms': (stage) => sendAndFlush(stage),
  'a message of a third of the queue every 40 ms': ({ socket }, ms) => {
    if (ms % 40 === 0) sendIfItFits(socket, LONG);
  },
  'as much as the queue takes': ({ socket }, ms) => {
    if (ms % 10 === 0) sendIfItFits(socket, LONG);
    sendIfItFits(socket, SHORT);
  },
  'a message a second': ({ socket }, ms) => {
    if (ms % 1_000 === 0) sendIfItFits(socket, SHORT);
  },
};

function sendAndFlush({ socket, delivery }: Stage): void {
  sendIfItFits(socket, SHORT);
  delivery.flushed().catch(() => {});
}

function sendIfItFits(socket: Stage['socket'], text: string): void {
  try {
    socket.send(text);
  } catch {
    // The queue is full.
  }
}

/** Lets a ms pass. What a fake socket remembers is thrown away, for it is much. */
function pass(stage: Stage, use: string, ms: number): void {
  const { server, scheduler } = stage;
  USES[use]?.(stage, ms);
  scheduler.advance(1);
  server.last.wire.sentMessages.length = server.last.received.length = 0;
}

const OPTIONS: readonly Options[] = [
  { maxQueuedBytes },
  { maxQueuedBytes, confirm: true },
  { maxQueuedBytes, resend: true },
  { maxQueuedBytes, resend: true, maxQueuedMessages: 2 },
];

describe('The pings of a client', () => {
  it.each(Object.keys(USES))('stay below the limit: %s', (use) => {
    for (const options of OPTIONS) {
      for (const latency of [1, 400]) {
        const stage = limited(options, latency);
        for (let ms = 0; ms < 12_000; ms += 1) pass(stage, use, ms);
        expect(stage.floods).toEqual([]);
        stage.socket.close();
      }
    }
  });

  it('stay below the limit however uses, outages and reconnects follow one another', () => {
    const phase = fc.record({
      use: fc.constantFrom(...Object.keys(USES)),
      lasting: fc.nat(3_000),
      outage: fc.boolean(),
      reconnects: fc.boolean(),
    });
    const given = fc.record({
      options: fc.constantFrom(...OPTIONS),
      latency: fc.constantFrom(1, 30, 400),
      phases: fc.array(phase, { maxLength: 6 }),
    });
    fc.assert(
      fc.property(given, ({ options, latency, phases }) => {
        const stage = limited(options, latency);
        const { server, scheduler, socket, floods } = stage;
        for (const { use, lasting, outage, reconnects } of phases) {
          if (reconnects) socket.reconnect();
          const { wire, peer } = server.last;
          wire.path.loss = peer.path.loss = outage ? 1 : 0;
          for (let ms = 0; ms < lasting; ms += 1) pass(stage, use, ms);
          wire.path.loss = peer.path.loss = 0; // what was held back comes at once
        }
        scheduler.advance(5_000);
        socket.close();
        expect(floods).toEqual([]);
      }),
      { numRuns: Math.ceil(RUNS / 50) },
    );
  });

  it('pass the limit if the application itself pings as often as it awaits flushed()', async () => {
    const { floods, scheduler, socket } = limited({}, 1);
    for (let ms = 0; ms < 5_000; ms += 20) {
      socket.ping().catch(() => {});
      scheduler.advance(20);
    }
    await settle();
    expect(floods.length).toBeGreaterThan(0);
  });
});
