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

/** A `CloseEvent`. */
export function closeEvent(init: CloseInit): SocketCloseEvent {
  return make('CloseEvent', 'close', init);
}

/** A `MessageEvent` with the data as it is. */
export function messageEvent(data: unknown, origin: string): SocketMessageEvent {
  return make('MessageEvent', 'message', { data, origin });
}

/** A `CustomEvent`. */
export function customEvent(type: string, detail: unknown): Event {
  return make('CustomEvent', type, { detail });
}

/** An `error` event. Node's sockets say what went wrong; the browsers' do not. */
export function errorEvent(error: unknown): DomEvent {
  return Object.assign(new Event('error'), error === undefined ? {} : { error });
}

/**
 * An event of that class, or an `Event` with its fields where the runtime has no such class: Node
 * before 23 has no `CloseEvent`, React Native none of the three.
 */
function make<Made extends Event>(className: string, type: string, init: object): Made {
  const classes = globalThis as unknown as Record<string, new (type: string, init: object) => Made>;
  const Class = classes[className];
  if (typeof Class === 'function') return new Class(type, init);
  return Object.assign(new Event(type), init) as Made;
}
