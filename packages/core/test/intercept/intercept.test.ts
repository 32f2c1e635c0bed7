import { EventEmitter } from 'node:events';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import {
  type Interceptor,
  intercept,
  interceptCalls,
  readBeat,
} from '../../src/intercept/intercept.ts';
import type { Beat } from '../../src/protocol/beat.ts';
import type { SocketEvent, WebSocketLike } from '../../src/socket.ts';
import { FakeSocket } from '../../src/testing/fake-socket.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { inPage } from '../in-page.ts';

const PING = '\u0005wb.7;v=1';
const PONG = '\u0006wb';
/** Messages that look like beats, those of a terminal among them. */
const LOOK_ALIKES = ['\u0005', '\u0005\u0005', '\u0005wbx', '\u0006wb\n', ' \u0005wb', '{"wb":1}'];

/** An interceptor that notes what it is shown. */
function recorder() {
  const shown: (Beat | string | undefined)[] = [];
  const interceptor: Interceptor = {
    receive: (beat) => shown.push(beat),
    receiveProtocolPing: () => shown.push('protocol ping'),
  };
  return { shown, interceptor };
}

/** What a listener of the application saw. */
function application() {
  const seen: unknown[] = [];
  return { seen, listener: (event: { readonly data?: unknown }) => seen.push(event.data) };
}

/** A socket of a page: its runtime does not dispatch by the public method. */
class PageSocket extends EventTarget {
  readyState = 1;
  listeners = 0;
  #handler: ((event: MessageEvent) => void) | null = null;
  readonly #callHandler = (event: Event) => this.#handler?.(event as MessageEvent);

  send(_data: unknown): void {}
  close(): void {}

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners += 1;
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners -= 1;
    super.removeEventListener(...args);
  }

  get onmessage() {
    return this.#handler;
  }

  // HTML §8.1.8.1: a handler has its place among the listeners from when it is first set, until it
  // is set to null.
  set onmessage(handler: ((event: MessageEvent) => void) | null) {
    if (handler === null) super.removeEventListener('message', this.#callHandler);
    else if (this.#handler === null) super.addEventListener('message', this.#callHandler);
    this.#handler = handler;
  }

  /** A message comes. */
  deliver(data: unknown): void {
    EventTarget.prototype.dispatchEvent.call(this, new MessageEvent('message', { data }));
  }
}

/** A socket as that of `ws`: an emitter whose DOM listeners are added to it by name. */
class NodeSocket extends EventEmitter {
  readyState = 1;
  readonly sent: unknown[] = [];

  send(...data: unknown[]): void {
    this.sent.push(data);
  }
  close(): void {}

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.on(type, (data: Buffer, isBinary: boolean) => {
      listener({ type, data: isBinary ? data : data.toString() });
    });
  }
  removeEventListener(): void {}

  /** A text message comes, in the form in which `ws` hands it on. */
  deliver(text: string): boolean {
    return this.emit('message', Buffer.from(text), false);
  }
}

function receiveOnFake(socket: FakeSocket, data: unknown): void {
  socket.dispatchEvent({ type: 'message', data });
}

