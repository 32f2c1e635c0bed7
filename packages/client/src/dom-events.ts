import type { DomCloseEvent, DomCustomEvent, DomEvent, DomMessageEvent } from './dom-types.ts';

/** The event of a message: the standard's `MessageEvent`. */
export interface SocketMessageEvent extends DomMessageEvent {}

/** The event of an end: the standard's `CloseEvent`. */
export interface SocketCloseEvent extends DomCloseEvent {}

/** An event that a WebSocket does not have: a `CustomEvent` with what it says in `detail`. */
export interface SocketCustomEvent<Detail> extends DomCustomEvent {
  readonly detail: Detail;
}

interface CloseInit {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

type CloseEventClass = new (type: string, init: CloseInit) => SocketCloseEvent;

/** A `CloseEvent` where the runtime has that class, an `Event` with its fields in Node before 23. */
export function closeEvent(init: CloseInit): SocketCloseEvent {
  const { CloseEvent } = globalThis as { CloseEvent?: CloseEventClass };
  if (CloseEvent !== undefined) return new CloseEvent('close', init);
  return Object.assign(new Event('close'), init);
}

/** A `MessageEvent` with the data as it is. */
export function messageEvent(data: unknown, origin: string): SocketMessageEvent {
  return new MessageEvent('message', { data, origin });
}

/** An `error` event. Node's sockets say what went wrong; the browsers' do not. */
export function errorEvent(error: unknown): DomEvent {
  return Object.assign(new Event('error'), error === undefined ? {} : { error });
}
