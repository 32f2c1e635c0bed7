import type { DomCloseEvent, DomCustomEvent, DomEvent, DomMessageEvent } from './dom-types.ts';

/** The `MessageEvent` of the standard. */
export interface SocketMessageEvent extends DomMessageEvent {}

/** The `CloseEvent` of the standard. */
export interface SocketCloseEvent extends DomCloseEvent {}

/** An event that a WebSocket does not have: a `CustomEvent` with a `detail`. */
export interface SocketCustomEvent<Detail> extends DomCustomEvent {
  readonly detail: Detail;
}

interface CloseInit {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Creates a `CloseEvent`. */
export function closeEvent(init: CloseInit): SocketCloseEvent {
  return make('CloseEvent', 'close', init);
}

/** Creates a `MessageEvent` with the unchanged data. */
export function messageEvent(data: unknown, origin: string): SocketMessageEvent {
  return make('MessageEvent', 'message', { data, origin });
}

/** Creates a `CustomEvent`. */
export function customEvent(type: string, detail: unknown): Event {
  return make('CustomEvent', type, { detail });
}

/** Creates an `error` event. The sockets of Node have an error; those of browsers do not. */
export function errorEvent(error: unknown): DomEvent {
  return Object.assign(new Event('error'), error === undefined ? {} : { error });
}

/**
 * Creates an event of a class or, if the runtime has no such class, an `Event` with its fields:
 * Node before 23 has no `CloseEvent`, and React Native has none of the three classes.
 */
function make<Made extends Event>(className: string, type: string, init: object): Made {
  const classes = globalThis as unknown as Record<string, new (type: string, init: object) => Made>;
  const Class = classes[className];
  if (typeof Class === 'function') return new Class(type, init);
  return Object.assign(new Event(type), init) as Made;
}
