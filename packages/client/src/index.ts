export {
  type BackoffOptions,
  CloseCode,
  ConnectionClosedError,
  HeartbeatError,
  type HeartbeatEvents,
  type HeartbeatOptions,
  type HeartbeatStatus,
  InvalidOptionError,
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
export type { Reader } from './link.ts';
export type { AttachOptions } from './options.ts';
export { Delivery, type DeliveryOptions } from './outbox/delivery.ts';
export type { Flushed, QueuePolicy } from './outbox/outbox.ts';
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
export type { ReadySocket, ReconnectOptions } from './reconnect/options.ts';
export { ReconnectingWebSocket } from './reconnect/reconnecting-websocket.ts';
export { explain } from './report/close-words.ts';
export { type Diagnosis, type DiagnosisType, diagnose, type End } from './report/diagnosis.ts';
export { History } from './report/history.ts';
export { type Snapshot, type SnapshotStore, snapshotOf } from './snapshot.ts';
export type { WebSocketConstructor } from './websocket-api/constructor.ts';
export type {
  SocketCloseEvent,
  SocketCustomEvent,
  SocketMessageEvent,
} from './websocket-api/dom-events.ts';
export type { DropReason, ReconnectingWebSocketEventMap } from './websocket-api/event-target.ts';
