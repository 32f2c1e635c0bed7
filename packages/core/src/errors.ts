// HeartbeatError                code, message, cause
// ├── InvalidOptionError         option, expected, value     you broke a rule; thrown at construction
// ├── PingTimeoutError           pingTimeout, silentFor      the peer did not answer; comes with 'dead'
// ├── ConnectionClosedError      closeCode, reason           rejects what was waiting for a pong
// └── QueueOverflowError         maxQueuedBytes, …Messages   thrown by send() while disconnected
//
// Only InvalidOptionError and QueueOverflowError are thrown at a caller; the others come by event
// or by a rejected promise.

import type { Millis } from './time.ts';

const BRAND = Symbol.for('wirebeat.HeartbeatError');

/**
 * What every error of wirebeat is, also one of another copy of this package on the same page: to
 * tell the kinds apart there, compare `code`, which is stable.
 */
export class HeartbeatError extends Error {
  readonly code: string;

  constructor(name: string, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = name; // spelt out: minifiers rename classes
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== HeartbeatError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** An option has a value that it cannot have. Thrown where the options are given, nowhere else. */
export class InvalidOptionError extends HeartbeatError {
  readonly option: string;
  readonly expected: string;
  readonly value: unknown;

  constructor(option: string, expected: string, value: unknown) {
    super(
      'InvalidOptionError',
      'ERR_INVALID_OPTION',
      `Expected \`${option}\` to be ${expected}, got \`${printed(value)}\` (${typeName(value)})`,
    );
    this.option = option;
    this.expected = expected;
    this.value = value;
  }
}

/** A ping was not answered in time. */
export class PingTimeoutError extends HeartbeatError {
  /** How long the answer was waited for. */
  readonly pingTimeout: Millis;
  /** How long nothing at all had been received. */
  readonly silentFor: Millis;

  constructor(pingTimeout: Millis, silentFor: Millis) {
    super(
      'PingTimeoutError',
      'ERR_PING_TIMEOUT',
      `No pong within ${Math.round(pingTimeout)} ms; nothing received for ${Math.round(silentFor)} ms`,
    );
    this.pingTimeout = pingTimeout;
    this.silentFor = silentFor;
  }
}

/** The connection ended, or had not begun, while somebody waited for a pong. */
export class ConnectionClosedError extends HeartbeatError {
  /** RFC 6455 §7.1.5; undefined if the connection has no close code, as before it is open. */
  readonly closeCode: number | undefined;
  /** RFC 6455 §7.1.6. */
  readonly reason: string;

  constructor(closeCode?: number, reason = '') {
    const words = [closeCode ?? 'no close code', reason].filter((word) => word !== '').join(', ');
    super(
      'ConnectionClosedError',
      'ERR_CONNECTION_CLOSED',
      `The connection is not open (${words})`,
    );
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/** A message was sent while disconnected, and the queue for such messages is full. */
export class QueueOverflowError extends HeartbeatError {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;

  constructor(maxQueuedBytes: number, maxQueuedMessages: number) {
    super(
      'QueueOverflowError',
      'ERR_QUEUE_OVERFLOW',
      `The message does not fit into the queue of ${maxQueuedBytes} bytes and ${maxQueuedMessages} messages kept while disconnected`,
    );
    this.maxQueuedBytes = maxQueuedBytes;
    this.maxQueuedMessages = maxQueuedMessages;
  }
}

function printed(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'function';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' && value !== null ? 'object' : String(value);
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
