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
export type { Advertisement } from './advertisement.ts';
export {
  attachHeartbeat,
  type ServerEvents,
  ServerHeartbeat,
  type WebSocketServerLike,
} from './attach.ts';
export type { DrainOptions } from './drain.ts';
export type { HookFailure, HookName } from './hooks.ts';
export type { Liveness } from './liveness.ts';
export type { ConnectionEnd, LivenessEvents, Tier } from './liveness-events.ts';
export type { PingLimit, ServerOptions, SessionOptions } from './server-options.ts';
export type { ServerSocket } from './server-socket.ts';
