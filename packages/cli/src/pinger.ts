import { PingTimeoutError, type ReconnectingWebSocket } from '@wirebeat/client';
import type { WebSocket } from 'ws';
import { type PingDialect, pingId } from './dialect.ts';

/**
 * Pings once. Resolves to the latency in ms. Rejects with `PingTimeoutError` after `timeout` ms, or
 * with the reason of the signal.
 */
export type Pinger = (timeout: number, signal: AbortSignal) => Promise<number>;

/** Uses application pings, which the server's application must answer. */
export function applicationPinger(socket: ReconnectingWebSocket): Pinger {
  return (timeout, signal) => socket.ping({ timeout, signal });
}

/** Uses protocol Pings, which every WebSocket must answer: RFC 6455 §5.5.2. */
export function protocolPinger(raw: WebSocket): Pinger {
  return (timeout, signal) => {
    const payload = pingId();
    return roundTrip(timeout, signal, (end) => {
      const listener = (data: Buffer) => String(data) === payload && end();
      raw.on('pong', listener);
      raw.ping(payload);
      return () => raw.off('pong', listener);
    });
  };
}

/** Uses the pings of another protocol. */
export function dialectPinger(raw: WebSocket, { dialect, opening }: PingDialect): Pinger {
  const session = dialect.open('client');
  const waiting = new Map<string, () => void>();
  let proceed = (): void => {};
  const isReady = new Promise<void>((resolve) => (proceed = resolve));
  if (session.ready) proceed();
  raw.on('message', (data: Buffer, isBinary: boolean) => {
    const { beats = [] } = session.receive(isBinary ? data : String(data)) ?? {};
    if (session.ready) proceed();
    for (const beat of beats) {
      if (beat.kind === 'ping' && beat.answer !== undefined) raw.send(beat.answer);
      if (beat.kind === 'pong' && beat.id !== undefined) waiting.get(beat.id)?.();
    }
  });
  if (opening !== undefined) {
    const message = opening();
    session.sent(message);
    raw.send(message);
  }
  return async (timeout, signal) => {
    await until(isReady, timeout, signal);
    const id = pingId();
    return roundTrip(timeout, signal, (end) => {
      waiting.set(id, end);
      // Undefined if too many pings are unanswered: this one stays unanswered too.
      const ping = session.ping(id);
      if (ping !== undefined) raw.send(ping);
      return () => waiting.delete(id);
    });
  };
}

/** Waits for the handshake of a dialect, with the timeout of a pong. */
async function until(ready: Promise<void>, timeout: number, signal: AbortSignal): Promise<void> {
  await roundTrip(timeout, signal, (end) => {
    void ready.then(end);
    return () => {};
  });
}

/** Calls `ask` with a function that ends the wait. `ask` returns a function that cleans up. */
function roundTrip(
  timeout: number,
  signal: AbortSignal,
  ask: (end: () => void) => () => unknown,
): Promise<number> {
  const { promise, resolve, reject } = withResolvers<number>();
  const startedAt = performance.now();
  const since = () => performance.now() - startedAt;
  const forget = ask(() => resolve(since()));
  const timer = setTimeout(() => reject(new PingTimeoutError(timeout, since())), timeout);
  const stop = () => reject(signal.reason);
  signal.addEventListener('abort', stop);
  return promise.finally(() => {
    forget();
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  });
}

/** Like `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
