// What is tested here is that this file compiles. Nothing in it runs but the last lines.

import {
  type AttachOptions,
  attachHeartbeat,
  type CloseReason,
  type CloseRecord,
  type CreateWebSocket,
  type HeartbeatEvents,
  type HeartbeatStatus,
  logTo,
  prepareWith,
  ReconnectingWebSocket,
  type ReconnectOptions,
  type SocketCloseEvent,
  type SocketHeartbeat,
  type SocketMessageEvent,
  type WebSocketConstructor,
} from '@wirebeat/client';
import { WebSocket as UndiciWebSocket } from 'undici';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';

const URL = 'ws://127.0.0.1:9/';

/** What an application may have written for a WebSocket. */
function application(socket: WebSocket): void {
  socket.onmessage = (event: MessageEvent<string>) => event.data.length;
  socket.addEventListener('close', (event: CloseEvent) => event.wasClean);
  socket.addEventListener('open', () => socket.send(new Uint8Array(1)), { once: true });
  socket.binaryType = 'arraybuffer';
  if (socket.readyState === WebSocket.OPEN) socket.close(1000, 'done');
}

const compiles = {
  aReconnectingWebSocketIsAWebSocket: (): void => {
    const socket: WebSocket = new ReconnectingWebSocket(URL);
    const like: Pick<typeof WebSocket, 'CONNECTING' | 'OPEN' | 'CLOSING' | 'CLOSED'> =
      ReconnectingWebSocket;
    application(socket);
    application(new ReconnectingWebSocket(new globalThis.URL(URL), ['a', 'b'], { stableFor: 1 }));
    expectTypeOf(like.OPEN).toEqualTypeOf<1>();
  },

  everySocketCanBeAttachedTo: (): void => {
    const handles: SocketHeartbeat[] = [
      attachHeartbeat(new WebSocket(URL)),
      attachHeartbeat(new NodeWebSocket(URL)),
      attachHeartbeat(new UndiciWebSocket(URL)),
      attachHeartbeat(new ReconnectingWebSocket(URL)),
    ];
    for (const handle of handles) handle.detach();
  },

  addressesMayBeAsked: (): void => {
    new ReconnectingWebSocket(() => URL);
    new ReconnectingWebSocket(async ({ attempt, lastClose, signal }) => {
      expectTypeOf(attempt).toEqualTypeOf<number>();
      expectTypeOf(lastClose).toEqualTypeOf<CloseRecord | undefined>();
      await fetch(URL, { signal });
      return new globalThis.URL(URL);
    });
    new ReconnectingWebSocket(URL, async () => new Set(['a']));
    new ReconnectingWebSocket(URL, () => undefined);
    // @ts-expect-error: no address
    new ReconnectingWebSocket(async () => 5);
  },

  connectionsAreMadeAndMadeReady: (): void => {
    new ReconnectingWebSocket(URL, [], {
      WebSocket: (url, protocols) =>
        new NodeWebSocket(url, protocols, { headers: { authorization: 'Bearer' } }),
      ready: prepareWith(async (socket, { signal }) => {
        socket.send('login');
        socket.addEventListener('message', ({ data }) => data, { signal });
      }),
      signal: new AbortController().signal,
      observe: logTo(console),
      queuePolicy: 'drop-oldest',
      fatalCodes: [1008],
    });
    const makes: CreateWebSocket[] = [
      (url, protocols) => new WebSocket(url, protocols),
      (url, protocols) => new UndiciWebSocket(url, protocols ?? []),
    ];
    for (const make of makes) new ReconnectingWebSocket(URL, [], { WebSocket: make });
    // @ts-expect-error: it is what prepareWith() takes, and not what it returns
    new ReconnectingWebSocket(URL, [], { ready: async () => {} });
    // @ts-expect-error: there is no such policy
    new ReconnectingWebSocket(URL, [], { queuePolicy: 'drop' });
  },

  everyClassCanBeDialled: (): void => {
    const classes: WebSocketConstructor[] = [WebSocket, NodeWebSocket, UndiciWebSocket];
    for (const type of classes) new ReconnectingWebSocket(URL, [], { WebSocket: type });
  },

  handlesAreDisposable: (): void => {
    using socket = new ReconnectingWebSocket(URL);
    using heartbeat = attachHeartbeat(new NodeWebSocket(URL));
    expectTypeOf(heartbeat.status).toEqualTypeOf<HeartbeatStatus>();
    expectTypeOf(socket.latency).toEqualTypeOf<number | undefined>();
  },

  eventsAreKnownByName: (): void => {
    const socket = new ReconnectingWebSocket(URL);
    socket.addEventListener('message', (event) => {
      expectTypeOf(event).toEqualTypeOf<SocketMessageEvent>();
    });
    socket.addEventListener('error', ({ error }) => {
      expectTypeOf(error).toEqualTypeOf<unknown>();
    });
    socket.onerror = ({ error }) => error;
    socket.addEventListener('close', {
      handleEvent(event) {
        expectTypeOf(event).toEqualTypeOf<SocketCloseEvent>();
      },
    });
    socket.addEventListener('retry', ({ detail }) => {
      expectTypeOf(detail.cause).toEqualTypeOf<CloseRecord>();
      expectTypeOf(detail.cause.reason).toEqualTypeOf<CloseReason>();
      expectTypeOf(detail.delay).toEqualTypeOf<number>();
    });
    socket.addEventListener('drop', ({ detail }) => {
      expectTypeOf(detail.reason).toEqualTypeOf<'overflow' | 'close' | 'undeliverable'>();
      for (const message of detail.messages) socket.send(message);
    });
    socket.addEventListener('dead', ({ detail }) => {
      expectTypeOf(detail).toEqualTypeOf<HeartbeatEvents['dead']>();
    });
    socket.onclose = (event) => event.code;
    socket.onmessage = (event: MessageEvent) => event.data;
    socket.addEventListener('message', (event: MessageEvent<string>) => event.data.length);
    socket.addEventListener('retry', (event: CustomEvent<{ delay: number }>) => event.detail.delay);
    socket.onclose = null;
    const heartbeat = attachHeartbeat(new NodeWebSocket(URL));
    heartbeat.on('stall', ({ lateBy }) => expectTypeOf(lateBy).toEqualTypeOf<number>());
    // @ts-expect-error: there is no such event
    heartbeat.on('timeout', () => {});
  },

  wrongOptionsDoNotCompile: (): void => {
    const options: ReconnectOptions = { connectTimeout: false, backoff: { jitter: 'none' } };
    const attach: AttachOptions = { pingInterval: false };
    new ReconnectingWebSocket(URL, [], { ...options, ...attach });
    // @ts-expect-error: there is no such option
    new ReconnectingWebSocket(URL, [], { retries: 5 });
    // @ts-expect-error: chance is an option of the whole
    new ReconnectingWebSocket(URL, [], { backoff: { random: Math.random } });
    // @ts-expect-error: a duration is a number
    attachHeartbeat(new NodeWebSocket(URL), { pingInterval: '25s' });
    // @ts-expect-error: no socket
    attachHeartbeat(new EventTarget());
  },
};

describe('the types', () => {
  it.each(Object.keys(compiles))('%s', (name) => {
    expect(compiles).toHaveProperty(name);
  });
});
