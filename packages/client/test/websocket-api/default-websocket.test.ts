import { FakeSocket, VirtualScheduler } from '@wirebeat/core/testing';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { defaultWebSocket } from '../../src/websocket-api/default-websocket.ts';

afterEach(() => vi.unstubAllGlobals());

describe('defaultWebSocket', () => {
  it('is the class of ws in Node, which has none or that of undici', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(defaultWebSocket()).toBe(NodeWebSocket);
    vi.stubGlobal('WebSocket', UndiciWebSocket);
    expect(defaultWebSocket()).toBe(NodeWebSocket);
  });

  it('is the class that a test has put in the place of the global one', () => {
    vi.stubGlobal('WebSocket', FakeSocket);
    expect(defaultWebSocket()).toBe(FakeSocket);
    const proxy = new Proxy(UndiciWebSocket, {}); // what MSW puts there
    vi.stubGlobal('WebSocket', proxy);
    expect(defaultWebSocket()).toBe(proxy);
  });
});

describe('a ReconnectingWebSocket', () => {
  it('asks for the global class at each attempt', () => {
    const scheduler = new VirtualScheduler();
    const dialled: string[] = [];
    const classOf = (name: string) =>
      class extends FakeSocket {
        constructor() {
          super(scheduler);
          dialled.push(name);
        }
      };
    vi.stubGlobal('WebSocket', classOf('first'));
    const socket = new ReconnectingWebSocket('ws://example.com', [], { scheduler });
    vi.stubGlobal('WebSocket', classOf('second'));
    socket.reconnect();
    scheduler.advance(60_000);
    expect(dialled.slice(0, 2)).toEqual(['first', 'second']);
    socket.close();
  });
});
