import { afterEach, describe, expect, it, vi } from 'vitest';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';

afterEach(() => vi.unstubAllGlobals());

const make = () => new ReconnectingWebSocket('ws://test/', [], { WebSocket: class {} as never });

describe('a ReconnectingWebSocket in a runtime that lacks a class', () => {
  it.each([
    ['EventTarget', 'event-target-polyfill'],
    ['Event', 'event-target-polyfill'],
    ['AbortController', 'abort-controller/polyfill'],
    ['URL', 'react-native-url-polyfill/auto'],
  ])('is refused without %s, by an error that names a polyfill', (name, polyfill) => {
    vi.stubGlobal(name, undefined);
    expect(make).toThrow(ReferenceError);
    expect(make).toThrow(
      `ReconnectingWebSocket needs \`${name}\`: import a polyfill first, such as \`${polyfill}\``,
    );
  });

  it('is an instance of the EventTarget that there is when it is made', () => {
    class Polyfill extends EventTarget {}
    vi.stubGlobal('EventTarget', Polyfill);
    const never = { WebSocket: () => new Proxy(new EventTarget(), socketLike) as never };
    const socket = new ReconnectingWebSocket('ws://test/', [], never);
    expect(socket).toBeInstanceOf(Polyfill);
    socket.close();
  });
});

/** A socket that stays as it is. */
const socketLike: ProxyHandler<EventTarget> = {
  get: (target, name) => {
    if (name === 'readyState') return 0;
    if (name === 'send' || name === 'close') return () => {};
    const value = Reflect.get(target, name) as unknown;
    return typeof value === 'function' ? value.bind(target) : value;
  },
};
