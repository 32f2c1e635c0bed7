// What the standard (https://websockets.spec.whatwg.org) asks of a WebSocket, rule by rule, after the
// cases of web-platform-tests/websockets. Runs in Node and in pages: it needs a server, no more.
import { expect } from 'vitest';

/** A class that is to have the face of a WebSocket. */
export interface Subject {
  /** Whether it is that class, which `readyState` is one of the constants of. */
  readonly Class: typeof WebSocket;
  /** `new WebSocket(...)` of that class. */
  create(...args: unknown[]): WebSocket;
  /** Where a server listens as `listenForW3c` makes it. */
  address(): string;
}

const NAMES = ['open', 'message', 'error', 'close'] as const;
const CONSTANTS = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 } as const;

/** Takes a rule down: in words, and as what throws where it is broken. */
export type Rule = (title: string, proof: () => unknown) => void;

/** The parts of the suite, each of which tells its rules. */
export const RULES: Readonly<Record<string, (rule: Rule, subject: Subject) => void>> = {
  'its class': theClass,
  'its constructor': theConstructor,
  'its attributes': theAttributes,
  'its handlers': theHandlers,
  'its listeners': theListeners,
  'its events': theEvents,
  'send()': theSending,
  'close()': theClosing,
};

function theClass(rule: Rule, { Class, create, address }: Subject): void {
  const holders = () => {
    const socket = quietly(create(address()));
    return [Class, Class.prototype, socket] as unknown as Record<string, unknown>[];
  };

  rule('has the four constants: on itself, on its prototype, on each socket', () => {
    for (const holder of holders()) {
      for (const [name, value] of Object.entries(CONSTANTS)) expect(holder[name]).toBe(value);
    }
  });

  rule('lets nobody change or delete a constant', () => {
    for (const holder of holders()) {
      for (const [name, value] of Object.entries(CONSTANTS)) {
        expect(Reflect.set(holder, name, 9)).toBe(false);
        Reflect.deleteProperty(holder, name);
        expect(holder[name]).toBe(value);
      }
    }
  });

  rule('shows its constants to whoever enumerates, and keeps none on the socket itself', () => {
    const [, , socket] = holders();
    const seen: string[] = [];
    for (const name in socket) seen.push(name);
    expect(seen).toEqual(expect.arrayContaining(Object.keys(CONSTANTS)));
    for (const name of Object.keys(CONSTANTS))
      expect(Object.hasOwn(socket ?? {}, name)).toBe(false);
  });

  rule('is an EventTarget, made with new', () => {
    expect(quietly(create(address()))).toBeInstanceOf(EventTarget);
    expect(quietly(create(address()))).toBeInstanceOf(Class);
    expect(() => (Class as unknown as () => void)()).toThrow(TypeError);
  });

  rule('calls its sockets [object WebSocket]', () => {
    const socket = quietly(create(address()));
    expect(Object.prototype.toString.call(socket)).toBe('[object WebSocket]');
  });
}

