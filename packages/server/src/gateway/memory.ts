import { getHeapStatistics } from 'node:v8';

/** What V8 reserves for new objects in addition to the heap limit: three semi-spaces of 16 MiB. */
const YOUNG_BYTES = 48 * 1_048_576;
/**
 * Heap in bytes planned per connection. An idle connection uses 18 KiB, and 30 KiB with all the pings
 * that may wait; a handshake may have headers of 16 KiB. The rest is for the process itself.
 */
const CONNECTION_BYTES = 65_536;
/** Largest used part of the heap at which the gateway accepts a handshake. */
const FULL = 0.75;

/** Returns how far the heap of this process can grow before the process crashes, in bytes. */
function heapLimit(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  return Math.max(limit - YOUNG_BYTES, limit / 4);
}

/** Returns the bytes of the heap that are in use or not yet collected. */
export function heapInUse(): number {
  return getHeapStatistics().used_heap_size;
}

/** Returns how many connections this process can hold, whatever their pages do. */
export function defaultMaxConnections(): number {
  return Math.floor(heapLimit() / CONNECTION_BYTES);
}

/** Returns the largest number of heap bytes in use at which one more connection is accepted. */
export function defaultMaxHeapBytes(): number {
  return Math.floor(heapLimit() * FULL);
}
