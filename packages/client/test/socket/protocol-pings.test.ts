import type * as channels from 'node:diagnostics_channel';
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';

// The channels are those of the process, and other tests leave sockets that are watched.
let watchProtocolPings: typeof import('../../src/socket/protocol-pings.ts').watchProtocolPings;
const subscriptions: string[] = [];
beforeEach(async () => {
  vi.resetModules();
  ({ watchProtocolPings } = await import('../../src/socket/protocol-pings.ts'));
  subscriptions.length = 0;
  const { getBuiltinModule } = process;
  const spied = vi.spyOn(process, 'getBuiltinModule').mockImplementation((name: string) => {
    const { subscribe, unsubscribe } = getBuiltinModule.call(process, name) as typeof channels;
    return {
      subscribe: (...args: Parameters<typeof subscribe>) => {
        subscriptions.push(String(args[0]));
        subscribe(...args);
      },
      unsubscribe: (...args: Parameters<typeof unsubscribe>) => {
        subscriptions.splice(subscriptions.indexOf(String(args[0])), 1);
        unsubscribe(...args);
      },
    } as never;
  });
  return () => spied.mockRestore();
});

const PING = channel('undici:websocket:ping');
const PONG = channel('undici:websocket:pong');

/** A WebSocket as a page has it. */
function native(members: object = {}): never {
  return Object.assign(new EventTarget(), members) as never;
}

function watch(socket: never) {
  const release: (() => void)[] = [];
  const watched = {
    count: 0,
    end: () => {
      for (const each of release) each();
    },
  };
  const count = () => {
    watched.count += 1;
  };
  watchProtocolPings(socket, count, (end) => release.push(end));
  return watched;
}

/** The event of Bun, with its payload. */
function frame(name: string, data?: unknown): Event {
  return Object.assign(new Event(name), { data });
}

describe('watchProtocolPings', () => {
  it('counts the Pings and Pongs that undici publishes with their socket', () => {
    const [one, other] = [native(), native()];
    const [first, second] = [watch(one), watch(other)];
    PING.publish({ payload: new Uint8Array(), websocket: one });
    PONG.publish({ payload: new Uint8Array(), websocket: one });
    PING.publish({ payload: new Uint8Array(), websocket: other });
    PING.publish({ payload: new Uint8Array(), websocket: native() });
    expect([first.count, second.count]).toEqual([2, 1]);
    for (const each of [first, second]) each.end();
  });

  it('counts none without a socket, as in Node 22, because it may be of any connection', () => {
    const watched = watch(native());
    PING.publish({ payload: new Uint8Array() });
    expect(watched.count).toBe(0);
    watched.end();
  });

  it('subscribes to undici once, and to nothing after the last socket', () => {
    const [first, second] = [watch(native()), watch(native())];
    first.end();
    expect(subscriptions).toEqual(['undici:websocket:ping', 'undici:websocket:pong']);
    second.end();
    second.end();
    expect(subscriptions).toEqual([]);
  });

  it("counts Bun's events with a payload, and none after the end", () => {
    const socket: EventTarget = native({ ping: () => {} });
    const watched = watch(socket as never);
    socket.dispatchEvent(frame('ping', new Uint8Array([1])));
    socket.dispatchEvent(frame('pong', new ArrayBuffer(0)));
    expect(watched.count).toBe(2);
    watched.end();
    socket.dispatchEvent(frame('ping', new Uint8Array()));
    expect(watched.count).toBe(2);
  });

  it('takes no event of another class for a Ping, such as one that says that it has pinged', () => {
    const socket: EventTarget = native({ ping: () => {} });
    const watched = watch(socket as never);
    socket.dispatchEvent(frame('ping'));
    socket.dispatchEvent(new CustomEvent('pong', { detail: { latency: 1 } }));
    expect(watched.count).toBe(0);
  });

  it('counts the Pongs of ws, whose Pings are seen with its other events, and none after the end', () => {
    const socket = new EventEmitter();
    const watched = watch(socket as never);
    socket.emit('ping', new Uint8Array());
    socket.emit('pong', new Uint8Array());
    expect(watched.count).toBe(1);
    expect(subscriptions).toEqual([]);
    watched.end();
    expect(socket.eventNames()).toEqual([]);
  });
});
