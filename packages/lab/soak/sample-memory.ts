import { setImmediate as turn } from 'node:timers/promises';

/** Resolves to the bytes in use after garbage collections, on the heap and external. */
export async function sampleMemory(): Promise<number> {
  for (let collections = 0; collections < 2; collections += 1) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
