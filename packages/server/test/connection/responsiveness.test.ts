import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { Responsiveness, type ResponsivenessContext } from '../../src/connection/responsiveness.ts';

/** A tier that has been silent for 10 s, at 60 s. */
function silentTier(options: Partial<ResponsivenessContext> = {}) {
  const scheduler = new VirtualScheduler();
  scheduler.advance(60_000);
  const log: unknown[] = [];
  const port = {
    lastReceived: 50_000,
    isPaused: false,
    emit: (name: string, event: unknown) => log.push([name, event]),
    giveUp: () => log.push(['gave up', scheduler.now()]),
  };
  const tier = new Responsiveness(port as never, {
    scheduler,
    whenUnresponsive: 'report',
    maxUnresponsive: Number.POSITIVE_INFINITY,
    ...options,
  });
  return { scheduler, port, tier, log };
}

const UNRESPONSIVE = ['unresponsive', { silentFor: 10_000 }];

describe('Responsiveness', () => {
  it('waits for the transport tier before it calls a silent tier unresponsive', () => {
    const { tier, log } = silentTier();
    tier.silent(10_000);
    expect([tier.isSuspected, tier.isUnresponsive, log]).toEqual([true, false, []]);
    tier.transportAnswered();
    tier.transportAnswered();
    expect([tier.isUnresponsive, log]).toEqual([true, [UNRESPONSIVE]]);
  });

  it('does not wait if the transport tier has received something since', () => {
    const { tier, port, log } = silentTier();
    port.lastReceived = 55_000;
    tier.silent(10_000);
    expect(log).toEqual([UNRESPONSIVE]);
  });

  it('gives up at once, after `maxUnresponsive`, or never', () => {
    const atOnce = silentTier({ whenUnresponsive: 'terminate' });
    const later = silentTier({ maxUnresponsive: 5_000 });
    const never = silentTier();
    for (const { tier, scheduler } of [atOnce, later, never]) {
      tier.silent(10_000);
      tier.transportAnswered();
      scheduler.advance(100_000);
    }
    expect(atOnce.log).toEqual([UNRESPONSIVE, ['gave up', 60_000]]);
    expect(later.log).toEqual([UNRESPONSIVE, ['gave up', 65_000]]);
    expect(never.log).toEqual([UNRESPONSIVE]);
  });

  it('gives a paused tier more time, and leaves no timer once it is cleared', () => {
    const { tier, port, scheduler, log } = silentTier({ maxUnresponsive: 5_000 });
    port.isPaused = true;
    tier.limitSilence();
    scheduler.advance(12_000);
    expect(log).toEqual([]);
    expect(tier.clear()).toBe(false);
    expect([tier.isLimited, scheduler.pending]).toEqual([false, 0]);
  });
});
