/** The two ends of a gateway connection. */
export type Side = 'page' | 'upstream';

/**
 * The hop that an answer measures: between the gateway and the application tier of the page, its
 * browser, or the upstream.
 */
export type Hop = 'page' | 'browser' | 'upstream';

export const SIDES: readonly Side[] = ['page', 'upstream'];

export function otherOf(side: Side): Side {
  return side === 'page' ? 'upstream' : 'page';
}
