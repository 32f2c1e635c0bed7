import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import { MemoryRegistry } from '../../src/fleet/memory-registry.ts';
import { property } from './fleet-commands.ts';
import { GRACE, LEASE, type RegistryMaker } from './fleet-model.ts';

const inMemory: RegistryMaker = async (scheduler) => ({
  registry: new MemoryRegistry({ lease: LEASE, grace: GRACE, scheduler }),
  settled: () => new Promise((resolve) => setImmediate(resolve)),
});

describe('nodes with a MemoryRegistry', () => {
  it('never have two current connections of one session, and agree in the end', async () => {
    expect(RUNS).toBeGreaterThan(0);
    await fc.assert(property(inMemory), { numRuns: Math.ceil(RUNS / 2) });
  });
});
