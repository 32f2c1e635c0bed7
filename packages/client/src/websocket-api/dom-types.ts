import type { AbortSignalLike } from '@wirebeat/core';

/**
 * The instances of a global class, where the compiler knows that class: with `lib: ["dom"]`, or by
 * `@types/node`. Elsewhere what is used of it here, so that the public types compile without either.
 */
type Known<Name extends string, Otherwise> =
  typeof globalThis extends Record<Name, { prototype: infer Instance }> ? Instance : Otherwise;

interface MinimalEvent {
  readonly type: string;
  readonly defaultPrevented: boolean;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}

/** The standard's `Event`. */
export type DomEvent = Known<'Event', MinimalEvent>;

interface MinimalMessageEvent extends MinimalEvent {
  // biome-ignore lint/suspicious/noExplicitAny: as the standard types it
  readonly data: any;
  readonly origin: string;
}

/** The standard's `MessageEvent`. */
export type DomMessageEvent = Known<'MessageEvent', MinimalMessageEvent>;

interface EventWithClose extends MinimalEvent {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** The standard's `CloseEvent`. */
export type DomCloseEvent = Known<'CloseEvent', EventWithClose & DomEvent>;

interface MinimalEventTarget {
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  addEventListener(type: string, listener: any, options?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  removeEventListener(type: string, listener: any, options?: any): void;
  dispatchEvent(event: DomEvent): boolean;
}

/** The standard's `EventTarget`. */
export type DomEventTarget = Known<'EventTarget', MinimalEventTarget>;

/** The standard's `CustomEvent`, but for its `detail`. */
export type DomCustomEvent = Omit<Known<'CustomEvent', MinimalEvent>, 'detail'>;

/** The standard's `AbortSignal`. */
export type DomAbortSignal = Known<'AbortSignal', AbortSignalLike>;

/** The standard's `URL`. */
export type DomUrl = Known<'URL', { readonly href: string }>;
