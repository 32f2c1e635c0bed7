import {
  type BackoffOptions,
  checkFunction,
  checkNames,
  countOrOff,
  duration,
  durationOrOff,
  HEARTBEAT_OPTION_NAMES,
  type Millis,
  resolveHeartbeatOptions,
  type Scheduler,
  SystemScheduler,
} from '@wirebeat/core';
import type { AttachOptions } from './attach.ts';
import type { CloseRecord } from './close-record.ts';
import { defaultWebSocket, type WebSocketConstructor } from './websocket.ts';

/** Options of {@link ReconnectingWebSocket}, beside those of the heartbeat. */
export interface ReconnectOptions extends Omit<AttachOptions, 'memory'> {
  /** Waits between attempts: full jitter up to 0.5 s, doubling to 30 s. */
  readonly backoff?: Omit<BackoffOptions, 'random'>;
  /** Attempts in a row that may fail until it gives up. `false`: it never does. @default false */
  readonly maxAttempts?: number | false;
  /** From dialling to `open`. `false`: as long as the runtime waits. @default 10_000 */
  readonly connectTimeout?: Millis | false;
  /** A connection that answered a ping and lasted so long begins the backoff anew. @default 5_000 */
  readonly stableFor?: Millis;
  /** Bytes of messages kept while there is no connection. `false`: without bound. @default 1_048_576 */
  readonly maxQueuedBytes?: number | false;
  /** Whether to dial again after this end. @default unless the reason is `fatal` */
  readonly shouldReconnect?: (record: CloseRecord) => boolean;
  /** @default the runtime's own class, or that of `ws` in Node */
  readonly WebSocket?: WebSocketConstructor;
}

/** {@link ReconnectOptions} as the class keeps them: off is `Infinity`. */
export interface ResolvedReconnectOptions {
  readonly heartbeat: AttachOptions & { readonly scheduler: Scheduler };
  readonly backoff: BackoffOptions;
  readonly scheduler: Scheduler;
  readonly WebSocket: WebSocketConstructor;
  readonly connectTimeout: Millis;
  readonly stableFor: Millis;
  readonly maxAttempts: number;
  readonly maxQueuedBytes: number;
  readonly shouldReconnect: (record: CloseRecord) => boolean;
}

/** Every default of reconnection, with its reason. */
const DEFAULTS = {
  connectTimeout: 10_000, // TLS over a slow mobile network takes 3 s; a hang takes for ever
  stableFor: 5_000, // a server that accepts and closes does so sooner
  maxQueuedBytes: 1_048_576, // more than a page writes in an outage, less than it misses
} as const;

const OWN_NAMES = [
  'scheduler',
  'backoff',
  'maxAttempts',
  'connectTimeout',
  'stableFor',
  'maxQueuedBytes',
  'shouldReconnect',
  'WebSocket',
];

/** @throws {InvalidOptionError} if a value is out of its range or a name is unknown. */
export function resolveReconnectOptions(options: ReconnectOptions): ResolvedReconnectOptions {
  checkNames('options', options, [...HEARTBEAT_OPTION_NAMES, ...OWN_NAMES]);
  const { random = Math.random, scheduler = new SystemScheduler() } = options;
  const timing = Object.entries(options).filter(([name]) => HEARTBEAT_OPTION_NAMES.includes(name));
  const heartbeat = Object.fromEntries(timing);
  const { backoff: waits = {} } = options;
  checkNames('backoff', waits, ['minDelay', 'maxDelay', 'factor', 'jitter']);
  const backoff = { ...waits, random };
  resolveHeartbeatOptions(heartbeat); // bad ones are told here, before a socket is dialled
  return {
    heartbeat: { ...heartbeat, scheduler },
    backoff,
    scheduler,
    WebSocket: checkFunction('WebSocket', options.WebSocket) ?? defaultWebSocket(),
    connectTimeout: durationOrOff(
      'connectTimeout',
      options.connectTimeout,
      DEFAULTS.connectTimeout,
    ),
    stableFor: duration('stableFor', options.stableFor, DEFAULTS.stableFor),
    maxAttempts: countOrOff('maxAttempts', options.maxAttempts, Number.POSITIVE_INFINITY),
    maxQueuedBytes: countOrOff('maxQueuedBytes', options.maxQueuedBytes, DEFAULTS.maxQueuedBytes),
    shouldReconnect:
      checkFunction('shouldReconnect', options.shouldReconnect) ??
      (({ reason }) => reason !== 'fatal'),
  };
}
