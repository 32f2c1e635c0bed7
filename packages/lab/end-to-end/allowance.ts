export { allowance } from '../fleet/allowance.ts';
export { MS } from '../programs/time-factor.ts';
