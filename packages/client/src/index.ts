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
export { type AttachOptions, attachHeartbeat, type Reader, SocketHeartbeat } from './attach.ts';
export type { CloseReason, CloseRecord } from './close-record.ts';
export { explain } from './close-words.ts';
export type { Flushed } from './delivery.ts';
export { type Diagnosis, type DiagnosisType, diagnose, type End } from './diagnosis.ts';
export type { Attempt, CreateWebSocket, ProtocolsSource, UrlSource } from './dialer.ts';
export type { SocketCloseEvent, SocketCustomEvent, SocketMessageEvent } from './dom-events.ts';
export { History } from './history.ts';
export type { Lifecycle, LifecycleListener } from './page-lifecycle.ts';
export {
  type AppStateLike,
  type NetInfoLike,
  type NetInfoStateLike,
  type ReactNativeParts,
  reactNativeLifecycle,
} from './react-native-lifecycle.ts';
export type { Logger, ReadySocket, ReconnectOptions } from './reconnect-options.ts';
export { ReconnectingWebSocket } from './reconnecting-websocket.ts';
export type { QueuePolicy } from './send-queue.ts';
export { type Snapshot, type SnapshotStore, snapshotOf } from './snapshot.ts';
export type { DropReason, ReconnectingWebSocketEventMap } from './web-socket-face.ts';
export type { WebSocketConstructor } from './websocket.ts';
export { WorkerScheduler, type WorkerSchedulerOptions } from './worker-scheduler.ts';
