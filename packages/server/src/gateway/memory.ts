import { getHeapStatistics } from 'node:v8';

/** What V8 keeps free for new objects beside the heap's limit: three semi-spaces of 16 MiB. */
const YOUNG_BYTES = 48 * 1_048_576;
/**
 * Heap for each connection. Idle it takes 18 KiB, with all the pings that may wait 30; a handshake may have
 * headers of 16 KiB. The rest is for the process itself.
 */
const CONNECTION_BYTES = 65_536;
/** What part of the heap may be in use when a handshake comes. */
const FULL = 0.75;

/** How far the heap of this process can grow before it dies. */
function heapLimit(): number {
  const { heap_size_limit: limit } = getHeapStatistics();
  return Math.max(limit - YOUNG_BYTES, limit / 4);
}

/** Bytes of the heap that are in use, or not yet collected. */
export function heapInUse(): number {
  return getHeapStatistics().used_heap_size;
}

/** How many connections this process can hold, whatever their pages do. */
export function defaultMaxConnections(): number {
  return Math.floor(heapLimit() / CONNECTION_BYTES);
}

/** How many bytes of the heap may be in use when one more connection is let in. */
export function defaultMaxHeapBytes(): number {
  return Math.floor(heapLimit() * FULL);
}
