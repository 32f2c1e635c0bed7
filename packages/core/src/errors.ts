// HeartbeatError                code, message, cause       ERR_FOREIGN_PROTOCOL: no place for pings
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
  declare readonly code: string;

  constructor(name: string, code: string, message: string, options?: ErrorOptions) {
    super(message || code, options); // sentences are left out of bundles for production
    this.code = code;
    this.name = name; // not taken from the class: minifiers rename classes
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === HeartbeatError ? BRAND in Object(value) : super[Symbol.hasInstance](value);
  }
}

/**
 * An option or argument is invalid. Thrown by the function that received it. `ERR_INVALID_OPTION`
 */
export class InvalidOptionError extends HeartbeatError {
  declare readonly option: string;
  declare readonly expected: string;
  declare readonly value: unknown;

  /** `known`: the names of all options, if this one has none of them. */
  constructor(option: string, expected: string, value: unknown, known?: readonly string[]) {
    super(
      'InvalidOptionError',
      'ERR_INVALID_OPTION',
      IS_DEVELOPMENT ? refusalOf(option, expected, value, known) : `ERR_INVALID_OPTION: ${option}`,
    );
    this.option = option;
    this.expected = expected;
    this.value = value;
  }
}

/** A ping was not answered in time. `ERR_PING_TIMEOUT` */
export class PingTimeoutError extends HeartbeatError {
  /** The timeout, in ms. */
  declare readonly pingTimeout: Millis;
  /** The time since anything at all was last received, in ms. */
  declare readonly silentFor: Millis;

  /** `reason`: that of `dead`. Absent if one `ping()` has timed out. */
  constructor(pingTimeout: Millis, silentFor: Millis, reason?: string) {
    super(
      'PingTimeoutError',
      'ERR_PING_TIMEOUT',
      IS_DEVELOPMENT ? silenceOf(Math.round(pingTimeout), Math.round(silentFor), reason) : '',
    );
    this.pingTimeout = pingTimeout;
    this.silentFor = silentFor;
  }
}

/** The connection is not open, or closed during a wait for a pong. `ERR_CONNECTION_CLOSED` */
export class ConnectionClosedError extends HeartbeatError {
  /** The close code (RFC 6455 §7.1.5); undefined if there is none, for example before `open`. */
  declare readonly closeCode: number | undefined;
  /** The close reason (RFC 6455 §7.1.6); may be empty. */
  declare readonly reason: string;

  constructor(closeCode?: number, reason = '') {
    super(
      'ConnectionClosedError',
      'ERR_CONNECTION_CLOSED',
      IS_DEVELOPMENT ? closureOf(closeCode, reason) : '',
    );
    this.closeCode = closeCode;
    this.reason = reason;
  }
}

/**
 * A message does not fit into the queue of unsent and unconfirmed messages. `ERR_QUEUE_OVERFLOW`
 */
export class QueueOverflowError extends HeartbeatError {
  declare readonly maxQueuedBytes: number;
  declare readonly maxQueuedMessages: number;

  constructor(maxQueuedBytes: number, maxQueuedMessages: number) {
    super(
      'QueueOverflowError',
      'ERR_QUEUE_OVERFLOW',
      IS_DEVELOPMENT
        ? `The message does not fit into the queue: at most ${maxQueuedBytes} bytes and ${maxQueuedMessages} messages may be unsent or unconfirmed`
        : '',
    );
    this.maxQueuedBytes = maxQueuedBytes;
    this.maxQueuedMessages = maxQueuedMessages;
  }
}

function refusalOf(
  option: string,
  expected: string,
  value: unknown,
  known: readonly string[] | undefined,
): string {
  const got = `got \`${printed(value)}\` (${typeName(value)})`;
  if (known === undefined) return `Expected \`${option}\` to be ${expected}, ${got}`;
  return `Unknown option \`${option}\`, ${got}: known options are ${known.join(', ')}`;
}

function silenceOf(pingTimeout: Millis, silentFor: Millis, reason: string | undefined): string {
  switch (reason) {
    case 'one-way':
      return `No pong, although data was received ${silentFor} ms ago`;
    case 'max-silence':
      return `Nothing received for ${silentFor} ms from a peer that does not answer pings`;
    default:
      return `No pong within ${pingTimeout} ms; nothing received for ${silentFor} ms`;
  }
}

function closureOf(closeCode: number | undefined, reason: string): string {
  if (closeCode !== undefined) {
    return `The connection is not open (${closeCode}${reason && `, ${reason}`})`;
  }
  return reason ? `No answer is possible: ${reason}` : 'There is no open connection';
}

function printed(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'function';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' && value !== null ? className(value) : String(value);
}

/** Returns the name of the class of an object, or `object` if it has none. */
function className(value: object): string {
  const { constructor: maker } = value as { readonly constructor?: unknown };
  const name = typeof maker === 'function' ? maker.name : '';
  return name === '' || name === 'Object' ? 'object' : name;
}

function typeName(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
