import { CloseCode, ReadyState } from '@wirebeat/core';
import { bytesOf } from '../connection/ping-payload.ts';
import type { ServerSocket } from '../connection/server-socket.ts';
import type { RuntimePort } from './runtime-port.ts';
import { StandInPings } from './stand-in-pings.ts';

/** The routine beats as bytes, in which form they are handled without an object for the connection. */
const ROUTINE: ReadonlyMap<string, Uint8Array> = new Map(
  ['\u0005wb', '\u0006wb'].map((text) => [text, bytesOf(text)]),
);
const BINARY = new Uint8Array(0);
/** Sending this sends nothing: it only tells the tap that the application is about to send something. */
const NOTHING: unique symbol = Symbol('nothing');

type CloseListener = () => void;

/**
 * A socket of any runtime as one of `ws`, as far as the server uses it. It emits what the runtime reports;
 * `emit` returns whether the heartbeat has taken the event.
 */
export class RuntimeSocket<Raw extends object> implements ServerSocket {
  /** The socket of the runtime. */
  readonly raw: Raw;
  readonly #port: RuntimePort<Raw>;
  readonly #standIn: StandInPings | undefined; // undefined if the runtime can send Pings
  #closeListeners: readonly CloseListener[] = [];
  #isClosed = false;

  constructor(raw: Raw, port: RuntimePort<Raw>) {
    this.raw = raw;
    this.#port = port;
    this.#standIn = port.ping === undefined ? new StandInPings() : undefined;
  }

  get readyState(): number {
    if (this.#isClosed) return ReadyState.Closed;
    return this.#port.isOpen?.(this.raw) === false ? ReadyState.Closing : ReadyState.Open;
  }

  get bufferedAmount(): number {
    return this.#port.bufferedBytes?.(this.raw) ?? 0;
  }

  get isPaused(): boolean {
    return this.#standIn?.isMute === true || this.#port.isPaused?.(this.raw) === true;
  }

  send(data: unknown, _options?: unknown, sent?: () => void): void {
    if (data === NOTHING) return;
    this.#try(() => this.#port.send(this.raw, data as string));
    if (this.bufferedAmount === 0) sent?.(); // otherwise the buffer itself shows when it has left
  }

  ping(payload: string): void {
    const text = this.#standIn?.ping(payload);
    if (text !== undefined) this.send(text);
    else if (this.#standIn === undefined) this.#try(() => this.#port.ping?.(this.raw, payload));
  }

  close(code: number = CloseCode.Normal, reason = ''): void {
    this.#try(() => this.#port.close(this.raw, code, reason));
  }

  terminate(): void {
    if (this.#port.terminate !== undefined)
      return this.#try(() => this.#port.terminate?.(this.raw));
    this.close(CloseCode.Timeout, 'terminated');
    this.closed(CloseCode.Abnormal, ''); // the peer may never answer the closing handshake
  }

  pause(): void {
    this.#try(() => this.#port.pause?.(this.raw));
  }

  addEventListener(_type: 'close', listener: CloseListener): void {
    this.#closeListeners = [...this.#closeListeners, listener];
  }

  removeEventListener(_type: 'close', listener: CloseListener): void {
    this.#closeListeners = this.#closeListeners.filter((other) => other !== listener);
  }

  emit(_name: string, ..._args: unknown[]): boolean {
    return false;
  }

  // What the runtime reports. What comes after the end is taken, so that the application does not see it:
  // a runtime without `terminate` goes on delivering until its closing handshake is over.

  message(data: unknown): boolean {
    if (this.#isClosed) return true;
    if (typeof data !== 'string') return this.emit('message', BINARY, true);
    const payload = this.#standIn?.answered(data);
    if (payload !== undefined) return this.emit('pong', bytesOf(payload));
    const isTaken = this.emit('message', ROUTINE.get(data) ?? data, false);
    const held = this.#standIn?.takeHeld();
    if (held !== undefined) this.ping(held);
    return isTaken;
  }

  pinged(): boolean {
    return this.#isClosed || this.emit('ping', undefined);
  }

  ponged(payload: Uint8Array): boolean {
    return this.#isClosed || this.emit('pong', payload);
  }

  closed(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit('close', code, reason);
    for (const listener of this.#closeListeners) listener();
  }

  /** The application is about to send something. */
  sending(): void {
    this.send(NOTHING);
  }

  /** A socket that has just closed may throw. The runtime reports its end by itself. */
  #try(act: () => unknown): void {
    try {
      act();
    } catch {}
  }
}
