import {
  type HeartbeatDriver,
  type Instant,
  ReadyState,
  type Scheduler,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';

/** What tells our Pings from those of the application. */
const PAYLOAD = 'wb';

/** What pings are sent on. */
interface PingedLink {
  readonly driver: HeartbeatDriver;
}

const TIMERS: WeakMap<PingedLink, Timer> = /* @__PURE__ */ new WeakMap();

/**
 * While the peer answers no pings of ours, sends it a protocol Ping after half of `maxSilence`, if the socket
 * is one of `ws` or Bun. Every peer answers those (RFC 6455 §5.5.2), so only a dead one is silent for longer.
 * `parts` is a callback, so that page bundles drop the whole call.
 */
export function pingSilentPeer(
  link: PingedLink,
  parts: () => { readonly socket: WebSocketLike; readonly scheduler: Scheduler },
): void {
  stopPinging(link); // a socket that reconnects opens again
  const { socket, scheduler } = parts();
  const { ping, terminate } = socket as { ping?(payload: string): void; terminate?: unknown };
  if (typeof ping !== 'function' || typeof terminate !== 'function') return;
  const { heartbeat } = link.driver;
  const wait = (since: Instant): void => {
    const due = since + heartbeat.maxSilence / 2;
    if (due < Number.POSITIVE_INFINITY) TIMERS.set(link, scheduler.at(due, look));
  };
  const look = (): void => {
    const now = scheduler.now();
    const isSilent = now >= heartbeat.lastReceived + heartbeat.maxSilence / 2;
    if (isSilent && heartbeat.isMuted && socket.readyState === ReadyState.Open) {
      ping.call(socket, PAYLOAD);
    }
    wait(isSilent ? now : heartbeat.lastReceived);
  };
  wait(scheduler.now());
}

export function stopPinging(link: PingedLink): void {
  TIMERS.get(link)?.cancel();
  TIMERS.delete(link);
}
