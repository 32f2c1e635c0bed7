import { describe, expect, it, vi } from 'vitest';
import { callsItself, gateListeners } from '../../src/intercept/imitation-gate.ts';
import { decodeBeat } from '../../src/protocol/beat.ts';
import type { SocketEvent } from '../../src/socket.ts';

const PING = '\u0005wb.7;v=1';
const PONG = '\u0006wb';

type Callback = (event: SocketEvent) => unknown;
type Listener = Callback | { handleEvent: Callback };

/** As reconnecting-websocket: keeps its listeners and calls them by itself, whatever an event says. */
class LoopingSocket {
  readyState = 1;
  onmessage: Callback | null = null;
  readonly listeners: [type: string, listener: Listener, options: unknown][] = [];

  send(): void {}
  close(): void {}

  addEventListener(type: string, listener: Listener | null, options?: unknown): void {
    if (listener !== null) this.listeners.push([type, listener, options]);
  }

  removeEventListener(type: string, listener: Listener): void {
    const index = this.listeners.findIndex(([of, one]) => of === type && one === listener);
    if (index >= 0) this.listeners.splice(index, 1);
  }

  deliver(data: unknown, type = 'message'): void {
    const event = { type, data };
    this.onmessage?.(event);
    for (const [of, listener] of [...this.listeners]) {
      if (of !== type) continue;
      if (typeof listener === 'function') listener(event);
      else listener.handleEvent(event);
    }
  }
}

/** As partysocket: calls its handler by itself, and dispatches to its listeners. */
class DispatchingSocket extends EventTarget {
  readyState = 1;
  onmessage: Callback | null = null;
  send(): void {}
  close(): void {}
}

/** As workerd's: there is no `onmessage` until one is set, which is then called before all listeners. */
class FieldlessSocket extends EventTarget {
  readyState = 1;
  send(): void {}
  close(): void {}

  deliver(data: unknown): void {
    (this as { onmessage?: Callback | null }).onmessage?.({ type: 'message', data });
  }
}

/** As Deno's: a handler keeps for good the place among the listeners that it first had. */
class NativeSocket {
  readyState = 1;
  #handler: Callback | null = null;

  get onmessage(): Callback | null {
    return this.#handler;
  }

  set onmessage(handler: Callback | null) {
    this.#handler = handler;
  }

  send(): void {}
  close(): void {}
  addEventListener(): void {}
  removeEventListener(): void {}

  deliver(data: unknown): void {
    this.#handler?.({ type: 'message', data });
  }
}

function application() {
  const seen: unknown[] = [];
  return { seen, listener: (event: SocketEvent) => void seen.push(event.data) };
}

const hideBeats = (event: SocketEvent) =>
  typeof event.data === 'string' && decodeBeat(event.data) ? undefined : event;

const gate = (socket: Parameters<typeof gateListeners>[0]) => gateListeners(socket, hideBeats);

