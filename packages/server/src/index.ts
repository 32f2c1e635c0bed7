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
  type WebSocketServerLike,
} from './attach.ts';
export type { ConnectionEnd } from './connection/connection-end.ts';
export type { ConnectionEvents, Tier } from './connection/events.ts';
export type { HookFailure, HookName } from './connection/hooks.ts';
export type { ServerSocket } from './connection/server-socket.ts';
export type { ConnectionHeartbeat } from './connection-heartbeat.ts';
export type { DrainOptions } from './drain.ts';
export { MemoryRegistry, type MemoryRegistryOptions } from './fleet/memory-registry.ts';
export type { AskedPlace, Presence, PresenceEvent } from './fleet/presence.ts';
export type { PlaceQuality } from './fleet/presence-questions.ts';
export type {
  Claim,
  Grant,
  Place,
  PresenceChange,
  PresenceChanges,
  PresentUser,
  PresentUsers,
  Registry,
  Renewal,
} from './fleet/registry.ts';
export type { RegistryCall, RegistryOperation } from './fleet/registry-call.ts';
export type { RegistryTiming } from './fleet/registry-timing.ts';
export type { RegistryEvents } from './fleet/server-node.ts';
export type { PingLimit, ServerOptions, SessionOptions } from './options.ts';
export type { Advertisement } from './timing/advertisement.ts';