describe('intercept', () => {
  describe('a socket whose dispatchEvent can be overridden', () => {
    it('hides beats from listeners and handler, whenever they were added', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const apps = [application(), application(), application()] as const;
      const { shown, interceptor } = recorder();
      socket.addEventListener('message', apps[0].listener);
      socket.onmessage = apps[1].listener;
      intercept(socket, interceptor);
      socket.addEventListener('message', apps[2].listener);
      for (const data of ['one', PING, 'two', PONG, 'three']) receiveOnFake(socket, data);
      for (const { seen } of apps) expect(seen).toEqual(['one', 'two', 'three']);
      expect(shown).toEqual([
        undefined,
        { type: 'ping', id: '7', values: { v: '1' } },
        undefined,
        { type: 'pong' },
        undefined,
      ]);
    });

    it('hides beats from a handler that is set later', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      intercept(socket, recorder().interceptor);
      const { seen, listener } = application();
      socket.onmessage = listener;
      receiveOnFake(socket, PING);
      receiveOnFake(socket, 'x');
      expect(seen).toEqual(['x']);
    });

    it('says of a beat that it was dispatched', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      intercept(socket, recorder().interceptor);
      expect(socket.dispatchEvent({ type: 'message', data: PING })).toBe(true);
    });

    it('shows every message once', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      receiveOnFake(socket, PING);
      receiveOnFake(socket, PING);
      receiveOnFake(socket, 'x');
      receiveOnFake(socket, 'x');
      expect(shown).toHaveLength(4);
    });

    it('hands on the very event, and messages that are no text', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const listener = vi.fn();
      socket.addEventListener('message', listener);
      const event = { type: 'message', data: new TextEncoder().encode(PING) };
      socket.dispatchEvent(event);
      expect(listener.mock.calls[0]?.[0]).toBe(event);
      expect(shown).toEqual([undefined]);
    });

    it('leaves other events alone', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const { seen, listener } = application();
      socket.addEventListener('wb', listener);
      socket.dispatchEvent({ type: 'wb', data: PING });
      expect(seen).toEqual([PING]);
      expect(shown).toEqual([]);
    });

    it('leaves no trace when it ends', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { shown, interceptor } = recorder();
      const own = Reflect.ownKeys(socket);
      const restore = intercept(socket, interceptor);
      restore();
      expect(Reflect.ownKeys(socket)).toEqual(own);
      expect(socket.listenerCount).toBe(0);
      const { seen, listener } = application();
      socket.addEventListener('message', listener);
      receiveOnFake(socket, PING);
      expect(seen).toEqual([PING]);
      expect(shown).toEqual([]);
    });

    it('can be ended twice', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const restore = intercept(socket, recorder().interceptor);
      restore();
      restore();
      receiveOnFake(socket, PING);
      expect(Object.hasOwn(socket, 'dispatchEvent')).toBe(false);
    });

    it('can begin again', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      intercept(socket, recorder().interceptor)();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      receiveOnFake(socket, PING);
      expect(shown).toHaveLength(1);
    });

    it('leaves what another put on top working, and lies inert below it', () => {
      const socket = new FakeSocket(new VirtualScheduler());
      const { shown, interceptor } = recorder();
      const restore = intercept(socket, interceptor);
      const inner = socket.dispatchEvent;
      const onTop = vi.fn((event: SocketEvent) => inner.call(socket, event));
      socket.dispatchEvent = onTop;
      restore();
      const { seen, listener } = application();
      socket.addEventListener('message', listener);
      receiveOnFake(socket, PING);
      receiveOnFake(socket, 'x');
      expect(socket.dispatchEvent).toBe(onTop);
      expect(onTop).toHaveBeenCalledTimes(2);
      expect(seen).toEqual([PING, 'x']);
      expect(shown).toEqual([]);
    });
  });

  describe('a socket of a page, which dispatches without dispatchEvent', () => {
    it('hides beats from listeners added later', () => {
      const socket = new PageSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const { seen, listener } = application();
      socket.addEventListener('message', listener as never);
      for (const data of ['one', PING, 'two']) socket.deliver(data);
      expect(seen).toEqual(['one', 'two']);
      expect(shown).toEqual([undefined, { type: 'ping', id: '7', values: { v: '1' } }, undefined]);
    });

    it('hides beats from onmessage, also if it was set before', () => {
      for (const when of ['before', 'after']) {
        const socket = new PageSocket();
        const { seen, listener } = application();
        if (when === 'before') socket.onmessage = listener;
        intercept(socket, recorder().interceptor);
        if (when === 'after') socket.onmessage = listener;
        for (const data of ['one', PONG, 'two']) socket.deliver(data);
        expect(seen).toEqual(['one', 'two']);
        expect(socket.onmessage).toBe(listener);
      }
    });

    it('sets no handler where there is none', () => {
      const socket = new PageSocket();
      const set = vi.spyOn(socket, 'onmessage', 'set');
      intercept(socket, recorder().interceptor);
      expect(set).not.toHaveBeenCalled();
    });

    it('does without capturing where there is none, as in workerd', () => {
      const socket = new PageSocket();
      const { addEventListener } = socket;
      socket.addEventListener = (type, listener, options) => {
        if (typeof options === 'object' && options.capture) throw new TypeError('capture');
        addEventListener.call(socket, type, listener, options);
      };
      const log: unknown[] = [];
      const end = intercept(socket as never, { receive: () => {} });
      socket.addEventListener('message', (event) => log.push((event as MessageEvent).data));
      socket.deliver('\u0005wb');
      socket.deliver('text');
      end();
      socket.deliver('\u0005wb');
      expect(log).toEqual(['text', '\u0005wb']);
    });

    it('registers a capturing listener, which some browsers call first', () => {
      const socket = new PageSocket();
      const add = vi.spyOn(socket, 'addEventListener');
      const remove = vi.spyOn(socket, 'removeEventListener');
      const restore = intercept(socket, recorder().interceptor);
      restore();
      const [type, listener] = add.mock.calls[0] ?? [];
      expect(add.mock.calls).toEqual([['message', expect.any(Function), { capture: true }]]);
      expect(remove.mock.calls).toEqual([[type, listener, { capture: true }]]);
    });

    it('leaves no trace when it ends', () => {
      const socket = new PageSocket();
      const { seen, listener } = application();
      socket.onmessage = listener;
      const { shown, interceptor } = recorder();
      const own = Reflect.ownKeys(socket);
      intercept(socket, interceptor)();
      expect(Reflect.ownKeys(socket)).toEqual(own);
      expect(socket.listeners).toBe(0);
      socket.deliver(PING);
      expect(seen).toEqual([PING]);
      expect(shown).toEqual([]);
    });

    it('shows a message once that the application dispatches itself', () => {
      const socket = new PageSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      socket.dispatchEvent(new MessageEvent('message', { data: 'x' }));
      expect(shown).toEqual([undefined]);
    });
  });

  describe('a socket that emits, as that of ws', () => {
    it('hides beats from listeners, whenever they were added and in whichever way', () => {
      const socket = new NodeSocket();
      const apps = [application(), application(), application()] as const;
      socket.on('message', (data) => apps[0].seen.push(String(data)));
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      socket.on('message', (data) => apps[1].seen.push(String(data)));
      socket.addEventListener('message', apps[2].listener);
      for (const text of ['one', PING, 'two', PONG, 'three']) socket.deliver(text);
      for (const { seen } of apps) expect(seen).toEqual(['one', 'two', 'three']);
      expect(shown).toEqual([
        undefined,
        { type: 'ping', id: '7', values: { v: '1' } },
        undefined,
        { type: 'pong' },
        undefined,
      ]);
    });

    it('hands on the very arguments, and says whether somebody listens', () => {
      const socket = new NodeSocket();
      intercept(socket, recorder().interceptor);
      expect(socket.deliver('x')).toBe(false);
      expect(socket.deliver(PING)).toBe(true);
      const listener = vi.fn();
      socket.on('message', listener);
      const data = Buffer.from('x');
      expect(socket.emit('message', data, false)).toBe(true);
      expect(listener.mock.calls).toEqual([[data, false]]);
      expect(listener.mock.calls[0]?.[0]).toBe(data);
    });

    it('reads text that comes as a string too', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      socket.emit('message', PONG);
      socket.emit('message', PONG, false);
      expect(shown).toEqual([{ type: 'pong' }, { type: 'pong' }]);
    });

    it('leaves binary messages to the application, whatever their bytes', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const listener = vi.fn();
      socket.on('message', listener);
      const bytes = Buffer.from(PING);
      const { buffer } = new Uint8Array(bytes);
      socket.emit('message', bytes, true);
      socket.emit('message', buffer, true);
      socket.emit('message', [bytes], true);
      expect(listener.mock.calls).toEqual([
        [bytes, true],
        [buffer, true],
        [[bytes], true],
      ]);
      expect(shown).toEqual([undefined, undefined, undefined]);
    });

    it('leaves data alone that is neither text nor bytes', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const listener = vi.fn();
      socket.on('message', listener);
      const bytes = Buffer.from(PING);
      for (const data of [new Uint8Array(bytes).buffer, [bytes], undefined]) {
        socket.emit('message', data, false);
      }
      expect(listener).toHaveBeenCalledTimes(3);
      expect(shown).toEqual([undefined, undefined, undefined]);
    });

    it('leaves a large message alone that begins as a beat does', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      socket.emit('message', Buffer.from(PING.padEnd(1_000_000, 'x')), false);
      expect(shown).toEqual([undefined]);
    });

    it('leaves text to the application that is no beat, also beyond ASCII', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const seen: string[] = [];
      socket.on('message', (data) => seen.push(String(data)));
      const texts = [...LOOK_ALIKES, '\u0005wb.é', '\u0005wb\u037ev=1', `\u0005${'w'.repeat(200)}`];
      for (const text of texts) socket.deliver(text);
      expect(seen).toEqual(texts);
      expect(shown).toEqual(texts.map(() => undefined));
    });

    it('looks at messages, Pings and Pongs only', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const listener = vi.fn();
      socket.on('wb', listener);
      socket.emit('wb', Buffer.from(PING), false);
      expect(listener).toHaveBeenCalledTimes(1);
      expect(shown).toEqual([]);
    });

    it('shows a protocol Ping, and hands it on', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const listener = vi.fn();
      socket.on('ping', listener);
      const payload = Buffer.from('p');
      expect(socket.emit('ping', payload)).toBe(true);
      expect(listener.mock.calls).toEqual([[payload]]);
      expect(shown).toEqual(['protocol ping']);
    });

    it('passes on the refusal of a handshake', () => {
      const socket = new NodeSocket();
      intercept(socket, recorder().interceptor);
      expect(socket.emit('unexpected-response', {}, { headers: {} })).toBe(false);
    });

    it('hands on Pings and Pongs that the interceptor does not care for', () => {
      const socket = new NodeSocket();
      intercept(socket, { receive: () => {} });
      const listener = vi.fn();
      socket.on('ping', listener).on('pong', listener);
      socket.emit('ping', Buffer.from(''));
      socket.emit('pong', Buffer.from(''));
      expect(listener).toHaveBeenCalledTimes(2);
    });

    it('leaves no trace when it ends', () => {
      const socket = new NodeSocket();
      const { shown, interceptor } = recorder();
      const own = Reflect.ownKeys(socket);
      const { emit } = socket;
      const restore = intercept(socket, interceptor);
      expect(socket.emit).not.toBe(emit);
      restore();
      expect(Reflect.ownKeys(socket)).toEqual(own);
      expect(socket.emit).toBe(emit);
      expect(socket.eventNames()).toEqual([]);
      const listener = vi.fn();
      socket.on('message', listener);
      socket.deliver(PING);
      expect(listener).toHaveBeenCalledTimes(1);
      expect(shown).toEqual([]);
    });

    it('puts back a method that was on this one object before', () => {
      const socket = new NodeSocket();
      const mine = vi.fn(() => true);
      Object.defineProperty(socket, 'emit', { value: mine, configurable: true, enumerable: false });
      const before = Object.getOwnPropertyDescriptor(socket, 'emit');
      const restore = intercept(socket, recorder().interceptor);
      socket.deliver('x');
      expect(mine).toHaveBeenCalledTimes(1);
      restore();
      expect(Object.getOwnPropertyDescriptor(socket, 'emit')).toEqual(before);
    });

    it('leaves what another put on top working, and lies inert below it', () => {
      const socket = new NodeSocket();
      const below = recorder();
      const above = recorder();
      const restoreBelow = intercept(socket, below.interceptor);
      const restoreAbove = intercept(socket, above.interceptor);
      const listener = vi.fn();
      socket.on('message', listener);
      socket.deliver('x');
      expect([below.shown.length, above.shown.length]).toEqual([1, 1]);
      restoreBelow();
      socket.deliver(PING);
      socket.deliver('y');
      expect([below.shown.length, above.shown.length]).toEqual([1, 3]);
      expect(listener).toHaveBeenCalledTimes(2);
      restoreAbove();
      socket.deliver('z');
      socket.deliver(PING);
      expect([below.shown.length, above.shown.length]).toEqual([1, 3]);
      expect(listener).toHaveBeenCalledTimes(4);
    });
  });

  const kinds: [kind: string, create: () => [WebSocketLike, (text: string) => void]][] = [
    [
      'whose dispatchEvent can be overridden',
      () => {
        const socket = new FakeSocket(new VirtualScheduler());
        return [socket, (text) => receiveOnFake(socket, text)];
      },
    ],
    [
      'of a page',
      () => {
        const socket = new PageSocket();
        return [socket, (text) => socket.deliver(text)];
      },
    ],
    [
      'that emits',
      () => {
        const socket = new NodeSocket();
        return [socket, (text) => socket.deliver(text)];
      },
    ],
  ];
  for (const [kind, create] of kinds) {
    it(`hands on, in order, what looks like a beat but is none: a socket ${kind}`, () => {
      const [socket, deliver] = create();
      const { shown, interceptor } = recorder();
      intercept(socket, interceptor);
      const { seen, listener } = application();
      socket.addEventListener('message', listener);
      for (const text of LOOK_ALIKES) {
        deliver(text);
        deliver(PING);
      }
      expect(seen).toEqual(LOOK_ALIKES);
      expect(shown).toHaveLength(2 * LOOK_ALIKES.length);
    });

    it(`hands a message on although the interception ends while it is shown: a socket ${kind}`, () => {
      const [socket, deliver] = create();
      const { seen, listener } = application();
      let count = 0;
      const restore = intercept(socket, {
        receive: () => {
          count += 1;
          if (count === 2) restore();
        },
      });
      socket.addEventListener('message', listener);
      for (const text of ['one', 'two', 'three', PING]) deliver(text);
      expect(seen).toEqual(['one', 'two', 'three', PING]);
      expect(count).toBe(2);
    });

    it(`hands on what a terminal sends while Ctrl-E and words are typed: a socket ${kind}`, () => {
      const [socket, deliver] = create();
      intercept(socket, recorder().interceptor);
      const { seen, listener } = application();
      socket.addEventListener('message', listener);
      const typed = ['\u0005', 'w', 'b', '\u0005w', '\u0005who\r', '\u0005wbang\n', '\u0006', '\r'];
      for (const text of typed) deliver(text);
      expect(seen).toEqual(typed);
    });
  }
});

