import type { Violation } from './invariants.ts';

/** Bytes in use after a collection, at an instant in ms. */
export interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** While a process warms up it grows: code is compiled, pools are filled. */
const WARM = 0.4;
/** What a heap of a steady program differs by, from one collection to the next. */
const NOISE = 2 * 1_048_576;
/** By so much may it have grown from the warm start to the end. */
const SHARE = 0.1;

/**
 * Growth from the first warm sample to the last, in bytes, by the median of all slopes between two
 * samples: single peaks do not move it. H. Theil, "A Rank-Invariant Method of Linear and Polynomial
 * Regression Analysis", Indagationes Mathematicae 12, 1950; P. K. Sen, JASA 63, 1968.
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

/** What is wrong with the memory of that process. */
export function memoryViolations(process: string, samples: readonly Sample[]): Violation[] {
  const grown = growth(samples);
  const last = samples.at(-1)?.bytes ?? 0;
  if (grown <= Math.max(NOISE, SHARE * last)) return [];
  const what = `grew by ${Math.round(grown / 1_024)} kB to ${Math.round(last / 1_024)} kB`;
  return [{ invariant: 'flat memory', client: process, what }];
}