function theConstructor(rule: Rule, { create, address }: Subject): void {
  const urlOf = (...args: unknown[]) => quietly(create(...args)).url;
  const refused = (...args: unknown[]) => {
    const attempt = () => quietly(create(...args));
    expect(attempt).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    expect(attempt).toThrow(DOMException);
  };

  rule('wants an address', () => {
    expect(() => create()).toThrow(TypeError);
  });

  for (const url of [
    'ws://foo bar.test/',
    'wss://foo bar.test/',
    'ws://',
    'ftp://foo.test/',
    'mailto:someone@foo.test',
    'about:blank',
    'javascript:0',
    'ws://foo.test/#',
    'ws://foo.test/#part',
    'http://foo.test/?#part',
    'ws://foo.test:port/',
  ]) {
    rule(`refuses the address ${url}`, () => refused(url));
  }

  rule('reads an address as the URL standard does', () => {
    const root = `${address()}/`;
    expect(urlOf(address())).toBe(root);
    expect(urlOf(root.replace('ws:', 'WS:'))).toBe(root);
    expect(urlOf(root.replace('//', ''))).toBe(root);
    expect(urlOf(`${root}a b?c d`)).toBe(`${root}a%20b?c%20d`);
    expect(urlOf(`${root}a/../%2e/b?%20x`)).toBe(`${root}b?%20x`);
    expect(urlOf(`  ${root}\n`)).toBe(root);
    expect(urlOf(`${root}%00`)).toBe(`${root}%00`);
  });

  rule('takes http for ws and https for wss', () => {
    const { host } = new URL(address());
    expect(urlOf(`http://${host}/a`)).toBe(`ws://${host}/a`);
    expect(urlOf(`https://${host}/a`)).toBe(`wss://${host}/a`);
    expect(urlOf(`HTTP://${host}/http`)).toBe(`ws://${host}/http`);
  });

  rule('leaves out the default port', () => {
    expect(urlOf('ws://127.0.0.1:80/')).toBe('ws://127.0.0.1/');
    expect(urlOf('wss://127.0.0.1:443/')).toBe('wss://127.0.0.1/');
    expect(urlOf('wss://127.0.0.1:80/')).toBe('wss://127.0.0.1:80/');
  });

  rule('takes an address that is a URL, or anything that has a text', () => {
    expect(urlOf(new URL(`${address()}/a`))).toBe(`${address()}/a`);
    expect(urlOf({ toString: () => `${address()}/b` })).toBe(`${address()}/b`);
    const mistake = new Error('no text');
    const moody = {
      toString() {
        throw mistake;
      },
    };
    expect(() => create(moody)).toThrow(mistake);
    expect(() => create(Symbol('no text'))).toThrow(TypeError);
  });

  for (const protocols of [
    '',
    'a b',
    'a,b',
    '/echo',
    'a\tb',
    'a\u0000',
    'é',
    '"a"',
    '{a}',
    'a\u007f',
    [''],
    ['a', 'b c'],
    ['a', 'a'],
    ['a', 'b', 'A'],
  ]) {
    rule(`refuses the protocols ${JSON.stringify(protocols)}`, () => refused(address(), protocols));
  }

  rule('takes a protocol, a list of them, and what can be iterated', async () => {
    for (const protocols of ['a', ['a'], ['a', 'b'], new Set(['a', 'b'])]) {
      const socket = quietly(create(address(), protocols));
      expect(socket.protocol).toBe('');
      await next(socket, 'open');
      expect(socket.protocol).toBe('a');
      socket.close();
    }
    const strange = "!#$%&'*+-.^_`|~09azAZ";
    const socket = quietly(create(address(), strange));
    await next(socket, 'open');
    expect(socket.protocol).toBe(strange);
  });

  rule('offers none where there is none, or an empty list', async () => {
    for (const protocols of [[], undefined]) {
      const socket = quietly(create(address(), protocols));
      await next(socket, 'open');
      expect(socket.protocol).toBe('');
      socket.close();
    }
  });

  rule('takes for text what is no list', async () => {
    for (const [protocols, name] of [
      [1, '1'],
      [null, 'null'],
      [[1, true], '1'],
    ]) {
      const socket = quietly(create(address(), protocols));
      await next(socket, 'open');
      expect(socket.protocol).toBe(name);
      socket.close();
    }
  });

  rule('refuses the address before it looks at the protocols', () => {
    expect(() => create('ftp://foo.test/', 'a b')).toThrow(/ftp|url/i);
  });

  rule('gives several sockets at a time, each its own', async () => {
    const sockets = [1, 2, 3].map(() => quietly(create(address())));
    await Promise.all(sockets.map((socket) => next(socket, 'open')));
    for (const [index, socket] of sockets.entries()) socket.send(`${index}`);
    const echoes = await Promise.all(sockets.map((socket) => next(socket, 'message')));
    expect(echoes.map((event) => (event as MessageEvent).data)).toEqual(['0', '1', '2']);
  });
}

