import {
  type AbortSignalLike,
  type BackoffOptions,
  checkNames,
  HEARTBEAT_SCHEMA,
  InvalidOptionError,
  type Millis,
  type Resolved,
  resolveOptions,
  type Scheduler,
} from '@wirebeat/core';
import { IS_PAGE } from '../development.ts';
import {
  ATTACH_SCHEMA,
  type AttachOptions,
  type ResolvedAttachOptions,
  resolveAttachOptions,
} from '../options.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { QueuePolicy } from '../outbox/queue-bounds.ts';
import type { Lifecycle } from '../page/page-lifecycle.ts';
import { defaultWebSocket, type WebSocketConstructor } from '../websocket-api/default-websocket.ts';
import { type CloseRecord, isFatal } from './close-record.ts';
import type { CreateWebSocket } from './dialer.ts';
import type { Observer } from './events.ts';
import type { ParkingChoice } from './parking.ts';
import type { ReadyChoice } from './prepare-with.ts';

/** Options of {@link ReconnectingWebSocket}, in addition to those of the heartbeat. */
export interface ReconnectOptions extends Omit<AttachOptions, 'gate' | 'memory'> {
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
  /** Prepares each new connection: pass the result of {@link prepareWith}. @default none */
  readonly ready?: ReadyChoice;
  /**
   * The longest time from `open` until the promise of `ready` has resolved, in ms, in (0, 2^31 - 1]. `false` for
   * no limit.
   * @default 10_000
   */
  readonly readyTimeout?: Millis | false;
  /**
   * Resets the backoff at the end of a connection that was ready for this time, in ms, and answered a
   * ping. In (0, 2^31 - 1].
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
  readonly delivery?: Delivery;
  /**
   * Closes the connection while the page is hidden: a {@link ParkWhileHidden}.
   * @default none: the connection stays open
   */
  readonly parking?: ParkingChoice;
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
   * Called with the name and the detail of each event before its listeners. It is not called for
   * messages. For a log, pass the result of {@link logTo}.
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
  parking: { type: 'object', method: 'watch' },
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
  const [given, shared] = IS_PAGE ? [options, options] : parted(options);
  const {
    fatalCodes,
    WebSocket,
    backoff,
    shouldReconnect = ({ reason }: CloseRecord) => reason !== 'fatal',
    ...own
  } = resolveOptions(RECONNECT_SCHEMA, given as OwnOptions);
  const heartbeat = resolveAttachOptions({
    ...(own.delivery?.confirm && { probeAfter: false }), // the pings for confirmation do it
    ...shared,
  });
  const { random, scheduler, lifecycle } = heartbeat;
  return {
    ...own,
    heartbeat,
    backoff: { ...backoff, random },
    scheduler,
    lifecycle,
    createWebSocket: creatorOf(WebSocket),
    isFatal: fatalBy(fatalCodes),
    shouldReconnect,
  };
}

/**
 * Returns the options that the heartbeat has not, and those that are passed on to it. A bundle for
 * pages does without, because it does not check for unknown names.
 */
function parted(options: ReconnectOptions): [own: OwnOptions, shared: AttachOptions] {
  const { memory: _, gate: __, ...attach } = ATTACH_SCHEMA;
  const rules = { ...HEARTBEAT_SCHEMA, ...attach };
  checkNames('options', options, Object.keys({ ...rules, ...RECONNECT_SCHEMA }));
  const named = (rules: object) =>
    Object.fromEntries(Object.entries(options).filter(([name]) => name in rules));
  return [named(RECONNECT_SCHEMA), named(rules)];
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
  if (find() === undefined) {
    throw new InvalidOptionError('WebSocket', 'given, for this runtime has none', given);
  }
  return (url, protocols) => new (find() as WebSocketConstructor)(url, protocols);
}

function fatalBy(codes: readonly number[] | undefined): (code: number) => boolean {
  if (codes === undefined) return isFatal;
  const isCode = (code: unknown) => Number.isInteger(code) && Number(code) > 999;
  if (!IS_PAGE && !codes.every(isCode)) {
    throw new InvalidOptionError('fatalCodes', 'a list of whole numbers >= 1000', codes);
  }
  const fatal = new Set(codes); // a copy: later changes of the list have no effect
  return (code) => fatal.has(code);
}
