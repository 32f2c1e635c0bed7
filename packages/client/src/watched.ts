/** The sockets that have a heartbeat. A second heartbeat would hide every pong from the first. */
export const WATCHED: WeakSet<object> = /* @__PURE__ */ new WeakSet();
