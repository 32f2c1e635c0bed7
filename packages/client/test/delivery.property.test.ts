// With resend on, what is sent arrives at least once and, the first time, in order: whatever happens
// to the connections.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Link, sessionServer } from './fake-server.ts';
import { dial, type Stage } from './stage.ts';

const CUTS = 1_000;

/** What may happen to the connection in use. */
const FATES: Readonly<Record<string, (link: Link, stage: Stage) => void>> = {
  cut: (link) => link.cut(),
  reset: (link) => link.reset(),
  /** The way back is cut alone: what is sent arrives, and nobody learns that it did. */
  deafen: (link) => {
    link.peer.path.cut = true;
  },
  /** An outage: late bytes come when another connection may be in use. */
  interrupt: ({ wire, peer }, { scheduler }) => {
    wire.path.loss = peer.path.loss = 1;
    scheduler.at(scheduler.now() + 1_200, () => {
      wire.path.loss = peer.path.loss = 0;
    });
  },
  close: (link) => link.peer.close(1012, 'restart'),
};

interface Step {
  readonly fate: string;
  readonly after: number;
  readonly messages: number;
}

/** Sends numbers through all that, and returns them as they arrived, repeats too. */
function arrivalsOf(steps: readonly Step[], makeBeforeBreak: boolean): [sent: number, number[]] {
  const stage = dial('ws', { resend: 'unconfirmed', makeBeforeBreak });
  const { scheduler, server, socket } = stage;
  const arrivals: number[] = [];
  const answer = sessionServer();
  server.answer = (text, link) => {
    if (/^\d+$/.test(text)) arrivals.push(Number(text));
    return answer(text, link);
  };
  let sent = 0;
  for (const { fate, after, messages } of steps) {
    for (let left = messages; left > 0; left -= 1) {
      socket.send(String(sent));
      sent += 1;
      scheduler.advance(after / messages);
    }
    FATES[fate]?.(server.last, stage);
    scheduler.advance(after);
  }
  scheduler.advance(200_000);
  expect(socket.unconfirmed).toEqual([]);
  socket.close();
  return [sent, arrivals];
}

function expectAllInOrder([sent, arrivals]: [number, number[]]): void {
  expect([...new Set(arrivals)]).toEqual(Array.from({ length: sent }, (_, index) => index));
}

const step: fc.Arbitrary<Step> = fc.record({
  fate: fc.constantFrom(...Object.keys(FATES)),
  after: fc.integer({ min: 1, max: 6_000 }),
  messages: fc.integer({ min: 0, max: 5 }),
});

describe("resend: 'unconfirmed'", () => {
  it('loses nothing and keeps the order of first arrivals, over any ends', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, makeBeforeBreak) => {
        expectAllInOrder(arrivalsOf(steps, makeBeforeBreak));
      }),
      { numRuns: 100 },
    );
  });

  it(`over ${CUTS} cuts of one socket, with few repeats`, () => {
    const [steps = []] = fc.sample(fc.array(step, { minLength: CUTS, maxLength: CUTS }), {
      numRuns: 1,
      seed: 1,
    });
    const [sent, arrivals] = arrivalsOf(steps, true);
    expectAllInOrder([sent, arrivals]);
    expect(sent).toBeGreaterThan(CUTS);
    expect(arrivals.length - sent).toBeGreaterThan(0);
    expect(arrivals.length - sent).toBeLessThan(sent);
  });
});
