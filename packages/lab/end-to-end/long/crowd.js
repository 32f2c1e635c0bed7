// Runs in a page and in a Node client: opens many sockets, one after the other, half of them with a
// heartbeat attached, half of them such as come back by themselves, and tells what each one meets.
const BEATS = ['ping', 'pong', 'stall', 'dead'];

/**
 * Each group is one of `crowd.ts`, with its `url`; `tell` gets one fact at a time. Returns what asks all
 * peers at once: by itself a client whose server pings it, and hears it, may ask nothing for long.
 */
export function gather({
  attachHeartbeat,
  ReconnectingWebSocket,
  WebSocket,
  groups,
  spread,
  tell,
}) {
  const note = (group, index) => (name, details, handle) =>
    tell({ name, group, index, at: Date.now(), bound: handle?.detectionBound, ...details });

  const handles = [];

  function attach({ url, options }, tellOf) {
    const socket = new WebSocket(url);
    const heartbeat = attachHeartbeat(socket, options);
    handles.push(heartbeat);
    for (const name of BEATS) heartbeat.on(name, (event) => tellOf(name, plain(event), heartbeat));
    socket.addEventListener('open', () => tellOf('open'));
    socket.addEventListener('close', ({ code }) => tellOf('close', { code }));
    socket.addEventListener('error', () => {}); // `ws` throws what nobody listens to
  }

  function connect({ url, options, reconnect }, tellOf) {
    const socket = new ReconnectingWebSocket(url, [], { ...options, ...reconnect });
    handles.push(socket);
    for (const name of BEATS) {
      socket.addEventListener(name, ({ detail }) => tellOf(name, plain(detail), socket));
    }
    socket.addEventListener('open', () => tellOf('open'));
    socket.addEventListener('close', ({ code }) => tellOf('close', { code }));
    socket.addEventListener('retry', ({ detail }) => {
      tellOf('retry', { reason: detail.cause.reason });
    });
  }

  let opened = 0;
  for (const group of groups) {
    for (let index = 0; index < group.count; index += 1) {
      const open = index % 2 === 0 ? attach : connect;
      setTimeout(open, opened * spread, group, note(group.name, index));
      opened += 1;
    }
  }
  return () => {
    for (const handle of handles) handle.ping().catch(() => {}); // those that are gone
  };
}

/** What of an event can be written down. */
const plain = ({ silentFor, lateBy, latency, reason }) => ({ silentFor, lateBy, latency, reason });
