// HeartbeatError                code, message, cause
// ├── InvalidOptionError         option, expected, value     an option or argument is invalid
// ├── PingTimeoutError           pingTimeout, silentFor      no pong in time; part of 'dead'
// ├── ConnectionClosedError      closeCode, reason           the connection is not open
// └── QueueOverflowError         maxQueuedBytes, …Messages   the queue is full while disconnected
//
// Only InvalidOptionError and QueueOverflowError are thrown. The others are part of an event or
// reject a promise. In a bundle for production, a message is only the code: the fields say the rest.

import { IS_DEVELOPMENT } from './development.ts';
import type { Millis } from './time.ts';

const BRAND = Symbol.for('wirebeat.HeartbeatError');

/**
 * The base class of all wirebeat errors. `instanceof HeartbeatError` also works for errors from
 * another copy of this package. To distinguish the kinds of error, compare `code`, which is stable.
 */
export class HeartbeatError extends Error {
  readonly code: string;

  constructor(name: string, code: string, message: string, options?: ErrorOptions) {
    super(message || code, options); // sentences are left out of bundles for production
    this.code = code;
    this.name = name; // not taken from the class: minifiers rename classes
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== HeartbeatError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/**
 * An option or argument is invalid. Thrown by the function that received it. `ERR_INVALID_OPTION`
 */
export class InvalidOptionError extends HeartbeatError {
  readonly option: string;
  readonly expected: string;
  readonly value: unknown;

  constructor(option: string, expected: string, value: unknown) {
    super(
      'InvalidOptionError',
      'ERR_INVALID_OPTION',
      IS_DEVELOPMENT
        ? `Expected \`${option}\` to be ${expected}, got \`${printed(value)}\` (${typeName(value)})`
        : `ERR_INVALID_OPTION: ${option}`,
    );
    this.option = option;
    this.expected = expected;
    this.value = value;
  }
}

/** A ping was not answered in time. `ERR_PING_TIMEOUT` */
export class PingTimeoutError extends HeartbeatError {
  /** The timeout, in ms. */
  readonly pingTimeout: Millis;
  /** The time since anything at all was last received, in ms. */
  readonly silentFor: Millis;

  constructor(pingTimeout: Millis, silentFor: Millis) {
    super(
      'PingTimeoutError',
      'ERR_PING_TIMEOUT',
      IS_DEVELOPMENT
        ? `No pong within ${Math.round(pingTimeout)} ms; nothing received for ${Math.round(silentFor)} ms`
        : '',
    );
    this.pingTimeout = pingTimeout;
    this.silentFor = silentFor;
  }
}

/** The connection is not open, or closed during a wait for a pong. `ERR_CONNECTION_CLOSED` */
export class ConnectionClosedError extends HeartbeatError {
  /** The close code (RFC 6455 §7.1.5); undefined if there is none, for example before `open`. */
  readonly closeCode: number | undefined;
  /** The close reason (RFC 6455 §7.1.6); may be empty. */
  readonly reason: string;

  constructor(closeCode?: number, reason = '') {
    super(
      'ConnectionClosedError',
      'ERR_CONNECTION_CLOSED',
      IS_DEVELOPMENT
        ? `The connection is not open (${closeCode ?? 'no close code'}${reason && `, ${reason}`})`
        : '',
    );
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/**
 * A message does not fit into the queue for messages sent while disconnected. `ERR_QUEUE_OVERFLOW`
 */
export class QueueOverflowError extends HeartbeatError {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;

  constructor(maxQueuedBytes: number, maxQueuedMessages: number) {
    super(
      'QueueOverflowError',
      'ERR_QUEUE_OVERFLOW',
      IS_DEVELOPMENT
        ? `The message does not fit into the queue of ${maxQueuedBytes} bytes and ${maxQueuedMessages} messages kept while disconnected`
        : '',
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
