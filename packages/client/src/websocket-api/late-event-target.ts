import type { DomEventTarget } from './dom-types.ts';

/** The globals that a {@link LateEventTarget} and its subclasses require, and their polyfills. */
const POLYFILLS = {
  EventTarget: 'event-target-polyfill',
  Event: 'event-target-polyfill',
  AbortController: 'abort-controller/polyfill',
  URL: 'react-native-url-polyfill/auto',
};

/**
 * The `EventTarget` of the runtime, looked up when the first object is created and not at import.
 * If it is missing, as in React Native, a class that extends it directly throws at import.
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
    Object.setPrototypeOf(LateEventTarget, EventTarget); // Node recognizes its own by this
    Object.setPrototypeOf(prototype, EventTarget.prototype);
  }
  return Reflect.construct(EventTarget, [], new.target as unknown as typeof EventTarget);
} as unknown as new () => DomEventTarget;
