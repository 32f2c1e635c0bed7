/**
 * Whether errors have full sentences and unknown option names are rejected. The bundles for pages in
 * production are built with `false` here, because sentences would be a tenth of their size.
 */
export const IS_DEVELOPMENT: boolean = true;