describe('gateListeners', () => {
  it('keeps beats from the handler, whenever it is set, and nothing else', () => {
    for (const when of ['before', 'after']) {
      const socket = new LoopingSocket();
      const { seen, listener } = application();
      if (when === 'before') socket.onmessage = listener;
      gate(socket);
      if (when === 'after') socket.onmessage = listener;
      const bytes = new Uint8Array([5, 119, 98]);
      for (const data of ['one', PING, '\u0005wbx', PONG, bytes, 'two']) socket.deliver(data);
      expect(seen).toEqual(['one', '\u0005wbx', bytes, 'two']);
    }
  });

  it('lets a handler be called as a method, and be taken off', () => {
    const socket = new LoopingSocket();
    gate(socket);
    expect(socket.onmessage).toBeNull();
    const handler = vi.fn(function (this: unknown) {
      return this === socket;
    });
    socket.onmessage = handler;
    socket.deliver('one');
    expect(handler).toHaveReturnedWith(true);
    socket.onmessage = null;
    expect(socket.onmessage).toBeNull();
    socket.deliver('two');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('keeps beats from listeners of either kind that are added from now on', () => {
    const socket = new LoopingSocket();
    const [early, late, object] = [application(), application(), application()];
    socket.addEventListener('message', early.listener);
    gate(socket);
    socket.addEventListener('message', late.listener);
    socket.addEventListener('message', { handleEvent: object.listener });
    for (const data of ['one', PING, 'two']) socket.deliver(data);
    expect(early.seen).toEqual(['one', PING, 'two']);
    expect(late.seen).toEqual(['one', 'two']);
    expect(object.seen).toEqual(['one', 'two']);
  });

  it('keeps beats from the listeners of a class that has no handler yet and dispatches to nobody', () => {
    class HandlerlessSocket extends LoopingSocket {
      constructor() {
        super();
        Reflect.deleteProperty(this, 'onmessage');
      }
    }
    class AccessorSocket extends HandlerlessSocket {}
    Object.defineProperty(AccessorSocket.prototype, 'onmessage', { value: null, writable: true });
    for (const socket of [new HandlerlessSocket(), new AccessorSocket()]) {
      const { seen, listener } = application();
      gate(socket);
      socket.addEventListener('message', listener);
      for (const data of ['one', PING, PONG, 'two']) socket.deliver(data);
      expect(seen).toEqual(['one', 'two']);
    }
  });

  it('lets listeners be removed, those added before too', () => {
    const socket = new LoopingSocket();
    const [early, late] = [application(), application()];
    socket.addEventListener('message', early.listener);
    gate(socket);
    socket.addEventListener('message', late.listener);
    socket.addEventListener('message', late.listener); // the same: as the standard has it, one
    socket.removeEventListener('message', late.listener);
    socket.removeEventListener('message', early.listener);
    expect(socket.listeners).toEqual([]);
  });

  it('calls a listener once that asked for it: with a message, not with a beat', () => {
    const socket = new LoopingSocket();
    gate(socket);
    const { seen, listener } = application();
    socket.addEventListener('message', listener, { once: true });
    for (const data of [PING, 'one', 'two']) socket.deliver(data);
    expect(seen).toEqual(['one']);
    expect(socket.listeners).toEqual([]);
  });

  it('has no part in other events', () => {
    const socket = new LoopingSocket();
    gate(socket);
    const { listener } = application();
    socket.addEventListener('close', listener, { once: true });
    socket.addEventListener('message', null);
    expect(socket.listeners).toEqual([['close', listener, { once: true }]]);
    socket.removeEventListener('close', listener);
    expect(socket.listeners).toEqual([]);
  });

  it('leaves no trace when it ends: all stay, in their order', () => {
    const socket = new LoopingSocket();
    const listeners = [application(), application(), application()].map((app) => app.listener);
    const [early, late, last] = listeners as [Callback, Callback, Callback];
    const handler = vi.fn();
    socket.addEventListener('message', early);
    socket.onmessage = handler;
    const before = Object.getOwnPropertyDescriptors(socket);
    const end = gate(socket);
    socket.addEventListener('message', late, { capture: true });
    socket.addEventListener('message', last);
    expect(socket.listeners.map(([, listener]) => listener)).not.toEqual(listeners);
    end();
    expect(Object.getOwnPropertyDescriptors(socket)).toEqual(before);
    expect(socket.listeners).toEqual([
      ['message', early, undefined],
      ['message', late, { capture: true }],
      ['message', last, undefined],
    ]);
    socket.deliver(PING);
    expect(handler).toHaveBeenCalledWith({ type: 'message', data: PING });
  });

  it('leaves the listeners to a class that is an EventTarget, and takes its handler', () => {
    const socket = new DispatchingSocket();
    const { addEventListener, removeEventListener } = socket;
    gate(socket);
    expect(socket).toMatchObject({ addEventListener, removeEventListener });
    const { seen, listener } = application();
    socket.onmessage = listener;
    socket.onmessage({ type: 'message', data: PING });
    expect(seen).toEqual([]);
  });

  it('gates a looping class also in a runtime without EventTarget', () => {
    vi.stubGlobal('EventTarget', undefined);
    const socket = new LoopingSocket();
    gate(socket);
    vi.unstubAllGlobals();
    expect(Object.hasOwn(socket, 'addEventListener')).toBe(true);
  });

  describe('on a class whose handler is an accessor, as a runtime’s own', () => {
    it('does nothing where none is set', () => {
      const socket = new NativeSocket();
      const set = vi.spyOn(socket, 'onmessage', 'set');
      gate(socket)();
      expect(set).not.toHaveBeenCalled();
    });

    it('keeps beats from one that was set before, and from those that take its place', () => {
      const socket = new NativeSocket();
      const [early, late] = [application(), application()];
      socket.onmessage = early.listener;
      gate(socket);
      expect(socket.onmessage).toBe(early.listener);
      for (const data of ['one', PING]) socket.deliver(data);
      socket.onmessage = null;
      expect(socket.onmessage).toBeNull();
      socket.deliver('two');
      socket.onmessage = late.listener;
      expect(socket.onmessage).toBe(late.listener);
      for (const data of [PONG, 'three']) socket.deliver(data);
      expect([early.seen, late.seen]).toEqual([['one'], ['three']]);
    });

    it('leaves no trace when it ends: the handler has its place and its beats again', () => {
      const socket = new NativeSocket();
      const { seen, listener } = application();
      socket.onmessage = listener;
      gate(socket)();
      expect(Reflect.ownKeys(socket)).toEqual(Reflect.ownKeys(new NativeSocket()));
      expect(socket.onmessage).toBe(listener);
      socket.deliver(PING);
      expect(seen).toEqual([PING]);
    });

    it('goes on below another that was put on top, and both end in either order', () => {
      for (const order of ['first', 'last']) {
        const socket = new NativeSocket();
        const [early, late] = [application(), application()];
        socket.onmessage = early.listener;
        const ends = [gate(socket), gate(socket)];
        socket.deliver(PING);
        if (order === 'last') ends.reverse();
        ends[0]?.();
        socket.onmessage = late.listener;
        socket.deliver('one');
        ends[1]?.();
        expect(socket.onmessage).toBe(late.listener);
        socket.deliver('two');
        expect([early.seen, late.seen]).toEqual([[], ['one', 'two']]);
      }
    });
  });
});

describe('a socket without a handler until one is set', () => {
  it('keeps beats from one that is set later, and gives the same back', () => {
    const socket: FieldlessSocket & { onmessage?: Callback | null } = new FieldlessSocket();
    const heard: unknown[] = [];
    const handler = ({ data }: SocketEvent) => heard.push(data);
    const end = gate(socket as never);
    socket.onmessage = handler;
    for (const data of [PING, 'text', PONG]) socket.deliver(data);
    expect(heard).toEqual(['text']);
    end();
    expect(socket.onmessage).toBe(handler);
    socket.deliver(PING);
    expect(heard).toEqual(['text', PING]);
  });

  it('leaves no trace where none was set', () => {
    const socket = new FieldlessSocket();
    gate(socket as never)();
    expect('onmessage' in socket).toBe(false);
  });

  it('leaves its listeners alone', () => {
    const socket = new FieldlessSocket();
    gate(socket as never);
    expect(Object.keys(socket)).not.toContain('addEventListener');
  });

  it('passes on an event in place of another, and not again when that is dispatched', () => {
    const socket = new LoopingSocket();
    const { seen, listener } = application();
    const rest: SocketEvent = { type: 'message', data: 'rest' };
    gateListeners(socket, ({ data }) => (data === 'alone' ? { type: 'message', data } : rest));
    socket.onmessage = listener;
    for (const data of ['whole', 'rest', 'alone']) socket.deliver(data);
    expect(seen).toEqual(['rest', 'alone']);
  });
});

describe('the reader of gates', () => {
  const eventOf = (data: unknown): SocketEvent => ({ type: 'message', data });

  /** Hides the first message, and notes all that it reads. */
  function reader(replaced?: SocketEvent) {
    const read: SocketEvent[] = [];
    const once = gateListeners.once?.((event) => {
      read.push(event);
      return read.length === 1 ? replaced : event;
    });
    if (once === undefined) throw new Error('the gates have none');
    return { read, once };
  }

  it('reads an event once, however many listeners ask', () => {
    const { read, once } = reader();
    const first = eventOf('PONG');
    for (const byHandler of [true, true, false, true]) {
      expect(once(first, byHandler)).toBeUndefined();
    }
    const second = eventOf('PONG');
    expect(once(second)).toBe(second);
    expect(read).toEqual([first, second]);
  });

  it('reads an event once if a copy is dispatched after its handler was called', () => {
    const { read, once } = reader();
    expect(once(eventOf('PONG'), true)).toBeUndefined();
    expect(once(eventOf('PONG'))).toBeUndefined();
    const other = eventOf('PONG');
    expect(once(other, true)).toBe(other);
    const copy = eventOf('PONG');
    expect(once(copy)).toBe(copy);
    expect(once(copy)).toBe(copy);
    expect(read).toHaveLength(2);
  });

  it('passes on what replaced an event', () => {
    const rest = eventOf('rest');
    const { read, once } = reader(rest);
    expect(once(eventOf('PONG,rest'))).toBe(rest);
    expect(once(rest)).toBe(rest);
    expect(read).toHaveLength(1);
  });
});

it('callsItself knows the classes that only gateListeners can gate in a page', () => {
  expect(callsItself(new LoopingSocket())).toBe(true);
  expect(callsItself(new DispatchingSocket())).toBe(true);
  expect(callsItself(new NativeSocket())).toBe(true); // no EventTarget, and nothing to override
  expect(callsItself(new FieldlessSocket())).toBe(false);
  const emitter = Object.assign(new LoopingSocket(), { emit: () => true });
  expect(callsItself(emitter)).toBe(false);
  const dispatcher = Object.assign(new LoopingSocket(), { dispatchEvent: () => true });
  expect(callsItself(dispatcher)).toBe(false);
});
