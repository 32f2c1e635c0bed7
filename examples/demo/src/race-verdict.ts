import { seconds } from './figures.ts';
import type { LaneResult } from './race-lane.ts';

/** Says in one line what became of a lane, `elapsed` ms after the fault. */
export function verdictOf(lane: LaneResult, elapsed: number): string {
  return `${lane.title}: ${stateOf(lane, elapsed)}, ${lane.lost} lost`;
}

function stateOf({ state, backAfter }: LaneResult, elapsed: number): string {
  if (backAfter !== undefined) return `back after ${seconds(backAfter)}`;
  if (state === 'OPEN') return `still OPEN after ${seconds(elapsed)}`;
  return `${state} after ${seconds(elapsed)}`;
}