function theAttributes(rule: Rule, { create, address }: Subject): void {
  rule('of which most can only be read', () => {
    const socket = quietly(create(address()));
    for (const name of ['url', 'readyState', 'bufferedAmount', 'extensions', 'protocol'] as const) {
      const before = socket[name];
      expect(Reflect.set(socket, name, 'other')).toBe(false);
      expect(socket[name]).toBe(before);
      Reflect.deleteProperty(socket, name);
      expect(socket[name]).toBe(before);
    }
  });

  rule('readyState goes from CONNECTING by OPEN and CLOSING to CLOSED', async () => {
    const socket = quietly(create(address()));
    const { readyState } = socket;
    expect(readyState).toBe(0);
    await next(socket, 'open');
    expect(socket.readyState).toBe(1);
    socket.close();
    expect(socket.readyState).toBe(2);
    await next(socket, 'close');
    expect(socket.readyState).toBe(3);
  });

  rule('protocol and extensions are empty texts before the open, and texts after it', async () => {
    const socket = quietly(create(address(), 'a'));
    expect([socket.protocol, socket.extensions]).toEqual(['', '']);
    await next(socket, 'open');
    expect([socket.protocol, typeof socket.extensions]).toEqual(['a', 'string']);
  });

  rule('bufferedAmount is 0 until something is sent, and again when it has gone', async () => {
    const socket = quietly(create(address()));
    expect(socket.bufferedAmount).toBe(0);
    await next(socket, 'open');
    socket.send('text');
    await next(socket, 'message');
    const end = Date.now() + PATIENCE;
    while (socket.bufferedAmount > 0 && Date.now() < end) await turn(); // a beat may be on its way
    expect(socket.bufferedAmount).toBe(0);
  });

  rule('binaryType is blob at first', () => {
    expect(quietly(create(address())).binaryType).toBe('blob');
  });

  rule('binaryType becomes what it may be, and ignores all else', () => {
    const socket = quietly(create(address()));
    for (const type of ['arraybuffer', 'blob', 'arraybuffer'] as const) {
      socket.binaryType = type;
      expect(socket.binaryType).toBe(type);
      for (const other of ['notBlobOrArrayBuffer', 'Blob', '', null, undefined, 1]) {
        Reflect.set(socket, 'binaryType', other);
        expect(socket.binaryType).toBe(type);
      }
    }
  });

  rule('binaryType says what the data of binary messages is, from one to the next', async () => {
    const socket = quietly(create(address()));
    await next(socket, 'open');
    for (const [type, Class] of [
      ['arraybuffer', ArrayBuffer],
      ['blob', Blob],
      ['arraybuffer', ArrayBuffer],
    ] as const) {
      socket.binaryType = type;
      socket.send(new Uint8Array([1, 2, 255]));
      const { data } = (await next(socket, 'message')) as MessageEvent;
      expect(data).toBeInstanceOf(Class);
      const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
      expect([...bytes]).toEqual([1, 2, 255]);
    }
    socket.send('text');
    expect(((await next(socket, 'message')) as MessageEvent).data).toBe('text');
  });
}

