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

/** The socket of one connection, as `ready` is given it: what it sends goes out at once. */
export interface ReadySocket {
  readonly url: string;
  readonly protocol: string;
  send(data: SocketData): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  addEventListener(type: string, listener: (event: any) => void, options?: object): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  removeEventListener(type: string, listener: (event: any) => void): void;
}

/** What is told what happens, such as `console`. It gets no message of the application. */
export interface Logger {
  debug?(message: string, details: unknown): void;
  warn?(message: string, details: unknown): void;
}

/** Options of {@link ReconnectingWebSocket}, beside those of the heartbeat. */
export interface ReconnectOptions extends Omit<AttachOptions, 'memory'> {
  /** Waits between attempts: full jitter up to 0.5 s, doubling to 30 s. */
  readonly backoff?: Omit<BackoffOptions, 'random'>;
  /** Attempts in a row that may fail until it gives up. `false`: it never does. @default false */
  readonly maxAttempts?: number | false;
  /** From asking for the address to `open`. `false`: as long as the runtime waits. @default 10_000 */
  readonly connectTimeout?: Millis | false;
  /**
   * Makes each new connection ready, by the application's own authentication for example. What is
   * sent by {@link ReconnectingWebSocket.send} meanwhile waits in the queue. If the promise rejects,
   * the attempt has failed. The signal is aborted when the connection ends before it is ready.
   */
  readonly ready?: (
    socket: ReadySocket,
    context: { readonly signal: DomAbortSignal },
  ) => Promise<unknown> | unknown;
  /** From `open` until `ready` has resolved. `false`: for ever. @default 10_000 */
  readonly readyTimeout?: Millis | false;
  /** A connection that answered a ping and lasted so long begins the backoff anew. @default 5_000 */
  readonly stableFor?: Millis;
  /** Age at which a connection is replaced, less up to a tenth by chance. @default false */
  readonly maxAge?: Millis | false;
  /** Bytes of messages kept while there is no connection. `false`: without bound. @default 1_048_576 */
  readonly maxQueuedBytes?: number | false;
  /** Messages kept while there is no connection. `false`: without bound. @default 10_000 */
  readonly maxQueuedMessages?: number | false;
  /** What becomes of what the queue has no place for. @default 'error': `send()` throws */
  readonly queuePolicy?: QueuePolicy;
  /**
   * Whether messages are kept until the server has confirmed them, within the bounds of the queue.
   * What is not confirmed is in `unconfirmed`. @default as `resend`
   */
  readonly confirm?: boolean;
  /** `'unconfirmed'`: what was not confirmed is sent again on the next connection. @default false */
  readonly resend?: 'unconfirmed' | false;
  /**
   * Whether a second connection is dialled while the first is suspect, towards a server that has answered
   * a ping; the one that is heard first is kept. @default true
   */
  readonly makeBeforeBreak?: boolean;
  /** Close codes of the peer after which it gives up. @default those in [4400, 4499] */
  readonly fatalCodes?: readonly number[];
  /** Whether to dial again after this end. @default unless the reason is `fatal` */
  readonly shouldReconnect?: (record: CloseRecord) => boolean;
  /** @default the runtime's own class, or that of `ws` in Node */
  readonly WebSocket?: WebSocketConstructor;
  /** Makes each socket in place of `WebSocket`: with headers, an agent, certificates. */
  readonly createWebSocket?: CreateWebSocket;
  /** Aborting it closes for good. */
  readonly signal?: AbortSignalLike;
  /** @default nothing is logged */
  readonly logger?: Logger;
}

/** {@link ReconnectOptions} as the class keeps them: off is `Infinity`. */
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

/** Every default of reconnection, with its reason. */
const DEFAULTS = {
  connectTimeout: 10_000, // TLS over a slow mobile network takes 3 s; a hang takes for ever
  readyTimeout: 10_000, // likewise
  stableFor: 5_000, // a server that accepts and closes does so sooner
  maxQueuedBytes: 1_048_576, // more than a page writes in an outage, less than it misses
  maxQueuedMessages: 10_000, // empty ones too; a minute of everything that a page draws
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

/** @throws {InvalidOptionError} if a value is out of its range or a name is unknown. */
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
  resolveHeartbeatOptions(heartbeat); // bad ones are told here, before a socket is dialled
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

/** A class is one way to make sockets; a function is another, and not both. */
function creatorOf({ WebSocket, createWebSocket }: ReconnectOptions): CreateWebSocket {
  const isOne = WebSocket === undefined || createWebSocket === undefined;
  check(isOne, 'createWebSocket', 'absent where `WebSocket` is given', createWebSocket);
  const create = checkFunction('createWebSocket', createWebSocket);
  if (create !== undefined) return create;
  const given = checkFunction('WebSocket', WebSocket);
  // Asked at each attempt: a test may replace the global class at any time.
  const find = () => given ?? defaultWebSocket();
  check(find() !== undefined, 'WebSocket', 'given, for this runtime has none', given);
  return (url, protocols) => new (find() as WebSocketConstructor)(url, protocols);
}

function fatalBy(codes: readonly number[] | undefined): (code: number) => boolean {
  if (codes === undefined) return isFatal;
  const isCode = (code: unknown) => Number.isInteger(code) && Number(code) > 999;
  check(Array.isArray(codes) && codes.every(isCode), 'fatalCodes', 'a list of close codes', codes);
  const fatal = new Set(codes); // as they are now
  return (code) => fatal.has(code);
}
