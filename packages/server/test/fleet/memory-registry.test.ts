import { describe, expect, it } from 'vitest';
import { MemoryRegistry } from '../../src/fleet/memory-registry.ts';
import { play, SCENARIOS } from './fleet-commands.ts';
import { GRACE, LEASE, type RegistryMaker } from './fleet-model.ts';
import { describeRegistry } from './registry-contract.ts';

const inMemory: RegistryMaker = async (scheduler) => ({
  registry: new MemoryRegistry({ lease: LEASE, grace: GRACE, scheduler }),
  settled: () => new Promise((resolve) => setImmediate(resolve)),
});

describe('MemoryRegistry', () => {
  describeRegistry(inMemory);

  it('checks its options', () => {
    expect(() => new MemoryRegistry({ lease: 0 })).toThrow('Expected `lease` to be');
    expect(() => new MemoryRegistry({ grace: -1 })).toThrow('Expected `grace` to be');
    expect(() => new MemoryRegistry({ ttl: 1 } as never)).toThrow('`ttl`');
    const { lease, grace } = new MemoryRegistry();
    expect([lease, grace]).toEqual([15_000, 5_000]);
  });
});

describe('between nodes with a MemoryRegistry', () => {
  it.each(Object.entries(SCENARIOS))('%s', async (_, steps) => {
    const { seen } = await play(inMemory, steps);
    expect(seen.length).toBeGreaterThan(0);
  });
});
