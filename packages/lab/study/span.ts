import type { Instant, Millis } from '@wirebeat/core';

export const HOUR: Millis = 3_600_000;
/** So that spans do not meet, nor do what they leave to be done. */
const LEAST_GAP: Millis = 5_000;

/** A stretch of time: `from` is in it, `to` is not. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** The span that `at` is in. They are in order and do not meet. */
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

/** Spans until `end`: waits of chance between them, so many an hour, each as long as `draw` says. */
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

/** Between `min` and `max`, the short ones more often: of each doubling as many as of the next. */
export function logUniform(random: () => number, min: Millis, max: Millis): Millis {
  return min * Math.exp(Math.log(max / min) * random());
}
