import { seededRandom } from '@wirebeat/core/testing';

/**
 * Returns a pseudo-random number in [0, 1) that only depends on its three arguments. What happens to a
 * message depends on when it is sent, not on how many were sent before, so all detectors see the same
 * network.
 *
 * The mixing is the finaliser of MurmurHash3 (A. Appleby).
 */
export function chance(seed: number, at: number, salt: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ salt;
  hash = mix(hash ^ (at | 0));
  hash = mix(hash ^ Math.floor(at / 2 ** 32));
  return (hash >>> 0) / 2 ** 32;
}

function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Returns a stream of such numbers. */
export function stream(seed: number, salt: number): () => number {
  return seededRandom(Math.floor(chance(seed, salt, 0) * 2 ** 32));
}