describe('a class that has no method to dispatch, and whose events cannot be stopped', () => {
  it('hands no beat to a listener that was added after the interceptor', () => {
    const listeners: ((event: SocketEvent) => void)[] = [];
    const socket: WebSocketLike = {
      readyState: 1,
      send() {},
      close() {},
      addEventListener: (_: string, listener: () => void) => void listeners.push(listener),
      removeEventListener() {},
    };
    const { shown, interceptor } = recorder();
    const seen: unknown[] = [];
    intercept(socket, interceptor);
    socket.addEventListener('message', ({ data }: SocketEvent) => void seen.push(data));
    for (const data of [PING, 'text', PONG]) {
      for (const listener of [...listeners]) listener({ type: 'message', data });
    }
    expect(shown).toHaveLength(3);
    expect(seen).toEqual(['text']);
  });
});

describe('bytes of another realm', () => {
  const bytes = [...'\u0005wb.a'].map((character) => character.charCodeAt(0));

  it('are read as a beat, and kept from the application', () => {
    const foreign = runInNewContext(`new Uint8Array([${bytes}])`);
    expect(foreign instanceof Uint8Array).toBe(false);
    expect(readBeat(foreign)).toEqual({ type: 'ping', id: 'a' });
    const socket = new NodeSocket();
    const heard = vi.fn();
    const beats: unknown[] = [];
    intercept(socket, { receive: (beat) => beats.push(beat) });
    socket.on('message', heard);
    socket.emit('message', foreign, false);
    expect(beats).toEqual([{ type: 'ping', id: 'a' }]);
    expect(heard).not.toHaveBeenCalled();
  });

  it('are no beat where they are no bytes', () => {
    const buffer = new Uint8Array(bytes).buffer;
    for (const data of [new DataView(buffer), buffer, bytes, { ...bytes, length: 5 }, null, 5]) {
      expect(readBeat(data)).toBeUndefined();
    }
  });
});

