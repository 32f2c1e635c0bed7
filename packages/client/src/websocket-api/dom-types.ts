import type { AbortSignalLike } from '@wirebeat/core';

/**
 * The instance type of a global class if the compiler knows it, from `lib: ["dom"]` or
 * `@types/node`. Otherwise the parts of it used here, so that the public types compile without
 * either.
 */
type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Instance }> ? Instance : Otherwise;

interface MinimalEvent {
  readonly type: string;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}

/** The `Event` of the standard. */
export type DomEvent = Known<'Event', MinimalEvent>;

interface MinimalMessageEvent extends MinimalEvent {
  // biome-ignore lint/suspicious/noExplicitAny: as the standard types it
  readonly data: any;
  readonly origin: string;
}

/** The `MessageEvent` of the standard. */
export type DomMessageEvent = Known<'MessageEvent', MinimalMessageEvent>;

interface EventWithClose extends MinimalEvent {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** The `CloseEvent` of the standard. */
export type DomCloseEvent = Known<'CloseEvent', EventWithClose & DomEvent>;

interface MinimalEventTarget {
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  addEventListener(type: string, listener: any, options?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  removeEventListener(type: string, listener: any, options?: any): void;
  dispatchEvent(event: DomEvent): boolean;
}

/** The `EventTarget` of the standard. */
export type DomEventTarget = Known<'EventTarget', MinimalEventTarget>;

/** The `CustomEvent` of the standard, without its `detail`. */
export type DomCustomEvent = Omit<Known<'CustomEvent', MinimalEvent>, 'detail'>;

/** The `AbortSignal` of the standard. */
export type DomAbortSignal = Known<'AbortSignal', AbortSignalLike>;

/** The `URL` of the standard. */
export type DomUrl = Known<'URL', { readonly href: string }>;
