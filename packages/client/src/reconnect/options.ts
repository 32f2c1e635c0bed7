import {
  type AbortSignalLike,
  BACKOFF_SCHEMA,
  type BackoffOptions,
  HEARTBEAT_SCHEMA,
  InvalidOptionError,
  type Millis,
  type Resolved,
  resolveOptions,
  type Scheduler,
  type SocketData,
  SystemScheduler,
} from '@wirebeat/core';
import {
  ATTACH_SCHEMA,
  type AttachOptions,
  type ResolvedAttachOptions,
  resolveAttachOptions,
} from '../options.ts';
import type { MessageOutbox, QueueBounds, QueuePolicy, Unsendable } from '../outbox/outbox.ts';
import { type Lifecycle, pageLifecycle } from '../page/page-lifecycle.ts';
import { defaultWebSocket, type WebSocketConstructor } from '../websocket-api/constructor.ts';
import type { DomAbortSignal } from '../websocket-api/dom-types.ts';
import { type CloseRecord, isFatal } from './close-record.ts';
import type { CreateWebSocket } from './dialer.ts';
import type { Observer } from './events.ts';

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

/** What the socket uses of a {@link Delivery}. */
export interface DeliveryChoice {
  /** Whether messages are kept until they are confirmed. */
  readonly confirm: boolean;
  open(
    bounds: QueueBounds & { readonly scheduler: Scheduler },
    unsendable: Unsendable,
  ): MessageOutbox;
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
   * Knows which messages have arrived, and sends the others again: a {@link Delivery}.
   * @default none: messages sent on a connection that is lost may be lost
   */
  readonly delivery?: DeliveryChoice;
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
  /**
   * The class of the sockets, or a function that creates each of them, for example with headers, an
   * agent or certificates. Arrow functions and methods are called; anything else is called with
   * `new`.
   * @default the class of the runtime, or of `ws` in Node
   */
  readonly WebSocket?: WebSocketConstructor | CreateWebSocket;
  /** Aborting it calls `close()`. */
  readonly signal?: AbortSignalLike;
  /**
   * Called with the name and the detail of each event before its listeners, and with no messages
   * received. For a log, pass the result of {@link logTo}.
   */
  readonly observe?: Observer;
}

/** The options of {@link ReconnectingWebSocket} that the heartbeat has not. Durations are in ms. */
export const RECONNECT_SCHEMA = {
  backoff: { type: 'object' },
  maxAttempts: { type: 'count', default: false, off: true },
  connectTimeout: { type: 'duration', default: 10_000, off: true }, // slow mobile TLS takes 3 s
  ready: { type: 'function' },
  readyTimeout: { type: 'duration', default: 10_000, off: true },
  stableFor: { type: 'duration', default: 5_000 }, // servers that accept and then close do it sooner
  maxAge: { type: 'duration', default: false, off: true },
  maxQueuedBytes: { type: 'count', default: 1_048_576, off: true }, // more than pages usually send
  maxQueuedMessages: { type: 'count', default: 10_000, off: true }, // a minute of one per frame
  queuePolicy: { type: 'choice', of: ['error', 'drop-oldest', 'drop-newest'], default: 'error' },
  delivery: { type: 'object', method: 'open' },
  makeBeforeBreak: { type: 'boolean', default: true },
  fatalCodes: { type: 'list' },
  shouldReconnect: { type: 'function' },
  WebSocket: { type: 'function' },
  signal: { type: 'object', method: 'addEventListener' },
  observe: { type: 'function' },
} as const;

type OwnOptions = Pick<ReconnectOptions, keyof typeof RECONNECT_SCHEMA>;

/** {@link ReconnectOptions} with defaults; `false` has become `Infinity`. */
export interface ResolvedReconnectOptions
  extends Omit<
    Resolved<OwnOptions, typeof RECONNECT_SCHEMA>,
    'backoff' | 'fatalCodes' | 'shouldReconnect' | 'WebSocket'
  > {
  readonly heartbeat: ResolvedAttachOptions;
  readonly backoff: BackoffOptions;
  readonly scheduler: Scheduler;
  readonly lifecycle: Lifecycle | false;
  readonly createWebSocket: CreateWebSocket;
  readonly isFatal: (code: number) => boolean;
  readonly shouldReconnect: (record: CloseRecord) => boolean;
}

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveReconnectOptions(options: ReconnectOptions): ResolvedReconnectOptions {
  const { memory: _, ...attach } = ATTACH_SCHEMA;
  const resolved = resolveOptions({ ...HEARTBEAT_SCHEMA, ...attach, ...RECONNECT_SCHEMA }, options);
  const {
    random = Math.random,
    scheduler = new SystemScheduler(),
    lifecycle = pageLifecycle,
    dialect,
    delivery,
    shouldReconnect = ({ reason }) => reason !== 'fatal',
  } = resolved;
  const timing = Object.fromEntries(
    Object.entries(options).filter(([name]) => name in HEARTBEAT_SCHEMA),
  );
  const names = Object.entries(resolved).filter(([name]) => name in RECONNECT_SCHEMA);
  const { fatalCodes, WebSocket, ...own } = Object.fromEntries(names) as typeof resolved;
  return {
    ...own,
    heartbeat: resolveAttachOptions({
      ...(delivery?.confirm && { probeAfter: false }), // the pings for confirmation do it
      ...timing,
      scheduler,
      lifecycle,
      ...(dialect && { dialect }),
    }),
    backoff: resolveOptions(BACKOFF_SCHEMA, { ...options.backoff, random }, 'backoff'),
    scheduler,
    lifecycle,
    createWebSocket: creatorOf(WebSocket),
    isFatal: fatalBy(fatalCodes),
    shouldReconnect,
  };
}

function check(isGood: unknown, option: string, expected: string, value: unknown): void {
  if (!isGood) throw new InvalidOptionError(option, expected, value);
}

/**
 * Returns how to create sockets. What has no `prototype` is no class: arrow functions, methods and
 * async functions. Any other function may be called with `new`: if it returns an object, that is the
 * result.
 */
function creatorOf(given: ReconnectOptions['WebSocket']): CreateWebSocket {
  if (given !== undefined && !('prototype' in given)) return given as CreateWebSocket;
  // Looked up at each attempt, because a test may replace the global class at any time.
  const find = () => (given as WebSocketConstructor | undefined) ?? defaultWebSocket();
  check(find() !== undefined, 'WebSocket', 'given, for this runtime has none', given);
  return (url, protocols) => new (find() as WebSocketConstructor)(url, protocols);
}

function fatalBy(codes: readonly number[] | undefined): (code: number) => boolean {
  if (codes === undefined) return isFatal;
  const isCode = (code: unknown) => Number.isInteger(code) && Number(code) > 999;
  check(codes.every(isCode), 'fatalCodes', 'a list of close codes', codes);
  const fatal = new Set(codes); // a copy: later changes of the list have no effect
  return (code) => fatal.has(code);
}
