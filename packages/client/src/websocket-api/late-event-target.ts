import type { DomEventTarget } from './dom-types.ts';

/** What a {@link LateEventTarget} and what extends it cannot do without, and what brings it. */
const POLYFILLS = {
  EventTarget: 'event-target-polyfill',
  Event: 'event-target-polyfill',
  AbortController: 'abort-controller/polyfill',
};

/**
 * The runtime's `EventTarget`, looked up when the first object is made and not at import. A class that
 * extended it directly could not even be defined where it is missing, as in React Native.
 */
export const LateEventTarget: new () => DomEventTarget = function (): DomEventTarget {
  for (const [name, polyfill] of Object.entries(POLYFILLS)) {
    if (typeof Reflect.get(globalThis, name) === 'function') continue;
    throw new ReferenceError(
      `ReconnectingWebSocket needs \`${name}\`: import a polyfill first, such as \`${polyfill}\``,
    );
  }
  const { prototype } = LateEventTarget;
  if (!(prototype instanceof EventTarget)) {
    Object.setPrototypeOf(LateEventTarget, EventTarget); // by which Node knows its own
    Object.setPrototypeOf(prototype, EventTarget.prototype);
  }
  return Reflect.construct(EventTarget, [], new.target as unknown as typeof EventTarget);
} as unknown as new () => DomEventTarget;
