/**
 * Numbers in [0, 1) that look random and are the same for the same seed.
 *
 * G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003, §3: 32 bits.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1; // 0 would stay 0
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
