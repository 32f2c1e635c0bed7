const VERDICT_WAIT = 250;
const TIMER_SLACK = 250;
const MAX_STALLS = 3;

/** Returns what stalls add to the bound, by law 14 of the design. */
export function allowance(stalls: readonly number[], pingTimeout: number): number {
  return worstOf(stalls).reduce(
    (sum, lateBy) => sum + lateBy + pingTimeout + VERDICT_WAIT + 2 * TIMER_SLACK,
    0,
  );
}

/** Returns the stalls that count; the others need not be kept. */
export function worstOf(stalls: readonly number[]): number[] {
  return [...stalls].sort((a, b) => b - a).slice(0, MAX_STALLS);
}
