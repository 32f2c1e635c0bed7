import type { Instant, Millis } from '@wirebeat/core';

export const HOUR: Millis = 3_600_000;
/** The minimum gap in ms, so that spans and their after-effects do not overlap. */
const LEAST_GAP: Millis = 5_000;

/** An interval of time that includes `from` and excludes `to`. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** Returns the span that contains `at`. The spans must be sorted and not overlap. */
export function spanAt(spans: readonly Span[], at: Instant): Span | undefined {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.to ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const span = spans[low];
  return span !== undefined && span.from <= at ? span : undefined;
}

/**
 * Returns random spans until `end`, on average `perHour` per hour. `draw` returns the length of each.
 */
export function scatter(
  random: () => number,
  end: Instant,
  perHour: number,
  draw: () => Millis,
): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; ; ) {
    const from = at + LEAST_GAP + Math.round((-Math.log(1 - random()) * HOUR) / perHour);
    if (from >= end) return spans;
    at = from + Math.round(draw());
    spans.push({ from, to: at });
  }
}

/** Returns a log-uniform random number between `min` and `max`: each doubling is equally likely. */
export function logUniform(random: () => number, min: Millis, max: Millis): Millis {
  return min * Math.exp(Math.log(max / min) * random());
}
