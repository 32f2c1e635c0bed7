import { PingTimeoutError, type ReconnectingWebSocket } from '@wirebeat/client';
import type { WebSocket } from 'ws';
import { type Dialect, pingId } from './dialect.ts';

/**
 * Asks once. Resolves to the latency in ms; rejects with `PingTimeoutError` after `timeout`, or with
 * the reason of the signal.
 */
export type Pinger = (timeout: number, signal: AbortSignal) => Promise<number>;

/** By application pings, which the server's own program has to answer. */
export function applicationPinger(socket: ReconnectingWebSocket): Pinger {
  return (timeout, signal) => socket.ping({ timeout, signal });
}

/** By protocol Pings, which every WebSocket answers: RFC 6455 §5.5.2. */
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

/** By what another protocol calls a ping. */
export function dialectPinger(raw: WebSocket, dialect: Dialect): Pinger {
  if (dialect.opening !== undefined) raw.send(dialect.opening);
  return (timeout, signal) => {
    const id = pingId();
    return roundTrip(timeout, signal, (end) => {
      const listener = (data: Buffer, isBinary: boolean) =>
        !isBinary && dialect.isPong(String(data), id) && end();
      raw.on('message', listener);
      raw.send(dialect.ping(id));
      return () => raw.off('message', listener);
    });
  };
}

/** Begins to wait with `ask`, which is given what ends the wait and returns what forgets it. */
function roundTrip(
  timeout: number,
  signal: AbortSignal,
  ask: (end: () => void) => () => void,
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

/** As `Promise.withResolvers`, which Node 20 has not. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
