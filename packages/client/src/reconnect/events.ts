import type { HeartbeatEvent, Millis, SocketData } from '@wirebeat/core';
import { closeEvent, customEvent, errorEvent } from '../websocket-api/dom-events.ts';
import type { DropReason } from '../websocket-api/event-target.ts';
import type { CloseRecord } from './close-record.ts';

/**
 * One event of a {@link ReconnectingWebSocket}, as the arguments of `emit`: testing the name
 * narrows the detail. Messages are not among them.
 */
export type ReconnectEvent =
  | HeartbeatEvent
  | [name: 'open', detail?: undefined]
  | [name: 'error', error: unknown]
  | [name: 'close', record: CloseRecord]
  | [name: 'dial', detail: { attempt: number }]
  | [name: 'retry', detail: { attempt: number; delay: Millis; cause: CloseRecord }]
  | [name: 'drop', detail: { messages: readonly SocketData[]; reason: DropReason }]
  | [name: 'giveup', detail: { attempts: number; cause: CloseRecord }];

/** Receives each event, before its listeners. */
export type Observer = (...event: ReconnectEvent) => void;

/** Creates the event that the application sees. */
export function domEventOf(...[name, detail]: ReconnectEvent): Event {
  switch (name) {
    case 'open':
      return new Event(name);
    case 'error':
      return errorEvent(detail) as Event;
    case 'close': {
      const { code, text: reason, wasClean } = detail;
      return closeEvent({ code, reason, wasClean }) as Event;
    }
    default:
      return customEvent(name, detail);
  }
}

/** Reports an error as an unhandled rejection, which every runtime shows. */
export function reportUnhandled(error: unknown): void {
  void Promise.reject(error);
}
