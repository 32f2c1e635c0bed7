/**
 * Whether this is a bundle for pages, built with `true` here: see the constant of the same name in the
 * core.
 */
export const IS_PAGE: boolean = false;
/** Whether all arguments are checked: the bundles for pages in production are built with `false` here. */
export const IS_DEVELOPMENT: boolean = true;