function theHandlers(rule: Rule, { create, address }: Subject): void {
  rule('are null at first, and null again after anything that cannot be called', () => {
    const socket = quietly(create(address()));
    for (const name of NAMES) {
      const handler = () => {};
      expect(socket[`on${name}`]).toBeNull();
      for (const nothing of [null, undefined, 2, 'text', true, Symbol('no function')]) {
        socket[`on${name}`] = handler;
        expect(socket[`on${name}`]).toBe(handler);
        Reflect.set(socket, `on${name}`, nothing);
        expect(socket[`on${name}`]).toBeNull();
      }
    }
  });

  rule('are called for their events, with the socket as this', async () => {
    const socket = create(address());
    const calls: unknown[] = [];
    for (const name of NAMES) {
      socket[`on${name}`] = function (this: unknown, event: Event) {
        calls.push(`${event.type} ${this === socket} ${event.currentTarget === socket}`);
      };
    }
    await next(socket, 'open');
    socket.send('text');
    await next(socket, 'message');
    socket.close();
    await next(socket, 'close');
    expect(calls).toEqual(['open', 'message', 'close'].map((name) => `${name} true true`));
  });

  rule('are called in their turn among the listeners: where they were first set', () => {
    const { socket, calls, happen } = observed(create, address);
    socket.addEventListener('message', () => calls.push('before'));
    socket.onmessage = () => calls.push('replaced');
    socket.addEventListener('message', () => calls.push('after'));
    socket.onmessage = () => calls.push('handler');
    happen();
    expect(calls).toEqual(['before', 'handler', 'after']);
  });

  rule('lose their turn when they are taken away', () => {
    const { socket, calls, happen } = observed(create, address);
    socket.onmessage = () => calls.push('first');
    socket.addEventListener('message', () => calls.push('listener'));
    socket.onmessage = null;
    happen();
    socket.onmessage = () => calls.push('second');
    happen();
    expect(calls).toEqual(['listener', 'listener', 'second']);
  });

  rule('are called beside the same function as a listener', () => {
    const { socket, calls, happen } = observed(create, address);
    const both = () => calls.push('both');
    socket.addEventListener('message', both);
    socket.onmessage = both;
    happen();
    socket.onmessage = null;
    happen();
    expect(calls).toEqual(['both', 'both', 'both']);
  });
}

function theListeners(rule: Rule, { create, address }: Subject): void {
  rule('are called in order, each once, whatever the others do', () => {
    const { socket, calls, happen } = observed(create, address);
    const first = () => calls.push('first');
    socket.addEventListener('message', first);
    socket.addEventListener('message', () => calls.push('second'));
    socket.addEventListener('message', first);
    happen();
    expect(calls).toEqual(['first', 'second']);
    socket.removeEventListener('message', first);
    happen();
    expect(calls).toEqual(['first', 'second', 'second']);
  });

  rule('may be objects with handleEvent, also one that comes later', () => {
    const { socket, calls, happen } = observed(create, address);
    const object = {
      handleEvent(this: unknown, event: Event) {
        calls.push(`${event.type} ${this === object}`);
      },
    };
    socket.addEventListener('message', object);
    happen();
    object.handleEvent = () => calls.push('later');
    happen();
    expect(calls).toEqual(['message true', 'later']);
  });

  rule('end with once, and with their signal', () => {
    const { socket, calls, happen } = observed(create, address);
    const controller = new AbortController();
    const { signal } = controller;
    socket.addEventListener('message', () => calls.push('once'), { once: true });
    socket.addEventListener('message', () => calls.push('signal'), { signal });
    happen();
    happen();
    controller.abort();
    happen();
    socket.addEventListener('message', () => calls.push('too late'), { signal });
    happen();
    expect(calls).toEqual(['once', 'signal', 'signal']);
  });
}

