export { Alarm } from './alarm.ts';
export { Backoff } from './backoff.ts';
export { type ClockExchange, ClockOffset } from './clock-offset.ts';
export { CloseCode } from './close-code.ts';
export { type Beat, decodeBeat, encodeBeat, MAX_BEAT_BYTES, mayBeginBeat } from './codec.ts';
export { Emitter, type EventEmitterLike } from './emitter.ts';
export {
  ConnectionClosedError,
  HeartbeatError,
  InvalidOptionError,
  PingTimeoutError,
  QueueOverflowError,
} from './errors.ts';
export { Heartbeat, VERDICT_WAIT } from './heartbeat.ts';
export type {
  Answer,
  HeartbeatAction,
  HeartbeatStatus,
  TimeoutReason,
} from './heartbeat-action.ts';
export {
  type Interceptor,
  intercept,
  interceptCalls,
  type RefusedHandshake,
  readBeat,
} from './intercept.ts';
export { LatencyHistogram } from './latency-histogram.ts';
export { type AbortSignalLike, onAbort } from './on-abort.ts';
export {
  type BackoffOptions,
  checkFunction,
  checkNames,
  countOrOff,
  DEFAULTS,
  duration,
  durationOrOff,
  HEARTBEAT_OPTION_NAMES,
  type HeartbeatOptions,
  numberWithin,
  resolveHeartbeatOptions,
} from './options.ts';
export { override } from './override.ts';
export { Pacemaker, type PacemakerShell } from './pacemaker.ts';
export {
  type HeartbeatEvents,
  Pacer,
  type PingOrder,
  type UnansweredReason,
  type Wake,
} from './pacer.ts';
export { PeerMemory } from './peer-memory.ts';
export { PendingPings, type PingOptions } from './pending-pings.ts';
export { PongOutlet, type PongPort } from './pong-outlet.ts';
export { RttEstimator } from './rtt-estimator.ts';
export {
  type BlobLike,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from './socket.ts';
export { SystemScheduler } from './system-scheduler.ts';
export { type Instant, MAX_DELAY, type Millis, type Scheduler, type Timer } from './time.ts';
export {
  type AdvertisedTiming,
  HIDDEN_TIMER_SLACK,
  initialTiming,
  type PeerState,
  TIMER_SLACK,
  type Timing,
} from './timing.ts';
export {
  type Sleeper,
  TimingWheel,
  type TimingWheelOptions,
  type WheelEntry,
} from './timing-wheel.ts';