describe('interceptCalls', () => {
  it('tells of each send, before it happens, and hands it on with all arguments', () => {
    const socket = new NodeSocket();
    const sentBefore: number[] = [];
    interceptCalls(socket, 'send', () => sentBefore.push(socket.sent.length));
    const done = () => {};
    const send = socket.send as (...args: unknown[]) => void;
    send.call(socket, 'one');
    send.call(socket, 'two', { binary: true }, done);
    expect(sentBefore).toEqual([0, 1]);
    expect(socket.sent).toEqual([['one'], ['two', { binary: true }, done]]);
  });

  it('returns and throws what send does', () => {
    const socket = new FakeSocket(new VirtualScheduler());
    interceptCalls(socket, 'send', () => {});
    expect(() => socket.send('early')).toThrow('not open yet');
    const odd = Object.assign(new NodeSocket(), { send: () => 'queued' });
    interceptCalls(odd, 'send', () => {});
    expect(odd.send()).toBe('queued');
  });

  it('leaves no trace when it ends', () => {
    const socket = new NodeSocket();
    const observe = vi.fn();
    const own = Reflect.ownKeys(socket);
    const restore = interceptCalls(socket, 'send', observe);
    restore();
    expect(Reflect.ownKeys(socket)).toEqual(own);
    socket.send('x');
    expect(observe).not.toHaveBeenCalled();
    expect(socket.sent).toEqual([['x']]);
  });

  it('leaves what another put on top working, and lies inert below it', () => {
    const socket = new NodeSocket();
    const observe = vi.fn();
    const restore = interceptCalls(socket, 'send', observe);
    const inner = socket.send;
    const onTop = vi.fn((...data: unknown[]) => inner.apply(socket, data));
    socket.send = onTop;
    restore();
    socket.send('x');
    expect(onTop).toHaveBeenCalledTimes(1);
    expect(observe).not.toHaveBeenCalled();
    expect(socket.sent).toEqual([['x']]);
  });
});

