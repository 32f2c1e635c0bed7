// `npm run compare -- recovery --trial` shows within a minute or so that a comparison works: few runs, short times.
// Its figures are worth nothing and are not kept.
export const IS_TRIAL = process.argv.includes('--trial');

/** How much of something a comparison takes: `few` in a trial. */
export const amount = (full, few) => (IS_TRIAL ? few : full);