function theEvents(rule: Rule, { create, address }: Subject): void {
  rule('open is a plain event that neither bubbles nor can be cancelled', async () => {
    const socket = quietly(create(address()));
    const event = await next(socket, 'open');
    expect(event).toBeInstanceOf(Event);
    expect(event).toMatchObject({ type: 'open', bubbles: false, cancelable: false });
    expect(event.target).toBe(socket);
  });

  rule('message is a MessageEvent with data and the origin of the server', async () => {
    const socket = quietly(create(`${address()}/path?query`));
    await next(socket, 'open');
    socket.send('text');
    const event = (await next(socket, 'message')) as MessageEvent;
    expect(event).toBeInstanceOf(MessageEvent);
    const fields = { bubbles: false, cancelable: false, lastEventId: '', source: null };
    expect(event).toMatchObject({ ...fields, data: 'text', origin: address() });
    expect(event.ports).toHaveLength(0);
    expect(event.target).toBe(socket);
  });

  rule('close has code, reason and wasClean', async () => {
    const socket = quietly(create(address()));
    await quiet(socket);
    socket.send('close 4321 of the server: é€😀');
    const event = (await next(socket, 'close')) as CloseEvent;
    const { CloseEvent: Class = Event } = globalThis as { CloseEvent?: unknown } as {
      CloseEvent?: typeof Event;
    };
    expect(event).toBeInstanceOf(Class);
    expect([event.code, event.reason, event.wasClean]).toEqual([4321, 'of the server: é€😀', true]);
    expect([event.bubbles, event.cancelable]).toEqual([false, false]);
    expect(socket.readyState).toBe(3);
  });

  rule('close has 1005 where the server gave no code', async () => {
    const socket = quietly(create(address()));
    await quiet(socket);
    socket.send('close');
    const event = (await next(socket, 'close')) as CloseEvent;
    expect([event.code, event.reason, event.wasClean]).toEqual([1005, '', true]);
  });

  rule('a connection that is refused gives error, then close with 1006, and no open', async () => {
    const socket = create(`${address()}/refuse`);
    const seen: unknown[] = [];
    for (const name of NAMES) {
      socket.addEventListener(name, () => seen.push(name, socket.readyState));
    }
    const event = (await next(socket, 'close')) as CloseEvent;
    expect([event.code, event.reason, event.wasClean]).toEqual([1006, '', false]);
    expect(seen.filter((entry) => typeof entry === 'string')).toEqual(['error', 'close']);
    expect(seen.at(-1)).toBe(3);
  });

  rule('nothing comes in the turn of the constructor', async () => {
    const socket = create(address());
    let opened = false;
    socket.onopen = () => {
      opened = true;
    };
    expect(opened).toBe(false);
    await next(socket, 'open');
    expect(opened).toBe(true);
    socket.close();
  });
}

function theSending(rule: Rule, { create, address }: Subject): void {
  const open = async () => {
    const socket = quietly(create(address()));
    await next(socket, 'open');
    socket.binaryType = 'arraybuffer';
    return socket;
  };
  const echoOf = async (socket: WebSocket, data: unknown) => {
    socket.send(data as never);
    return ((await next(socket, 'message')) as MessageEvent).data;
  };

  rule('wants a message', async () => {
    const socket = await open();
    expect(() => (socket as unknown as { send(): void }).send()).toThrow(TypeError);
  });

  rule('sends text as it is, but halves of letters as U+FFFD', async () => {
    const socket = await open();
    for (const text of [
      '',
      'text',
      'é€😀',
      '\u0000',
      '\u0005',
      '\u0006 text',
      'x'.repeat(70_000),
    ]) {
      expect(await echoOf(socket, text)).toBe(text);
    }
    expect(await echoOf(socket, 'a\ud807b')).toBe('a\ufffdb');
  });

  rule('sends as text all that is no bytes', async () => {
    const socket = await open();
    for (const data of [
      ...[null, undefined, 1.5, true, {}, [1, 2], { toString: () => 'named' }],
      ...[{ size: 3, type: 'round' }, new Map([[1, 2]]), { byteLength: 3 }],
    ]) {
      expect(await echoOf(socket, data)).toBe(String(data));
    }
    expect(() => socket.send(Symbol('no text') as never)).toThrow(TypeError);
  });

  rule('sends bytes: of a buffer, of a view without what is beside it, of a Blob', async () => {
    const socket = await open();
    const buffer = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    for (const [data, bytes] of [
      [buffer, [1, 2, 3, 4, 5, 6, 7, 8]],
      [new Uint8Array(buffer, 2, 3), [3, 4, 5]],
      [new Uint16Array(buffer, 6), [7, 8]],
      [new DataView(buffer, 7), [8]],
      [new Blob([buffer.slice(0, 2)]), [1, 2]],
      [new ArrayBuffer(0), []],
      [new Blob([]), []],
    ] as const) {
      expect([...new Uint8Array(await echoOf(socket, data))]).toEqual(bytes);
    }
  });

  rule('keeps the order, also behind a Blob', async () => {
    const socket = await open();
    const received: unknown[] = [];
    socket.onmessage = ({ data }) => received.push(typeof data === 'string' ? data : 'bytes');
    socket.send('1');
    socket.send(new Blob(['x'.repeat(100_000)]));
    socket.send('2');
    socket.send(new Uint8Array(1));
    socket.send('3');
    while (received.length < 5) await next(socket, 'message');
    expect(received).toEqual(['1', 'bytes', '2', 'bytes', '3']);
  });

  rule('sends bytes as they are now, whatever becomes of them', async () => {
    const socket = await open();
    const bytes = new Uint8Array([1, 2, 3]);
    const echo = echoOf(socket, bytes);
    expect([...new Uint8Array(await echo)]).toEqual([1, 2, 3]);
  });

  rule('after close() sends nothing and does not throw; bufferedAmount counts it', async () => {
    const socket = await open();
    let messages = 0;
    socket.onmessage = () => {
      messages += 1;
    };
    socket.close();
    const before = socket.bufferedAmount; // a beat may be on its way
    for (const data of ['é', new ArrayBuffer(3), new Uint8Array(4), new Blob(['abcde'])]) {
      socket.send(data);
    }
    expect(socket.bufferedAmount).toBe(before + 2 + 3 + 4 + 5);
    await next(socket, 'close');
    const after = socket.bufferedAmount;
    expect(after).toBeGreaterThanOrEqual(14);
    socket.send('123456');
    expect(socket.bufferedAmount).toBe(after + 6);
    expect(messages).toBe(0);
  });
}