describe('intercept with a reader', () => {
  /** Hides `PONG`, and takes `PONG,` out of the beginning of a message. */
  const reader = {
    receive(data: unknown, whole: unknown) {
      const text = String(data);
      if (text === 'PONG') return undefined;
      if (!text.startsWith('PONG,')) return whole;
      const rest = text.slice(5);
      return whole === data ? rest : new MessageEvent('message', { data: rest });
    },
  };
  const interceptor = (): Interceptor => ({
    receive: () => expect.unreachable('the reader reads'),
    dialect: reader,
  });

  it('passes on what the reader leaves, on a socket of a page', () => {
    const socket = new PageSocket();
    const early = application();
    const late = application();
    socket.onmessage = early.listener;
    intercept(socket, interceptor());
    socket.addEventListener('message', late.listener as never);
    for (const data of ['one', 'PONG', 'PONG,two', PING]) socket.deliver(data);
    expect(late.seen).toEqual(['one', 'two', PING]);
    expect(early.seen).toEqual(['one', 'two', PING]);
  });

  it('passes on what the reader leaves, where dispatchEvent can be overridden', () => {
    const socket = new FakeSocket(new VirtualScheduler());
    const { seen, listener } = application();
    intercept(socket, interceptor());
    socket.addEventListener('message', listener);
    for (const data of ['one', 'PONG', 'PONG,two', PING]) receiveOnFake(socket, data);
    expect(seen).toEqual(['one', 'two', PING]);
  });

  it('passes on what the reader leaves, on an emitter', () => {
    const socket = new NodeSocket();
    const seen: unknown[] = [];
    const isText: unknown[] = [];
    const noting = {
      receive: (data: unknown, whole?: unknown, text?: boolean) => {
        isText.push(text);
        return reader.receive(data, whole);
      },
    };
    intercept(socket as never, { ...interceptor(), dialect: noting });
    socket.on('message', (data: unknown) => seen.push(String(data)));
    for (const data of ['one', 'PONG', 'PONG,two', PING]) socket.deliver(data);
    socket.emit('message', Buffer.from('bytes'), true);
    expect(seen).toEqual(['one', 'two', PING, 'bytes']);
    expect(isText).toEqual([true, true, true, true, false]);
  });

  it('reads beats again once the reader is gone', () => {
    const socket = new FakeSocket(new VirtualScheduler());
    const { seen, listener } = application();
    const { shown, interceptor } = recorder();
    intercept(socket, Object.assign(interceptor, { dialect: reader }));
    socket.addEventListener('message', listener);
    interceptor.dialect = undefined;
    receiveOnFake(socket, PING);
    receiveOnFake(socket, 'PONG');
    expect(seen).toEqual(['PONG']);
    expect(shown).toHaveLength(2);
  });
});

