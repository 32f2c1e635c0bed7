import { InvalidOptionError } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { FakeServer } from '../fake-server.ts';
import { reportedErrors } from '../reported-errors.ts';
import { dial, dialOpen, eventsOf, namesOf } from '../stage.ts';

describe('ReconnectingWebSocket', () => {
  describe('as a WebSocket', () => {
    it('is an EventTarget with the constants of the standard', () => {
      const { socket } = dial();
      expect(socket).toBeInstanceOf(EventTarget);
      for (const holder of [ReconnectingWebSocket, socket]) {
        const { CONNECTING, OPEN, CLOSING, CLOSED } = holder;
        expect([CONNECTING, OPEN, CLOSING, CLOSED]).toEqual([0, 1, 2, 3]);
      }
    });

    it('has the readyState of its connection, and is CONNECTING between connections', () => {
      const { scheduler, server, socket, log } = dial();
      expect(socket.readyState).toBe(0);
      scheduler.advance(9);
      expect(socket.readyState).toBe(0);
      scheduler.advance(1);
      expect(socket.readyState).toBe(1);
      server.last.reset();
      expect(socket.readyState).toBe(0);
      scheduler.advance(255);
      expect(socket.readyState).toBe(0);
      scheduler.advance(5);
      expect(socket.readyState).toBe(1);
      socket.close();
      expect(socket.readyState).toBe(2);
      scheduler.advance(20);
      expect(socket.readyState).toBe(3);
      const seen = log.filter(({ name }) => ['open', 'close', 'retry'].includes(name));
      expect(seen.map(({ name, readyState }) => [name, readyState])).toEqual([
        ['open', 1],
        ['close', 0],
        ['retry', 0],
        ['open', 1],
        ['close', 3],
      ]);
    });

    it('has the url as its socket spells it', () => {
      const scheduler = new VirtualScheduler();
      const options = { scheduler, WebSocket: new FakeServer(scheduler).WebSocket };
      expect(new ReconnectingWebSocket('ws://TEST', [], options).url).toBe('ws://test/');
      expect(new ReconnectingWebSocket(new URL('ws://test/a?b'), [], options).url).toBe(
        'ws://test/a?b',
      );
    });

    it('has the url also where the class has none', () => {
      const scheduler = new VirtualScheduler();
      const { WebSocket } = new FakeServer(scheduler);
      const Nameless = class extends WebSocket {
        constructor(url: string, protocols?: string[]) {
          super(url, protocols);
          Object.defineProperty(this, 'url', { value: undefined });
        }
      };
      const options = { scheduler, WebSocket: Nameless };
      expect(new ReconnectingWebSocket('ws://TEST', [], options).url).toBe('ws://test/');
    });

    it('offers the protocols at every attempt: a string, an array, or what can be iterated once', () => {
      const once = function* () {
        yield 'a';
        yield 'b';
      };
      for (const [given, offered] of [
        [undefined, undefined],
        ['a', ['a']],
        [
          ['a', 'b'],
          ['a', 'b'],
        ],
        [new Set(['a', 'b']), ['a', 'b']],
        [once(), ['a', 'b']],
      ] as const) {
        const scheduler = new VirtualScheduler();
        const server = new FakeServer(scheduler);
        const socket = new ReconnectingWebSocket('ws://test/', given, {
          scheduler,
          WebSocket: server.WebSocket,
        });
        scheduler.advance(30);
        server.last.reset();
        scheduler.advance(1_000);
        expect(server.links.map(({ protocols }) => protocols)).toEqual([offered, offered]);
        expect(socket.protocol).toBe(offered?.[0] ?? '');
      }
    });

    it('has protocol and extensions from the open on, and of the last connection after it', () => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler);
      const socket = new ReconnectingWebSocket('ws://test/', 'chat', {
        scheduler,
        WebSocket: server.WebSocket,
      });
      expect([socket.protocol, socket.extensions]).toEqual(['', '']);
      scheduler.advance(10);
      expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-fake']);
      server.last.reset();
      expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-fake']);
    });

    it('has the binaryType of its class until it is set, and keeps that across connections', () => {
      for (const [kind, initial] of [
        ['ws', 'nodebuffer'],
        ['browser', 'blob'],
      ] as const) {
        const { scheduler, server, socket } = dialOpen(kind);
        expect(socket.binaryType).toBe(initial);
        socket.binaryType = 'arraybuffer';
        expect(server.last.client.binaryType).toBe('arraybuffer');
        server.last.reset();
        expect(socket.binaryType).toBe('arraybuffer');
        scheduler.advance(1_000);
        expect(server.links).toHaveLength(2);
        expect(server.last.client.binaryType).toBe('arraybuffer');
      }
    });

    it('sets the binaryType that was set between connections', () => {
      const { scheduler, server, socket } = dialOpen();
      server.last.reset();
      expect(socket.binaryType).toBe('blob');
      socket.binaryType = 'arraybuffer';
      scheduler.advance(1_000);
      expect(server.last.client.binaryType).toBe('arraybuffer');
    });

    it('counts in bufferedAmount what is queued here and in the socket', () => {
      const { scheduler, server, socket } = dial();
      expect(socket.bufferedAmount).toBe(0);
      socket.send('né'); // 3 bytes in UTF-8
      socket.send(new Uint8Array(4));
      server.last.client.bufferedAmount = 100;
      expect(socket.bufferedAmount).toBe(107);
      scheduler.advance(10);
      expect(socket.bufferedAmount).toBe(100);
      server.last.reset();
      expect(socket.bufferedAmount).toBe(0);
    });

    it('passes messages on in order and untouched, with the origin of the server', () => {
      const { scheduler, server, log } = dialOpen();
      log.length = 0;
      const messages = ['', 'a', '\u0005', '\u0005wbx', new ArrayBuffer(2), new Blob(['x'])];
      for (const message of messages) server.last.peer.send(message);
      server.last.peer.send('\u0005wb.1');
      scheduler.advance(10);
      const events = eventsOf(log, 'message');
      expect(events).toHaveLength(messages.length);
      for (const [index, message] of messages.entries()) expect(events[index]?.data).toBe(message);
      expect(events[0]?.origin).toBe('ws://test');
      expect(log[0]?.event).toBeInstanceOf(MessageEvent);
    });

    it('dispatches events of its own: it is their target, and each is an Event', () => {
      const { scheduler, server, socket, log } = dialOpen();
      server.last.peer.send('text');
      server.last.dispatch({ type: 'error' });
      server.last.peer.close(1001);
      scheduler.advance(10);
      expect(log.length).toBeGreaterThan(6);
      for (const { event, name } of log) {
        expect(event).toBeInstanceOf(Event);
        expect(event.type).toBe(name);
        expect(event.target).toBe(socket);
      }
      for (const event of eventsOf(log, 'pong')) expect(event).toBeInstanceOf(CustomEvent);
    });

    it('carries the error that a socket of Node tells', () => {
      const { server, log } = dialOpen();
      const error = new Error('ECONNRESET');
      server.last.dispatch({ type: 'error', error } as never);
      expect(eventsOf(log, 'error')[0]).toMatchObject({ error });
      server.last.dispatch({ type: 'error' });
      expect(eventsOf(log, 'error')[1]).not.toHaveProperty('error');
    });

    it.each([
      ['open', 'onopen'],
      ['message', 'onmessage'],
      ['error', 'onerror'],
      ['close', 'onclose'],
    ] as const)(
      'calls its handler of %s, which may be replaced and taken away',
      (name, property) => {
        const { scheduler, server, socket } = dial();
        const calls: unknown[] = [];
        expect(socket[property]).toBeNull();
        const first = (event: Event) => calls.push('first', event.type);
        const second = function (this: unknown, event: Event) {
          calls.push('second', event.type, this === socket);
        };
        const happen = () => {
          server.last.peer.send('text');
          server.last.dispatch({ type: 'error' });
          scheduler.advance(10);
          server.last.reset();
          scheduler.advance(10_000);
        };
        socket[property] = first;
        expect(socket[property]).toBe(first);
        scheduler.advance(10);
        happen();
        const count = name === 'open' ? 2 : 1;
        expect(calls).toEqual(Array(count).fill(['first', name]).flat());
        calls.length = 0;
        socket[property] = second;
        expect(socket[property]).toBe(second);
        happen();
        expect(calls).toEqual(['second', name, true]);
        calls.length = 0;
        socket[property] = null;
        expect(socket[property]).toBeNull();
        happen();
        expect(calls).toEqual([]);
        socket[property] = 'not a function' as never;
        expect(socket[property]).toBeNull();
      },
    );

    it('calls a function twice that is both handler and listener', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: unknown[] = [];
      const both = (event: { data: unknown }) => calls.push(event.data);
      socket.addEventListener('message', both);
      socket.onmessage = both;
      server.last.peer.send(1);
      scheduler.advance(10);
      expect(calls).toEqual([1, 1]);
      socket.onmessage = null;
      server.last.peer.send(2);
      scheduler.advance(10);
      expect(calls).toEqual([1, 1, 2]);
    });

    it('calls a handler in its turn among the listeners: where it was first set', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: string[] = [];
      socket.addEventListener('message', () => calls.push('before'));
      socket.onmessage = () => calls.push('replaced');
      socket.addEventListener('message', () => calls.push('after'));
      socket.onmessage = () => calls.push('handler');
      server.last.peer.send('text');
      scheduler.advance(10);
      expect(calls).toEqual(['before', 'handler', 'after']);
    });

    it('takes listeners with once, with a signal, as objects, and takes them off', () => {
      const { scheduler, server, socket } = dialOpen();
      const calls: string[] = [];
      const controller = new AbortController();
      const gone = () => calls.push('gone');
      const object = {
        handleEvent(event: Event) {
          calls.push(`object ${event.type} ${this === object}`);
        },
      };
      socket.addEventListener('message', () => calls.push('once'), { once: true });
      socket.addEventListener('message', () => calls.push('signal'), { signal: controller.signal });
      socket.addEventListener('message', object);
      socket.addEventListener('message', object);
      socket.addEventListener('message', gone);
      socket.removeEventListener('message', gone);
      server.last.peer.send('1');
      scheduler.advance(10);
      expect(calls).toEqual(['once', 'signal', 'object message true']);
      controller.abort();
      socket.removeEventListener('message', object);
      socket.addEventListener('message', () => calls.push('left'));
      server.last.peer.send('2');
      scheduler.advance(10);
      expect(calls.slice(3)).toEqual(['left']);
    });

    it('takes no harm from a listener that throws; the error is reported', async () => {
      const { scheduler, server, socket, log } = dial();
      for (const name of ['open', 'close', 'retry', 'message'] as const) {
        socket.addEventListener(name, () => {
          throw new Error(`a listener of ${name}`);
        });
      }
      socket.send('queued');
      const errors = await reportedErrors(() => {
        scheduler.advance(30);
        server.last.peer.send('text');
        scheduler.advance(10);
        server.last.reset();
        scheduler.advance(1_000);
      });
      const of = (name: string) => `Error: a listener of ${name}`;
      expect(errors.map(String)).toEqual(['open', 'message', 'close', 'retry', 'open'].map(of));
      expect(namesOf(log)).toEqual(['open', 'message', 'close', 'retry', 'open']);
      expect(server.links[0]?.received).toEqual(['queued']);
    });
  });

  describe('close() refuses, as the standard has it,', () => {
    it.each([0, 999, 1001, 1005, 1006, 2999, 5000, 65_536, -1, Number.NaN])(
      'the code %d',
      (code) => {
        const { scheduler, socket } = dialOpen();
        expect(() => socket.close(code)).toThrow(DOMException);
        expect(() => socket.close(code)).toThrow(
          expect.objectContaining({ name: 'InvalidAccessError' }),
        );
        expect(socket.readyState).toBe(1);
        scheduler.advance(100);
        expect(socket.readyState).toBe(1);
      },
    );

    it.each([
      ['124 letters', 'x'.repeat(124)],
      ['62 letters of two bytes', 'é'.repeat(62)],
      ['42 letters of three bytes', '€'.repeat(42)],
    ])('a reason of %s', (_, reason) => {
      const { socket } = dialOpen();
      expect(() => socket.close(1000, reason)).toThrow(
        expect.objectContaining({ name: 'SyntaxError' }),
      );
      expect(socket.readyState).toBe(1);
    });

    it('also when it is closed already', () => {
      const { scheduler, socket } = dialOpen();
      socket.close();
      expect(() => socket.close(1)).toThrow(DOMException);
      scheduler.advance(100);
      expect(() => socket.close(1)).toThrow(DOMException);
    });
  });

  it.each([1000, 3000, 4999])('closes with the code %i and a reason of 123 bytes', (code) => {
    const { scheduler, socket, log } = dialOpen();
    const reason = `é${'x'.repeat(121)}`;
    socket.close(code, reason);
    scheduler.advance(20);
    expect(eventsOf(log, 'close')[0]).toMatchObject({ code, reason, wasClean: true });
  });

  it.each([
    ['no url', []],
    ['ws://test/', ['a', 'A']],
  ])('throws SyntaxError for %s and %j, and leaves nothing behind', (url, protocols) => {
    const scheduler = new VirtualScheduler();
    const { WebSocket, links } = new FakeServer(scheduler);
    const attempt = () => new ReconnectingWebSocket(url, protocols, { scheduler, WebSocket });
    expect(attempt).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    expect(attempt).toThrow(DOMException);
    expect(links).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('throws what its class throws at the first attempt, and leaves nothing behind', () => {
    const scheduler = new VirtualScheduler();
    const { signal } = new AbortController();
    const attempt = () =>
      new ReconnectingWebSocket('ws://test/', [], {
        scheduler,
        signal,
        WebSocket: () => {
          throw new Error('not here');
        },
      });
    expect(attempt).toThrow('not here');
    expect(scheduler.pending).toBe(0);
  });

  it.each([
    [{ pingInterval: 0 }, 'pingInterval'],
    [{ jitter: 1 }, 'jitter'],
    [{ backoff: { minDelay: 10, maxDelay: 5 } }, 'minDelay'],
    [{ random: 1 }, 'random'],
    [{ connectTimeout: -1 }, 'connectTimeout'],
    [{ retries: 5 }, 'retries'],
  ])('throws InvalidOptionError for %j before any socket is made', (options, option) => {
    const scheduler = new VirtualScheduler();
    const { WebSocket, links } = new FakeServer(scheduler);
    const attempt = () =>
      new ReconnectingWebSocket('ws://test/', [], { scheduler, WebSocket, ...options } as never);
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(expect.objectContaining({ option }));
    expect(links).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('tells status, latency and detectionBound of its connection', () => {
    const { scheduler, server, socket } = dial();
    const told = () => [socket.status, socket.latency, socket.detectionBound];
    expect(told()).toEqual(['idle', undefined, 36_000]);
    scheduler.advance(10);
    expect(told()).toEqual(['alive', undefined, 36_000]);
    scheduler.advance(20);
    expect(told()).toEqual(['alive', 20, 36_000]);
    server.last.reset();
    expect(told()).toEqual(['idle', undefined, undefined]);
  });

  it('passes its timing on to the heartbeat', () => {
    const { scheduler, server, socket } = dial('ws', { pingInterval: 5_000, pingTimeout: 2_000 });
    expect(socket.detectionBound).toBe(5_000 + 2_000 + 250 + 750);
    scheduler.advance(10 + 5_000);
    expect(server.last.beats).toHaveLength(2);
  });

  it('probes on demand, and without a connection nothing', () => {
    const { scheduler, server, socket } = dialOpen();
    socket.probe();
    expect(server.last.beats).toHaveLength(2);
    server.last.reset();
    expect(() => socket.probe()).not.toThrow();
    scheduler.advance(1_000);
    expect(server.links).toHaveLength(2);
  });

  it('goes on for a thousand losses', () => {
    const { scheduler, server, log } = dial();
    for (let times = 0; times < 1_000; times += 1) {
      scheduler.advance(40_000);
      server.last.reset();
    }
    expect(eventsOf(log, 'close')).toHaveLength(1_000);
    expect(server.mostLive).toBe(1);
  });
});
