import type { WebSocketLike } from '@wirebeat/core';

type Call = () => void;
type AtEnd = (end: () => void) => void;

/** What undici publishes of a received Ping or Pong. */
interface ControlFrame {
  /** Missing before undici 7, which is in Node 24: there, no one can tell whose frame it was. */
  readonly websocket?: object;
}

interface DiagnosticsChannel {
  subscribe(name: string, listener: (frame: ControlFrame) => void): void;
  unsubscribe(name: string, listener: (frame: ControlFrame) => void): void;
}

const FRAMES = ['ping', 'pong'];

/** One listener serves all sockets: each frame is published once, whoever it is for. */
const CALLS: WeakMap<object, Call> = /* @__PURE__ */ new WeakMap();
let watched = 0;

/**
 * Calls `call` for each protocol Ping and Pong that a native WebSocket of Node 24 or Bun receives, and for
 * each Pong of a socket of `ws`, whose Pings are seen where its events are. The WebSockets of Node 22, Deno
 * and pages show neither. Passes a function that ends this to the callback `atEnd`, so that page bundles drop
 * the whole call.
 */
export function watchProtocolPings(socket: WebSocketLike, call: Call, atEnd: AtEnd): void {
  const { ping, emit } = socket as { ping?: unknown; emit?: unknown };
  if (typeof emit === 'function') return watchPongs(socket as never, call, atEnd);
  if (typeof ping === 'function') return atEnd(watchEvents(socket, call));
  const channel = diagnosticsChannel();
  if (channel !== undefined) atEnd(watchChannel(channel, socket, call));
}

function watchPongs(
  socket: { on?(name: string, call: Call): void; off?(name: string, call: Call): void },
  call: Call,
  atEnd: AtEnd,
): void {
  socket.on?.('pong', call);
  atEnd(() => socket.off?.('pong', call));
}

/** Bun dispatches events with the payload; a class with other events of these names has none. */
function watchEvents(socket: WebSocketLike, call: Call): () => void {
  const listener = ({ data }: { readonly data?: unknown }) => {
    if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer) call();
  };
  for (const name of FRAMES) socket.addEventListener(name, listener);
  return () => {
    for (const name of FRAMES) socket.removeEventListener(name, listener);
  };
}

function watchChannel(channel: DiagnosticsChannel, socket: WebSocketLike, call: Call): () => void {
  if (watched === 0) for (const name of FRAMES) channel.subscribe(channelOf(name), onFrame);
  watched += 1;
  CALLS.set(socket, call);
  return () => {
    if (!CALLS.delete(socket)) return;
    watched -= 1;
    if (watched === 0) for (const name of FRAMES) channel.unsubscribe(channelOf(name), onFrame);
  };
}

function onFrame({ websocket }: ControlFrame): void {
  if (websocket !== undefined) CALLS.get(websocket)?.();
}

function channelOf(name: string): string {
  return `undici:websocket:${name}`;
}

/** Without an import, which would keep the client from loading in a page. */
function diagnosticsChannel(): DiagnosticsChannel | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?(name: string): DiagnosticsChannel | undefined };
  };
  return process?.getBuiltinModule?.('node:diagnostics_channel');
}
