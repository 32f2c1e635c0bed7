export {
  ConnectionClosedError,
  HeartbeatError,
  type HeartbeatOptions,
  type HeartbeatStatus,
  InvalidOptionError,
  type PingOptions,
  PingTimeoutError,
  type Scheduler,
} from '@wirebeat/core';
export {
  attachHeartbeat,
  type ServerEvents,
  ServerHeartbeat,
  type ServerOptions,
  type WebSocketServerLike,
} from './attach.ts';
export {
  type ConnectionEnd,
  Liveness,
  type LivenessEvents,
  type ServerSocket,
  type Tier,
} from './liveness.ts';
