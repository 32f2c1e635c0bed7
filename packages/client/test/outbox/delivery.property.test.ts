// Over slow links, cuts, refusals, close frames and take-overs: nothing is confirmed that the server's
// WebSocket layer has not read, and with `resend` nothing is lost and first reads are in order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../../core/test/simulation.ts';
import { DeliveryWorld, type Setting, setting, stepOf } from '../delivery-world.ts';

const CUTS = 1_000;

/** Runs the schedule. Messages that nothing but a later one proves to be lost are found at the end. */
async function run(given: Setting): Promise<DeliveryWorld> {
  const world = new DeliveryWorld(given);
  for (const step of given.steps) await world.act(step);
  await world.recover();
  if (world.failure !== undefined) throw world.failure;
  return world;
}

describe('Delivery', () => {
  it('confirms nothing that was not read, and with resend loses nothing and keeps the order', async () => {
    await fc.assert(
      fc.asyncProperty(setting, async (given) => {
        const world = await run(given);
        if (given.resend) world.expectAllThere();
        world.socket.close();
      }),
      settings,
    );
  });

  it(`loses nothing over ${CUTS} cuts of one socket, and reads few messages twice`, async () => {
    const cuts = ['cut', 'deafen', 'reset', 'outage', 'peer closes'] as const;
    const [sample] = fc.sample(setting, { numRuns: 1, seed: 1 });
    const [steps] = fc.sample(
      fc.array(fc.tuple(stepOf('send'), stepOf('advance'), stepOf(...cuts), stepOf('advance')), {
        minLength: CUTS,
        maxLength: CUTS,
      }),
      { numRuns: 1, seed: 1 },
    );
    const given: Setting = {
      ...(sample as Setting),
      resend: true,
      answers: 'all',
      bandwidth: 1_000,
      latency: 10,
      pingInterval: 4_000,
      steps: (steps ?? []).flat(),
    };
    const world = await run(given);
    world.expectAllThere();
    const sent = world.messages.filter(({ isGreeting }) => !isGreeting);
    const reads = sent.reduce((sum, message) => sum + message.reads, 0);
    expect(sent).toHaveLength(CUTS);
    expect(reads).toBeGreaterThan(CUTS);
    expect(reads).toBeLessThan(2 * CUTS);
    world.socket.close();
  });
});
