import type { Millis } from '@wirebeat/core';

/** The units with their sizes in ms and the next smaller units. */
const UNITS = [
  ['d', 86_400_000, 'h', 3_600_000],
  ['h', 3_600_000, 'min', 60_000],
  ['min', 60_000, 's', 1_000],
] as const;

/** Formats a duration: `350 ms`, `4.2 s`, `2 min 5 s`, `3 h 2 min`. */
export function inWords(duration: Millis): string {
  const ms = Math.round(Math.max(0, duration));
  if (ms < 1_000) return `${ms} ms`;
  const rounded = Math.round(ms / 1_000) * 1_000;
  for (const [unit, size, lower, part] of UNITS) {
    if (rounded < size) continue;
    const rest = Math.floor((rounded % size) / part);
    return `${Math.floor(rounded / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${lower}`}`;
  }
  return `${Math.round(ms / 100) / 10} s`;
}

/** Formats the probable setting of a timer: `60 s`, `350 s`, `10 min`, `2 h`. */
export function about(duration: Millis): string {
  const seconds = Math.round(duration / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const isLong = seconds >= 7_200;
  const tenths = Math.round(seconds / (isLong ? 360 : 6)) / 10;
  return `${tenths} ${isLong ? 'h' : 'min'}`;
}
