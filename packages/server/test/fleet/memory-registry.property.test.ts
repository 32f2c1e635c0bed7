import fc from 'fast-check';
import { describe, it } from 'vitest';
import { RUNS } from '../../../core/test/simulation.ts';
import { MemoryRegistry } from '../../src/fleet/memory-registry.ts';
import { property } from './fleet-commands.ts';
import { GRACE, LEASE, type RegistryMaker } from './fleet-model.ts';

const inMemory: RegistryMaker = async (scheduler) => ({
  registry: new MemoryRegistry({ lease: LEASE, grace: GRACE, scheduler }),
  settled: () => new Promise((resolve) => setImmediate(resolve)),
});

describe('nodes with a MemoryRegistry', () => {
  it('agree in the end, and at no time name two connections of one session as current', async () => {
    await fc.assert(property(inMemory), { numRuns: Math.ceil(RUNS / 2) });
  });
});
