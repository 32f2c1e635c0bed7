/** `3.41 s` */
export function seconds(duration: number): string {
  return `${(duration / 1_000).toFixed(2)} s`;
}

/** `0.42 ms`, `301 ms`: three digits are enough to read. */
export function milliseconds(duration: number): string {
  const digits = duration < 10 ? 2 : duration < 100 ? 1 : 0;
  return `${duration.toFixed(digits)} ms`;
}

/** `07:12:03`, by the clock of the page. */
export function clockTime(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}
