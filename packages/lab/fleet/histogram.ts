/** Returns how many instants fall into each `width` ms from `start` until the last one. */
export function histogram(instants: readonly number[], start: number, width: number): number[] {
  const counts: number[] = [];
  for (const at of instants) {
    const place = Math.max(0, Math.floor((at - start) / width));
    while (counts.length <= place) counts.push(0);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

/** Returns the largest number of instants in any window of `width` ms. */
export function mostWithin(instants: readonly number[], width: number): number {
  const sorted = [...instants].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [last, at] of sorted.entries()) {
    while ((sorted[first] as number) <= at - width) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

const COLUMNS = 60;

/** Draws a line with a bar for each count. */
export function drawHistogram(counts: readonly number[], width: number): string {
  const most = Math.max(1, ...counts);
  const lines = counts.map((count, place) => {
    const bar = '█'.repeat(Math.round((count / most) * COLUMNS));
    return `  ${String(place * width).padStart(6)} ms  ${String(count).padStart(5)}  ${bar}`.trimEnd();
  });
  return lines.join('\n');
}