describe('in a bundle for pages', () => {
  /** As in browsers: a handler that is set anew is called after the listeners that were added before. */
  class BrowserSocket extends EventTarget {
    readonly #place = (event: Event) => this.#handler?.(event as never);
    #handler: ((event: SocketEvent) => void) | null = null;
    readyState = 1;

    get onmessage() {
      return this.#handler;
    }

    set onmessage(handler) {
      if (handler === null) this.removeEventListener('message', this.#place);
      else this.addEventListener('message', this.#place);
      this.#handler = handler;
    }

    send(): void {}
    close(): void {}

    deliver(data: unknown): void {
      EventTarget.prototype.dispatchEvent.call(this, new MessageEvent('message', { data }));
    }
  }

  const load = async () => {
    const { intercept } = await inPage(() => import('../../src/intercept/intercept.ts'));
    return intercept;
  };

  it('puts a handler that was set before behind its listener', async () => {
    const intercept = await load();
    const socket = new BrowserSocket();
    const seen: unknown[] = [];
    const beats: unknown[] = [];
    const handler = ({ data }: SocketEvent) => void seen.push(data);
    socket.onmessage = handler;
    const end = intercept(socket, { receive: (beat) => void beats.push(beat?.type) });
    expect(socket.onmessage).toBe(handler);
    for (const data of [PING, 'one', PONG]) socket.deliver(data);
    end();
    socket.deliver(PONG);
    expect(beats).toEqual(['ping', undefined, 'pong']);
    expect(seen).toEqual(['one', PONG]);
  });

  it('sets no handler where there is none', async () => {
    const intercept = await load();
    const socket = new BrowserSocket();
    const set = vi.spyOn(socket, 'onmessage', 'set');
    intercept(socket, { receive: () => {} })();
    expect(set).not.toHaveBeenCalled();
  });

  it('hides beats from earlier listeners where a method dispatches: tests of pages may use `ws`', async () => {
    const intercept = await load();
    const { seen, listener } = application();
    const emitting = new NodeSocket();
    const dispatching = new FakeSocket(new VirtualScheduler());
    emitting.on('message', (data) => listener({ data }));
    dispatching.addEventListener('message', listener);
    intercept(emitting as never, { receive: () => {} });
    intercept(dispatching, { receive: () => {} });
    for (const data of [PING, 'one', PONG]) {
      emitting.emit('message', data, false);
      receiveOnFake(dispatching, data);
    }
    expect(seen).toEqual(['one', 'one']);
  });

  it('takes each call of send for a whole message, because only `ws` sends fragments', async () => {
    const page = await inPage(() => import('../../src/intercept/intercept.ts'));
    const wholes: boolean[] = [];
    const note = (isWhole: boolean) => void wholes.push(isWhole);
    for (const { interceptCalls } of [page, await import('../../src/intercept/intercept.ts')]) {
      const socket = new NodeSocket();
      const end = interceptCalls(socket as never, 'send', () => {}, note);
      socket.send('part', { fin: false });
      end();
    }
    expect(wholes).toEqual([true, false]);
  });

  it('hides beats from what was added after it', async () => {
    const intercept = await load();
    const socket = new FakeSocket(new VirtualScheduler());
    const { shown, interceptor } = recorder();
    const { seen, listener } = application();
    intercept(socket, interceptor);
    socket.addEventListener('message', listener);
    for (const data of [PING, 'one', PONG]) receiveOnFake(socket, data);
    expect(seen).toEqual(['one']);
    expect(shown).toHaveLength(3);
  });

  it('dispatches what a dialect leaves of a message, once', async () => {
    const intercept = await load();
    const socket = new FakeSocket(new VirtualScheduler());
    const { seen, listener } = application();
    const left = { type: 'message', data: 'left' };
    const receive = (data: unknown, event: unknown) => (data === 'whole' ? left : event);
    intercept(socket, { receive: () => {}, dialect: { receive } });
    socket.addEventListener('message', listener);
    receiveOnFake(socket, 'whole');
    receiveOnFake(socket, 'other');
    expect(seen).toEqual(['left', 'other']);
  });

  it('gates a class that calls its listeners itself, if it is given the gates', async () => {
    const intercept = await load();
    const { gateListeners } = await import('../../src/intercept/imitation-gate.ts');
    const listeners: ((event: SocketEvent) => void)[] = [];
    const socket = {
      readyState: 1,
      onmessage: null,
      send() {},
      close() {},
      addEventListener: (_: string, listener: (event: SocketEvent) => void) =>
        void listeners.push(listener),
      removeEventListener() {},
    };
    const seen: unknown[] = [];
    intercept(socket, { receive: () => {} }, gateListeners);
    socket.addEventListener('message', ({ data }) => void seen.push(data));
    for (const data of [PING, 'one', PONG]) {
      for (const listener of listeners) listener({ type: 'message', data });
    }
    expect(seen).toEqual(['one']);
  });
});
