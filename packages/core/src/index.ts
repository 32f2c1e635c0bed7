export { BACKOFF_SCHEMA, Backoff, type BackoffOptions } from './backoff.ts';
export {
  checkNames,
  type Resolved,
  resolveOption,
  resolveOptions,
  type SchemaOf,
} from './check-options.ts';
export { CloseCode } from './close-code.ts';
export { HeartbeatDriver, type HeartbeatPort, type PingOrder } from './driver/heartbeat-driver.ts';
export type { HeartbeatEvent, HeartbeatEvents } from './driver/heartbeat-events.ts';
export type { PingOptions } from './driver/ping-options.ts';
export { PingPromises } from './driver/ping-promises.ts';
export { type PongPort, PongQueue } from './driver/pong-queue.ts';
export {
  ConnectionClosedError,
  HeartbeatError,
  InvalidOptionError,
  PingTimeoutError,
  QueueOverflowError,
} from './errors.ts';
export { guarded } from './guarded.ts';
export { callsItself, gateListeners, type ListenerGate } from './intercept/imitation-gate.ts';
export {
  type Interceptor,
  intercept,
  interceptCalls,
  type RefusedHandshake,
  readBeat,
} from './intercept/intercept.ts';
export { override } from './intercept/override.ts';
export type {
  Answer,
  HeartbeatAction,
  HeartbeatStatus,
  TimeoutReason,
  UnansweredReason,
} from './machine/actions.ts';
export {
  ConnectionTable,
  ROUTINE_ANSWER,
  ROUTINE_PING,
  type Row,
} from './machine/connection-table.ts';
export { VERDICT_WAIT } from './machine/deadlines.ts';
export { Heartbeat } from './machine/heartbeat.ts';
export { PeerMemory } from './machine/peer-memory.ts';
export { OWNER, OWNER_INSTANT, ROW_WORDS } from './machine/row.ts';
export { RttEstimator } from './machine/rtt-estimator.ts';
export {
  type AdvertisedTiming,
  HIDDEN_TIMER_SLACK,
  initialTiming,
  type PeerState,
  TIMER_SLACK,
  type Timing,
} from './machine/timing.ts';
export { type AbortSignalLike, onAbort } from './on-abort.ts';
export {
  HEARTBEAT_SCHEMA,
  type HeartbeatOptions,
  type ResolvedHeartbeatOptions,
  resolveHeartbeatOptions,
} from './options.ts';
export {
  type Beat,
  beatText,
  decodeBeat,
  encodeBeat,
  MAX_BEAT_BYTES,
  mayBeginBeat,
} from './protocol/beat.ts';
export type {
  DialectChoice,
  DialectConnection,
  DialectPort,
  Wire,
} from './protocol/dialects/dialect.ts';
export {
  type BlobLike,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from './socket.ts';
export { LatencyHistogram } from './statistics/latency-histogram.ts';
export { type LinkEvidence, type LinkQuality, linkQuality } from './statistics/link-quality.ts';
export { LinkRecord } from './statistics/link-record.ts';
export { type Instant, MAX_DELAY, type Millis, type Scheduler, type Timer } from './time.ts';
export { LazyTimer } from './timers/lazy-timer.ts';
export { SystemScheduler } from './timers/system-scheduler.ts';
export {
  type Sleeper,
  TimingWheel,
  type TimingWheelOptions,
  type WheelEntry,
} from './timers/timing-wheel.ts';