function theClosing(rule: Rule, { create, address }: Subject): void {
  const closing = async (...args: unknown[]) => {
    const socket = quietly(create(address()));
    await next(socket, 'open');
    (socket.close as (...args: unknown[]) => void)(...args);
    expect(socket.readyState).toBe(2);
    const event = (await next(socket, 'close')) as CloseEvent;
    expect(socket.readyState).toBe(3);
    return [event.code, event.reason, event.wasClean];
  };
  const refusing = (name: string, ...args: unknown[]) => {
    const socket = quietly(create(address()));
    const attempt = () => (socket.close as (...args: unknown[]) => void)(...args);
    expect(attempt).toThrow(expect.objectContaining({ name }));
    expect(attempt).toThrow(DOMException);
    expect(socket.readyState).toBe(0);
  };

  rule('without a code closes without one', async () => {
    expect(await closing()).toEqual([1005, '', true]);
    expect(await closing(undefined)).toEqual([1005, '', true]);
    expect(await closing(undefined, undefined)).toEqual([1005, '', true]);
  });

  for (const code of [1000, 3000, 3008, 4999]) {
    rule(`closes with ${code}, and a reason`, async () => {
      expect(await closing(code)).toEqual([code, '', true]);
      expect(await closing(code, 'é€😀')).toEqual([code, 'é€😀', true]);
    });
  }

  rule('closes with 1000 where there is only a reason', async () => {
    expect(await closing(undefined, 'done')).toEqual([1000, 'done', true]);
  });

  rule('reads the code as a number, to the nearest whole one', async () => {
    expect(await closing('3000')).toEqual([3000, '', true]);
    expect(await closing(1000.4)).toEqual([1000, '', true]);
    expect(await closing(2999.5)).toEqual([3000, '', true]);
    expect(await closing(1000.5)).toEqual([1000, '', true]);
  });

  rule('reads the reason as text', async () => {
    expect(await closing(1000, null)).toEqual([1000, 'null', true]);
    expect(await closing(1000, 12)).toEqual([1000, '12', true]);
    expect(await closing(1000, 'a\ud807')).toEqual([1000, 'a\ufffd', true]);
    expect(await closing(1000, 'x'.repeat(123))).toEqual([1000, 'x'.repeat(123), true]);
  });

  for (const code of [0, 500, 999, 1001, 1005, 1006, 1015, 2999, 5000, 65_536, 66_536, -1]) {
    rule(`refuses the code ${code}`, () => refusing('InvalidAccessError', code));
  }

  rule('refuses a code that is no number', () => {
    for (const code of [null, Number.NaN, 'text', {}, '']) refusing('InvalidAccessError', code);
  });

  rule('refuses a reason of more than 123 bytes', () => {
    refusing('SyntaxError', 1000, 'x'.repeat(124));
    refusing('SyntaxError', 1000, 'é'.repeat(62));
    refusing('SyntaxError', undefined, 'x'.repeat(124));
    refusing('InvalidAccessError', 1, 'x'.repeat(124));
  });

  rule('while connecting ends in close with 1006, and no open', async () => {
    const socket = quietly(create(address()));
    let opened = false;
    socket.onopen = () => {
      opened = true;
    };
    socket.close(1000, 'never mind');
    expect(socket.readyState).toBe(2);
    const event = (await next(socket, 'close')) as CloseEvent;
    expect([event.code, event.wasClean, opened]).toEqual([1006, false, false]);
    expect(socket.readyState).toBe(3);
  });

  rule('dispatches nothing in its own turn', () => {
    const socket = quietly(create(address()));
    let events = 0;
    for (const name of NAMES) {
      socket.addEventListener(name, () => {
        events += 1;
      });
    }
    socket.close();
    socket.close();
    expect(events).toBe(0);
  });

  rule('twice is once, also in a listener of close', async () => {
    const socket = quietly(create(address()));
    await next(socket, 'open');
    const codes: number[] = [];
    socket.addEventListener('close', ({ code }) => {
      codes.push(code);
      socket.close(4003);
      expect(socket.readyState).toBe(3);
    });
    socket.close(4001);
    socket.close(4002);
    await next(socket, 'close');
    socket.close(4004);
    expect(codes).toEqual([4001]);
    expect(socket.readyState).toBe(3);
  });

  rule('in a listener of open closes cleanly', async () => {
    const socket = quietly(create(address()));
    socket.onopen = () => socket.close(4000);
    const event = (await next(socket, 'close')) as CloseEvent;
    expect([event.code, event.wasClean]).toEqual([4000, true]);
  });

  rule('lets nothing through of what comes after it', async () => {
    const socket = quietly(create(address()));
    await next(socket, 'open');
    let messages = 0;
    socket.onmessage = () => {
      messages += 1;
    };
    socket.send('text');
    socket.close();
    await next(socket, 'close');
    expect(messages).toBe(0);
  });
}

/** A socket whose listeners are called at `happen()`, as for a message. */
function observed(create: Subject['create'], address: Subject['address']) {
  const socket = quietly(create(address()));
  return {
    socket,
    calls: [] as string[],
    happen: () => socket.dispatchEvent(new MessageEvent('message', { data: 'text' })),
  };
}

/** The same socket; nobody is troubled by its errors. */
function quietly<Socket extends EventTarget>(socket: Socket): Socket {
  socket.addEventListener('error', () => {});
  return socket;
}

const PATIENCE = 10_000;

/**
 * Open, and the first beats have gone both ways. WebKitGTK calls a close unclean where something that the
 * page sends crosses the server's: without any beats too, as was seen.
 */
async function quiet(socket: WebSocket): Promise<void> {
  await next(socket, 'open');
  socket.send('text');
  await next(socket, 'message');
}

/** The runtime does what it has to do meanwhile. */
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

function next(socket: EventTarget, name: string): Promise<Event> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${name}`)), PATIENCE);
    const take = (event: Event) => {
      clearTimeout(timer);
      resolve(event);
    };
    socket.addEventListener(name, take, { once: true });
  });
}
