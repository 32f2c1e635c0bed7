import {
  type AbortSignalLike,
  type BackoffOptions,
  checkFunction,
  checkNames,
  countOrOff,
  duration,
  durationOrOff,
  HEARTBEAT_OPTION_NAMES,
  InvalidOptionError,
  type Millis,
  resolveHeartbeatOptions,
  type Scheduler,
  type SocketData,
  SystemScheduler,
} from '@wirebeat/core';
import type { AttachOptions } from '../attach.ts';
import { QUEUE_POLICIES, type QueueBounds, type QueuePolicy } from '../outbox/send-queue.ts';
import { type Lifecycle, pageLifecycle } from '../page/page-lifecycle.ts';
import { defaultWebSocket, type WebSocketConstructor } from '../websocket-api/constructor.ts';
import type { DomAbortSignal } from '../websocket-api/dom-types.ts';
import { type CloseRecord, isFatal } from './close-record.ts';
import type { CreateWebSocket } from './dialer.ts';

/** The socket of one connection, as passed to `ready`. Its `send()` bypasses the queue. */
export interface ReadySocket {
  readonly url: string;
  readonly protocol: string;
  send(data: SocketData): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  addEventListener(type: string, listener: (event: any) => void, options?: object): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  removeEventListener(type: string, listener: (event: any) => void): void;
}

/** Receives log messages; `console` is one. Application messages are never logged. */
export interface Logger {
  debug?(message: string, details: unknown): void;
  warn?(message: string, details: unknown): void;
}

/** Options of {@link ReconnectingWebSocket}, in addition to those of the heartbeat. */
export interface ReconnectOptions extends Omit<AttachOptions, 'memory'> {
  /** Delays between attempts. @default full jitter up to 500 ms, doubling up to 30_000 ms */
  readonly backoff?: Omit<BackoffOptions, 'random'>;
  /**
   * The number of failed attempts in a row after which it gives up: a whole number >= 0. `false`
   * for no limit.
   * @default false
   */
  readonly maxAttempts?: number | false;
  /**
   * The longest time for one attempt, in ms, from the request for the address to `open`. In
   * (0, 2^31 - 1]. `false` for the limit of the runtime.
   * @default 10_000
   */
  readonly connectTimeout?: Millis | false;
  /**
   * Prepares each new connection, for example with the authentication of the application. Messages
   * sent with {@link ReconnectingWebSocket.send} wait in the queue until the promise resolves. If
   * the promise rejects, the attempt fails. The signal is aborted if the connection ends first.
   */
  readonly ready?: (
    socket: ReadySocket,
    context: { readonly signal: DomAbortSignal },
  ) => Promise<unknown> | unknown;
  /**
   * The longest time from `open` until `ready` has resolved, in ms, in (0, 2^31 - 1]. `false` for
   * no limit.
   * @default 10_000
   */
  readonly readyTimeout?: Millis | false;
  /**
   * A connection that answered a ping and was ready for this time, in ms, resets the backoff. In
   * (0, 2^31 - 1].
   * @default 5_000
   */
  readonly stableFor?: Millis;
  /**
   * The age at which a connection is replaced, in ms, in (0, 2^31 - 1]. Up to a tenth is randomly
   * subtracted. `false` for no limit.
   * @default false
   */
  readonly maxAge?: Millis | false;
  /** The maximum number of bytes in the queue. `false` for no limit. @default 1_048_576 */
  readonly maxQueuedBytes?: number | false;
  /** The maximum number of messages in the queue. `false` for no limit. @default 10_000 */
  readonly maxQueuedMessages?: number | false;
  /** What to do if a message does not fit into the queue. @default 'error': `send()` throws */
  readonly queuePolicy?: QueuePolicy;
  /**
   * Whether messages stay in the queue until the server has confirmed them. Unconfirmed messages
   * are in `unconfirmed`.
   * @default true if `resend` is set, otherwise false
   */
  readonly confirm?: boolean;
  /** Use `'unconfirmed'` to resend unconfirmed messages on the next connection. @default false */
  readonly resend?: 'unconfirmed' | false;
  /**
   * Whether to open a second connection while the first is suspect, if the server has answered a
   * ping before. The connection that receives an answer first is kept.
   * @default true
   */
  readonly makeBeforeBreak?: boolean;
  /** The close codes from the peer after which it gives up. @default those in [4400, 4499] */
  readonly fatalCodes?: readonly number[];
  /** Returns whether to reconnect after this end. @default true unless the reason is `fatal` */
  readonly shouldReconnect?: (record: CloseRecord) => boolean;
  /** The class of the sockets. @default the class of the runtime, or of `ws` in Node */
  readonly WebSocket?: WebSocketConstructor;
  /** Creates each socket, instead of `WebSocket`: for headers, an agent or certificates. */
  readonly createWebSocket?: CreateWebSocket;
  /** Aborting it calls `close()`. */
  readonly signal?: AbortSignalLike;
  /** Where to log events. @default no logging */
  readonly logger?: Logger;
}

/** {@link ReconnectOptions} after validation: `false` has become `Infinity`. */
export interface ResolvedReconnectOptions extends QueueBounds {
  readonly heartbeat: AttachOptions & { readonly scheduler: Scheduler };
  readonly backoff: BackoffOptions;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle | false;
  readonly confirm: boolean;
  readonly resend: boolean;
  readonly makeBeforeBreak: boolean;
  readonly createWebSocket: CreateWebSocket;
  readonly connectTimeout: Millis;
  readonly ready: ReconnectOptions['ready'];
  readonly readyTimeout: Millis;
  readonly stableFor: Millis;
  readonly maxAge: Millis;
  readonly maxAttempts: number;
  readonly isFatal: (code: number) => boolean;
  readonly shouldReconnect: (record: CloseRecord) => boolean;
  readonly signal: AbortSignalLike | undefined;
  readonly logger: Logger | undefined;
}

