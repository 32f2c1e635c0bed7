/**
 * Whether errors have full sentences and all options are checked. The bundles for pages in production are
 * built with `false` here: sentences and checks would be a tenth of their size.
 */
export const IS_DEVELOPMENT: boolean = true;

/**
 * Whether this is the client's bundle for pages, built with `true` here. There, sockets cannot be paused and send no
 * messages in fragments, timers cannot be unrefed, and the peer is a server, which has no page state. Sockets of
 * `ws` occur there only in tests under jsdom.
 */
export const IS_PAGE: boolean = false;
