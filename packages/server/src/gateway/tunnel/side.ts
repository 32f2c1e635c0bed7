/** The two ends between which a gateway stands. */
export type Side = 'page' | 'upstream';

/** Between the gateway and whom an answer went: the page itself, its browser, or the upstream. */
export type Hop = 'page' | 'browser' | 'upstream';

export const SIDES: readonly Side[] = ['page', 'upstream'];

export function otherOf(side: Side): Side {
  return side === 'page' ? 'upstream' : 'page';
}
