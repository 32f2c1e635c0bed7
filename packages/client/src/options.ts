import {
  type DialectChoice,
  HEARTBEAT_SCHEMA,
  type HeartbeatOptions,
  type ListenerGate,
  type Millis,
  PeerMemory,
  type ResolvedHeartbeatOptions,
  resolveOptions,
  type Scheduler,
  SystemScheduler,
} from '@wirebeat/core';
import { type Lifecycle, pageLifecycle } from './page/page-lifecycle.ts';

/** Options of {@link attachHeartbeat}. */
export interface AttachOptions extends HeartbeatOptions {
  /**
   * The largest fraction of `pingInterval` that is randomly subtracted from each interval, in
   * [0, 0.999].
   * @default 0.1
   */
  readonly jitter?: number;
  /**
   * If nothing was received for this time, in ms, sending a message also sends a ping: see
   * {@link HeartbeatOptions.probeAfter}.
   * @default 1_000, or `false` if `pingInterval` is `false`
   */
  readonly probeAfter?: Millis | false;
  /** The minimum time after a ping, in ms, until the peer is `suspect`. @default 400 */
  readonly suspectAfter?: Millis;
  /** Returns random numbers in [0, 1). @default Math.random */
  readonly random?: () => number;
  /** The clock and the timers. @default those of the runtime */
  readonly scheduler?: Scheduler;
  /**
   * What is known about the peer from earlier connections. Pass the same object for all connections
   * to one address, so that the next connection knows whether the peer answers pings.
   * @default a new, empty memory
   */
  readonly memory?: PeerMemory;
  /**
   * Reports when the page is hidden or frozen and when the network changes. With `false`, nothing
   * is reported, and the sleep of the machine is not detected.
   * @default the lifecycle of the page
   */
  readonly lifecycle?: Lifecycle | false;
  /**
   * The heartbeat of another protocol, from `@wirebeat/core/dialects`, for a server of that protocol.
   * It is used unless the handshake settles on a subprotocol that it does not belong to.
   * @default wirebeat's own heartbeat
   */
  readonly dialect?: DialectChoice;
  /**
   * Hides heartbeat messages from the listeners of a class that calls its listeners itself, such as
   * those of partysocket and reconnecting-websocket. Pass `gateListeners`. No socket of a browser or
   * of `ws` needs it.
   * @default none
   */
  readonly gate?: ListenerGate;
}

/** {@link AttachOptions} with defaults; `false` has become `Infinity`, except for `lifecycle`. */
export interface ResolvedAttachOptions extends ResolvedHeartbeatOptions {
  readonly scheduler: Scheduler;
  readonly memory: PeerMemory;
  readonly lifecycle: Lifecycle | false;
  readonly dialect: DialectChoice | undefined;
  readonly gate?: ListenerGate | undefined;
}

/** The options of `attachHeartbeat` that the core has not, or has with another default. */
export const ATTACH_SCHEMA = {
  probeAfter: { type: 'duration', default: 1_000, off: true }, // at most one ping a second
  suspectAfter: { type: 'duration', default: 400 }, // ten usual latencies; suspicion costs little
  jitter: { type: 'number', default: 0.1, min: 0, max: 0.999 }, // pages drift apart within minutes
  scheduler: { type: 'object', method: 'now' },
  memory: { type: 'object' },
  lifecycle: { type: 'object', method: 'watch', off: true },
  dialect: { type: 'object', method: 'connect' },
  gate: { type: 'function' },
} as const;

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveAttachOptions(options: AttachOptions): ResolvedAttachOptions {
  const schema = { ...HEARTBEAT_SCHEMA, ...ATTACH_SCHEMA };
  const {
    scheduler = new SystemScheduler(),
    memory = new PeerMemory(),
    lifecycle = pageLifecycle,
    random = Math.random,
    ...timing
  } = resolveOptions(schema, options);
  const { pingInterval, probeAfter = pingInterval !== false } = options;
  return {
    ...timing,
    // Without scheduled pings, messages cause none either, unless they are asked to.
    probeAfter: probeAfter ? timing.probeAfter : Number.POSITIVE_INFINITY,
    maxInterval: pingInterval || Number.POSITIVE_INFINITY,
    random,
    scheduler,
    memory,
    lifecycle,
  };
}
