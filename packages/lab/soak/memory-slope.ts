import type { Violation } from './invariants.ts';

/** Bytes in use after a garbage collection, at an instant in ms. */
export interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** Fraction of a run during which a process warms up and grows: code is compiled, pools are filled. */
const WARM = 0.4;
/** Variation of a steady heap between collections, in bytes. */
const NOISE = 2 * 1_048_576;
/** Largest allowed growth from the end of the warm-up, as a fraction. */
const SHARE = 0.1;

/**
 * Returns the growth from the first sample after the warm-up to the last, in bytes. Uses the median of
 * all slopes between two samples, which single peaks do not affect. H. Theil, "A Rank-Invariant Method
 * of Linear and Polynomial Regression Analysis", Indagationes Mathematicae 12, 1950; P. K. Sen, JASA
 * 63, 1968.
 */
export function growth(samples: readonly Sample[]): number {
  const warm = samples.slice(Math.floor(samples.length * WARM));
  const slopes = warm.flatMap((one, place) =>
    warm.slice(place + 1).map((other) => (other.bytes - one.bytes) / (other.at - one.at)),
  );
  slopes.sort((a, b) => a - b);
  const [first, last] = [warm[0], warm.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return (slopes[slopes.length >> 1] ?? 0) * (last.at - first.at);
}

/** Returns the memory violations of a process. */
export function memoryViolations(process: string, samples: readonly Sample[]): Violation[] {
  const grown = growth(samples);
  const last = samples.at(-1)?.bytes ?? 0;
  if (grown <= Math.max(NOISE, SHARE * last)) return [];
  const what = `grew by ${Math.round(grown / 1_024)} kB to ${Math.round(last / 1_024)} kB`;
  return [{ invariant: 'flat memory', client: process, what }];
}