/** The defaults of reconnection, with reasons. Durations are in ms. */
const DEFAULTS = {
  connectTimeout: 10_000, // TLS over a slow mobile network takes 3 s
  readyTimeout: 10_000, // the same
  stableFor: 5_000, // a server that accepts connections and closes them does so earlier
  maxQueuedBytes: 1_048_576, // more than most pages send in an outage, and little memory
  maxQueuedMessages: 10_000, // limits empty messages too; more than a minute of one per frame
} as const;

const OWN_NAMES = [
  'scheduler',
  'lifecycle',
  'backoff',
  'maxAttempts',
  'connectTimeout',
  'ready',
  'readyTimeout',
  'stableFor',
  'maxAge',
  'maxQueuedBytes',
  'maxQueuedMessages',
  'queuePolicy',
  'confirm',
  'resend',
  'makeBeforeBreak',
  'fatalCodes',
  'shouldReconnect',
  'WebSocket',
  'createWebSocket',
  'signal',
  'logger',
];

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveReconnectOptions(options: ReconnectOptions): ResolvedReconnectOptions {
  checkNames('options', options, [...HEARTBEAT_OPTION_NAMES, ...OWN_NAMES]);
  const {
    random = Math.random,
    scheduler = new SystemScheduler(),
    lifecycle = pageLifecycle,
    backoff = {},
    queuePolicy = 'error',
    resend = false,
    confirm = resend !== false,
    makeBeforeBreak = true,
    signal,
    logger,
  } = options;
  const timing = Object.entries(options).filter(([name]) => HEARTBEAT_OPTION_NAMES.includes(name));
  const heartbeat = Object.fromEntries(timing);
  checkNames('backoff', backoff, ['minDelay', 'maxDelay', 'factor', 'jitter']);
  resolveHeartbeatOptions(heartbeat); // throws for invalid options before a socket is created
  const policies = `one of ${QUEUE_POLICIES.join(', ')}`;
  check(resend === false || resend === 'unconfirmed', 'resend', "'unconfirmed' or false", resend);
  check(confirm || resend === false, 'confirm', 'true where `resend` is', confirm);
  check(QUEUE_POLICIES.includes(queuePolicy), 'queuePolicy', policies, queuePolicy);
  check(!lifecycle || lifecycle.watch, 'lifecycle', 'an object with watch(), or false', lifecycle);
  check(!signal || signal.addEventListener, 'signal', 'an AbortSignal', signal);
  check(logger === undefined || Object(logger) === logger, 'logger', 'an object', logger);
  const wait = (name: keyof typeof DEFAULTS | 'maxAge', fallback: Millis) =>
    durationOrOff(name, options[name], fallback);
  const count = (name: keyof typeof DEFAULTS | 'maxAttempts', fallback: number) =>
    countOrOff(name, options[name], fallback);
  return {
    heartbeat: { ...(confirm && { probeAfter: false }), ...heartbeat, scheduler, lifecycle },
    backoff: { ...backoff, random },
    scheduler,
    lifecycle,
    createWebSocket: creatorOf(options),
    connectTimeout: wait('connectTimeout', DEFAULTS.connectTimeout),
    ready: checkFunction('ready', options.ready),
    readyTimeout: wait('readyTimeout', DEFAULTS.readyTimeout),
    stableFor: duration('stableFor', options.stableFor, DEFAULTS.stableFor),
    maxAge: wait('maxAge', Number.POSITIVE_INFINITY),
    maxAttempts: count('maxAttempts', Number.POSITIVE_INFINITY),
    maxQueuedBytes: count('maxQueuedBytes', DEFAULTS.maxQueuedBytes),
    maxQueuedMessages: count('maxQueuedMessages', DEFAULTS.maxQueuedMessages),
    queuePolicy,
    confirm,
    resend: resend !== false,
    makeBeforeBreak,
    isFatal: fatalBy(options.fatalCodes),
    shouldReconnect:
      checkFunction('shouldReconnect', options.shouldReconnect) ??
      (({ reason }) => reason !== 'fatal'),
    signal,
    logger,
  };
}

function check(isGood: unknown, option: string, expected: string, value: unknown): void {
  if (!isGood) throw new InvalidOptionError(option, expected, value);
}

/** Returns how to create sockets: with a class or with a function. Both are an error. */
function creatorOf({ WebSocket, createWebSocket }: ReconnectOptions): CreateWebSocket {
  const isOne = WebSocket === undefined || createWebSocket === undefined;
  check(isOne, 'createWebSocket', 'absent where `WebSocket` is given', createWebSocket);
  const create = checkFunction('createWebSocket', createWebSocket);
  if (create !== undefined) return create;
  const given = checkFunction('WebSocket', WebSocket);
  // Looked up at each attempt, because a test may replace the global class at any time.
  const find = () => given ?? defaultWebSocket();
  check(find() !== undefined, 'WebSocket', 'given, for this runtime has none', given);
  return (url, protocols) => new (find() as WebSocketConstructor)(url, protocols);
}

function fatalBy(codes: readonly number[] | undefined): (code: number) => boolean {
  if (codes === undefined) return isFatal;
  const isCode = (code: unknown) => Number.isInteger(code) && Number(code) > 999;
  check(Array.isArray(codes) && codes.every(isCode), 'fatalCodes', 'a list of close codes', codes);
  const fatal = new Set(codes); // a copy: later changes of the list have no effect
  return (code) => fatal.has(code);
}
