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
  type PingOptions,
  PingTimeoutError,
  QueueOverflowError,
  type Scheduler,
  type WebSocketLike,
} from '@wirebeat/core';
export { type AttachOptions, attachHeartbeat, SocketHeartbeat } from './attach.ts';
export type { CloseReason, CloseRecord } from './close-record.ts';
export type { SocketCloseEvent, SocketMessageEvent } from './dom-events.ts';
export type { ReconnectOptions } from './reconnect-options.ts';
export {
  ReconnectingWebSocket,
  type ReconnectingWebSocketEventMap,
} from './reconnecting-websocket.ts';
export type { WebSocketConstructor } from './websocket.ts';
