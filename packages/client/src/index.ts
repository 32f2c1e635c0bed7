export {
  type BackoffOptions,
  CloseCode,
  ConnectionClosedError,
  gateListeners,
  HeartbeatError,
  type HeartbeatEvents,
  type HeartbeatOptions,
  type HeartbeatStatus,
  InvalidOptionError,
  type ListenerGate,
  PeerMemory,
  type PeerState,
  type PingOptions,
  PingTimeoutError,
  QueueOverflowError,
  type Scheduler,
  type UnansweredReason,
  type WebSocketLike,
} from '@wirebeat/core';
export { attachHeartbeat, SocketHeartbeat } from './attach.ts';
export type { AnsweredBy } from './link.ts';
export type { AttachOptions } from './options.ts';
export { Delivery, type DeliveryOptions } from './outbox/delivery.ts';
export type { Flushed } from './outbox/outbox.ts';
export type { QueuePolicy } from './outbox/queue-bounds.ts';
export type { Lifecycle, LifecycleListener } from './page/page-lifecycle.ts';
export {
  type AppStateLike,
  type NetInfoLike,
  type NetInfoStateLike,
  type ReactNativeParts,
  reactNativeLifecycle,
} from './page/react-native-lifecycle.ts';
export { WorkerScheduler, type WorkerSchedulerOptions } from './page/worker-scheduler.ts';
export type { CloseReason, CloseRecord } from './reconnect/close-record.ts';
export type { Attempt, CreateWebSocket, ProtocolsSource, UrlSource } from './reconnect/dialer.ts';
export type { Observer, ReconnectEvent } from './reconnect/events.ts';
export { type Logger, logTo } from './reconnect/log.ts';
export {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from './reconnect/options.ts';
export { type ParkingOptions, ParkWhileHidden } from './reconnect/parking.ts';
export { prepareWith, type ReadyChoice, type ReadySocket } from './reconnect/prepare-with.ts';
export { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
export {
  type ConnectionPhase,
  type ReconnectingSocket,
  type Snapshot,
  type SnapshotStore,
  snapshotOf,
} from './snapshot-store.ts';
export type { WebSocketConstructor } from './websocket-api/default-websocket.ts';
export type {
  SocketCloseEvent,
  SocketCustomEvent,
  SocketMessageEvent,
} from './websocket-api/dom-events.ts';
export type { DropReason, ReconnectingWebSocketEventMap } from './websocket-api/event-target.ts';
