import { getEventListeners, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import type { CloseRecord } from '../../src/reconnect/close-record.ts';
import type { UrlSource } from '../../src/reconnect/dialer.ts';
import type { ReconnectOptions } from '../../src/reconnect/options.ts';
import { prepareWith } from '../../src/reconnect/prepare-with.ts';
import { ReconnectingWebSocket } from '../../src/reconnect/reconnecting-websocket.ts';
import { minimalPeer } from '../fake-server.ts';
import { CLASSES, eventOf, Log, listen, MS, MuteServer, TestProxy } from '../sockets.ts';

type Story = [name: string, ...details: unknown[]];

describe.each(CLASSES)('ReconnectingWebSocket over the sockets of %s', (_, WebSocket) => {
  const cleanup: (() => unknown)[] = [];

  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  const keep = <T extends { close(): unknown }>(held: T): T => {
    cleanup.push(() => held.close());
    return held;
  };
  const dial = (url: UrlSource, options: ReconnectOptions = {}) => {
    const socket = keep(
      new ReconnectingWebSocket(url, [], {
        WebSocket,
        backoff: { minDelay: 20 * MS, maxDelay: 40 * MS },
        ...options,
      }),
    );
    const story: Log<Story> = new Log();
    for (const type of ['open', 'suspect', 'dead'] as const) {
      socket.addEventListener(type, () => story.push([type]));
    }
    socket.addEventListener('close', ({ code, wasClean }) => story.push(['close', code, wasClean]));
    socket.addEventListener('retry', ({ detail }) => story.push(['retry', detail]));
    socket.addEventListener('giveup', ({ detail }) => story.push(['giveup', detail]));
    socket.addEventListener('message', ({ data }) => story.push(['message', data]));
    return { socket, story };
  };
  const named = (type: string) => (entry: Story) => entry[0] === type;
  const namesOf = (story: Log<Story>) => story.entries.map(([type]) => type);
  const causeOf = (entry: Story) => (entry[1] as { cause: CloseRecord }).cause;

  it('sends, receives and closes like one of them', async () => {
    const server = keep(await listen());
    const { socket, story } = dial(server.url);
    socket.send('queued');
    await eventOf(socket, 'open');
    socket.send(new Uint8Array([104, 105]));
    expect(await server.received.find(() => true, 2)).toBe('hi');
    expect(server.received.entries).toEqual(['queued', 'hi']);
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
    (await server.connection()).send('back');
    await story.find(named('message'));
    const closed = eventOf<CloseEvent>(socket, 'close');
    socket.close(4001, 'done');
    const { code, reason, wasClean } = await closed;
    expect([code, reason, wasClean]).toEqual([4001, 'done', true]);
    expect(socket.readyState).toBe(3);
    expect(namesOf(story)).toEqual(['open', 'message', 'close']);
  });

  it('comes back after the peer closed', async () => {
    const server = keep(await listen());
    const { story } = dial(server.url);
    (await server.connection()).close(1001, 'again');
    await story.find(named('open'), 2);
    expect(namesOf(story)).toEqual(['open', 'close', 'retry', 'open']);
    expect(causeOf(await story.find(named('retry')))).toMatchObject({
      reason: 'peer-close',
      code: 1001,
      text: 'again',
      wasClean: true,
    });
  });

  it('comes back after its TCP connection was reset', async () => {
    const server = keep(await listen());
    const proxy = keep(await TestProxy.to(server.port));
    const { socket, story } = dial(proxy.url);
    await story.find(named('open'));
    proxy.reset();
    await story.find(named('open'), 2);
    expect(namesOf(story)).toEqual(['open', 'close', 'retry', 'open']);
    expect(causeOf(await story.find(named('retry')))).toMatchObject({
      reason: 'abnormal',
      code: 1006,
      wasOpen: true,
    });
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
  });

  it('comes back when the server does, with what was sent meanwhile', async () => {
    const first = await listen();
    const { socket, story } = dial(first.url);
    await story.find(named('open'));
    await first.close();
    await story.find(named('close'));
    socket.send('patient');
    await story.find(named('retry'), 3); // two attempts were refused
    const second = keep(await listen({ port: first.port }));
    await story.find(named('open'), 2);
    expect(await second.received.find()).toBe('patient');
    expect(story.entries.filter(named('close'))).toHaveLength(1);
  });

  it('waits for a server that is not there yet', async () => {
    const absent = await listen();
    await absent.close();
    const { story } = dial(absent.url);
    const refused = await story.find(named('retry'), 2);
    expect(causeOf(refused)).toMatchObject({ reason: 'abnormal', wasOpen: false });
    keep(await listen({ port: absent.port }));
    await story.find(named('open'));
    expect(namesOf(story)).not.toContain('close');
  });

  it('tries again when a server accepts and says nothing', async () => {
    const mute = keep(await MuteServer.listen());
    const { socket, story } = dial(mute.url, { connectTimeout: 50 * MS });
    const retry = await story.find(named('retry'));
    expect(causeOf(retry)).toMatchObject({ reason: 'connect-timeout', code: 3008, wasOpen: false });
    await mute.accepted.find(() => true, 2);
    expect(socket.readyState).toBe(0);
    expect(namesOf(story)).not.toContain('close');
    const [first] = mute.accepted.entries;
    await mute.ended.find((ended) => ended === first); // an attempt that was left holds none
  });

  it('leaves a link that was cut in silence, and does not look back', async () => {
    const server = keep(await listen());
    const proxy = keep(await TestProxy.to(server.port));
    // Alone: a second connection would take over before the verdict.
    const options = { pingInterval: 40 * MS, pingTimeout: 250 * MS, makeBeforeBreak: false };
    const { socket, story } = dial(proxy.url, options);
    await eventOf(socket, 'pong');
    const old = await server.connection();
    old.send('before');
    await story.find(named('message'));
    proxy.cut();
    old.send('late');
    const pong = socket.ping({ timeout: false });
    await expect(pong).rejects.toMatchObject({ code: 'ERR_PING_TIMEOUT' });
    await story.find(named('open'), 2);
    const expected = ['open', 'message', 'suspect', 'dead', 'close', 'retry', 'open'];
    expect(namesOf(story)).toEqual(expected);
    expect(await story.find(named('close'))).toEqual(['close', 3008, false]);
    const { attempt, delay, cause } = (await story.find(named('retry')))[1] as {
      attempt: number;
      delay: number;
      cause: CloseRecord;
    };
    expect(attempt).toBe(1);
    expect(delay).toBeLessThan(20 * MS);
    expect(cause).toMatchObject({ reason: 'ping-timeout', code: 3008, wasOpen: true });
    expect(cause.silentFor).toBeGreaterThanOrEqual(250 * MS);
    proxy.mend(); // what the old link held back comes now
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
    // Not the whole story again: a slow machine may suspect the new peer for a moment.
    expect(story.entries.filter(named('message'))).toEqual([['message', 'before']]);
    expect(story.entries.filter(named('close'))).toHaveLength(1);
    expect(server.accepted.entries).toHaveLength(2);
  });

  it.each([
    ['says nothing, after it asked on a second one', false, 2],
    ['sends messages, and asks on no second one', true, 1],
  ])(
    'keeps the connection to a server that answers no pings and %s',
    async (_, speaks, dialled) => {
      const server = keep(await listen({ answer: () => undefined }));
      const { socket, story } = dial(server.url, { pingTimeout: 500 * MS, pingInterval: 250 * MS });
      const told: Log<string> = new Log();
      socket.addEventListener('unanswered', ({ detail }) => told.push(detail.reason));
      const first = await server.connection();
      if (speaks) {
        const timer = setInterval(() => first.send('news'), 50 * MS);
        cleanup.push(() => clearInterval(timer));
      }
      expect(await told.find()).toBe('silent');
      socket.send('still here');
      expect(await server.received.find((text) => text === 'still here')).toBe('still here');
      expect(server.accepted.entries).toHaveLength(dialled);
      expect(first.readyState).toBe(1);
      expect(namesOf(story)).not.toContain('close');
      expect(told.entries).toEqual(['silent']);
    },
  );

  it('replaces a connection that was dead from the start by a second one that is answered', async () => {
    let isAnswering = false;
    const server = keep(
      await listen({ answer: (text) => (isAnswering ? minimalPeer(text) : undefined) }),
    );
    const proxy = keep(await TestProxy.to(server.port));
    const { socket, story } = dial(proxy.url, { pingTimeout: 500 * MS });
    await eventOf(socket, 'open');
    proxy.cut();
    isAnswering = true;
    await story.find(named('open'), 2);
    expect(await story.find(named('close'))).toEqual(['close', 3008, false]);
    expect(socket.readyState).toBe(1);
    expect(server.accepted.entries).toHaveLength(2);
  });

  it('closes within a second on a link that is cut', async () => {
    const server = keep(await listen());
    const proxy = keep(await TestProxy.to(server.port));
    const { socket, story } = dial(proxy.url);
    await eventOf(socket, 'pong');
    proxy.cut();
    const begun = performance.now();
    socket.close(1000);
    expect(await story.find(named('close'))).toEqual(['close', 1006, false]);
    expect(performance.now() - begun).toBeLessThan(1_000 + 500 * MS);
    expect(socket.readyState).toBe(3);
    expect(namesOf(story)).toEqual(['open', 'close']);
  });

  it('closes once, and at once, while it is dialling', async () => {
    const mute = keep(await MuteServer.listen());
    let dialled = 0;
    const Counting = class extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        dialled += 1;
      }
    };
    const { socket, story } = dial(mute.url, { WebSocket: Counting });
    await mute.accepted.find();
    socket.close();
    expect(socket.readyState).toBe(2);
    expect(await story.find(named('close'))).toEqual(['close', 1006, false]);
    await mute.ended.find();
    expect(namesOf(story)).toEqual(['close']);
    expect(dialled).toBe(1);
  });

  it('closes once in an error listener of a connection that is refused', async () => {
    const absent = await listen();
    await absent.close();
    const { socket, story } = dial(absent.url);
    socket.onerror = () => socket.close();
    await story.find(named('close'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(namesOf(story)).toEqual(['close']);
  });

  it('gives up on a fatal close code', async () => {
    const server = keep(await listen());
    const { socket, story } = dial(server.url);
    const connection = await server.connection();
    await story.find(named('open'));
    await socket.ping(); // else the server might only have refused our first one
    connection.close(4401, 'who are you');
    await story.find(named('giveup'));
    expect(namesOf(story)).toEqual(['open', 'close', 'giveup']);
    expect(socket.readyState).toBe(3);
  });

  it.each([undefined, 4000, 4400])(
    'sends no more pings to a server that greets, and twice closes with %s at the first',
    async (code) => {
      const received: string[] = [];
      const server = keep(new WebSocketServer({ port: 0, host: '127.0.0.1' }));
      server.on('connection', (peer) => {
        peer.send('hello');
        peer.on('message', (data) => {
          received.push(String(data));
          if (String(data) !== 'known')
            peer.close(code, code === undefined ? '' : 'unknown message');
        });
      });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { socket, story } = dial(`ws://127.0.0.1:${port}`, { pingInterval: 100 * MS });
      await eventOf(socket, 'unanswered');
      await new Promise((resolve) => setTimeout(resolve, 500 * MS));
      expect(namesOf(story).filter((name) => name === 'open')).toHaveLength(3);
      expect(socket.readyState).toBe(1);
      expect(received).toHaveLength(2); // a ping each
      socket.send('known');
      for (const peer of server.clients) await once(peer, 'message');
      expect(received).toHaveLength(3);
    },
  );

  it('gives up on a fatal code that follows the message for which `ready` rejected', async () => {
    const server = keep(await listen());
    const ready = prepareWith(
      (connection) =>
        new Promise((_, reject) => {
          connection.addEventListener('message', ({ data }) => reject(new Error(data)));
          connection.send('login');
        }),
    );
    const { socket, story } = dial(server.url, { ready });
    await server.received.find((text) => text === 'login');
    const connection = await server.connection();
    connection.send('auth_invalid');
    connection.close(4401, 'auth_invalid');
    const giveup = await story.find(named('giveup'));
    expect(giveup[1]).toMatchObject({ attempts: 0, cause: { reason: 'fatal', code: 4401 } });
    expect(socket.readyState).toBe(3);
  });

  it('asks for its address, logs in, and then sends what waited', async () => {
    const server = keep(await listen());
    const ready = prepareWith(async (connection, { signal }) => {
      const welcome = new Promise((resolve) => {
        connection.addEventListener('message', resolve, { once: true, signal });
      });
      connection.send('login');
      await welcome;
    });
    const { socket, story } = dial(async ({ attempt }) => `${server.url}?${attempt}`, { ready });
    socket.send('patient');
    await story.find(named('open'));
    socket.send('patient too');
    expect(await server.received.find()).toBe('login');
    (await server.connection()).send('welcome');
    expect(await server.received.find(() => true, 3)).toBe('patient too');
    expect(server.received.entries).toEqual(['login', 'patient', 'patient too']);
    expect(socket.url).toBe(`${server.url}?0`);
  });

  it('rotates again and again, and what is sent arrives, in order', async () => {
    const server = keep(await listen());
    const { socket, story } = dial(server.url, { maxAge: 60 * MS });
    let sent = 0;
    while (story.entries.filter(named('open')).length < 5) {
      socket.send(`${sent}`);
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await server.received.find(() => true, sent);
    expect(server.received.entries).toEqual(Array.from({ length: sent }, (_, index) => `${index}`));
    expect(await story.find(named('close'))).toEqual(['close', 1000, false]);
    expect(causeOf(await story.find(named('retry'))).reason).toBe('rotation');
    expect(namesOf(story).slice(0, 4)).toEqual(['open', 'close', 'retry', 'open']);
  });

  it('waits as long as the server asks in its reason', async () => {
    const server = keep(await listen());
    const { story } = dial(server.url);
    (await server.connection()).close(1012, `retryAfter=${300 * MS}`);
    const [, detail] = (await story.find(named('retry'))) as [string, { delay: number }];
    expect(detail.delay).toBe(300 * MS);
    const begun = performance.now();
    await story.find(named('open'), 2);
    expect(performance.now() - begun).toBeGreaterThan(250 * MS);
  });

  it('reconnects on demand', async () => {
    const server = keep(await listen());
    const { socket, story } = dial(server.url);
    await story.find(named('open'));
    socket.reconnect();
    await story.find(named('open'), 2);
    expect(namesOf(story)).toEqual(['open', 'close', 'retry', 'open']);
    expect(await socket.ping()).toBeGreaterThanOrEqual(0);
  });

  it.each(['no url', 'ftp://host/', 'ws://host/#fragment'])('throws for the url %s', (url) => {
    expect(() => dial(url)).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });
});

describe('ReconnectingWebSocket with ws, at a server that refuses by HTTP', () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toUTCString();

  it.each([
    ['429 and seconds', 429, () => '2', 2_000, 2_000],
    ['503 and a date', 503, () => inSeconds(30), 29_000, 31_000],
    ['503 and more than is waited for', 503, () => '86400', 600_000, 600_000],
    ['503 alone', 503, () => undefined, 0, 40 * MS],
    ['401 and seconds, which are not obeyed', 401, () => '2', 0, 40 * MS],
  ])('obeys %s', async (_, status, retryAfter, least, most) => {
    const server = createHttpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('upgrade', (_, connection) => {
      const value = retryAfter();
      const header = value === undefined ? '' : `Retry-After: ${value}\r\n`;
      connection.end(`HTTP/1.1 ${status} No\r\n${header}Content-Length: 0\r\n\r\n`);
    });
    const socket = new ReconnectingWebSocket(
      `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      [],
      { backoff: { minDelay: 20 * MS, maxDelay: 40 * MS } },
    );
    try {
      const failed = eventOf<Event & { readonly error: Error }>(socket, 'error');
      const { detail } = await eventOf<CustomEvent>(socket, 'retry');
      expect(detail.cause).toMatchObject({ reason: 'abnormal', status, wasOpen: false });
      expect(detail.delay).toBeGreaterThanOrEqual(least);
      expect(detail.delay).toBeLessThanOrEqual(most);
      expect((await failed).error.message).toBe(`Unexpected server response: ${status}`);
    } finally {
      socket.close();
      server.close();
    }
  });

  it('has no status where the connection was refused before HTTP', async () => {
    const server = createHttpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}`);
    const { detail } = await eventOf<CustomEvent>(socket, 'retry');
    socket.close();
    expect(detail.cause).not.toHaveProperty('status');
  });
});

describe('ReconnectingWebSocket with a signal', () => {
  it('shares one signal with any number of others, and Node warns of no leak', async () => {
    const server = await listen();
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    const controller = new AbortController();
    const { signal } = controller;
    const sockets = Array.from({ length: 20 }, () => {
      return new ReconnectingWebSocket(server.url, [], { signal });
    });
    await Promise.all(sockets.map((socket) => eventOf(socket, 'pong')));
    const [socket] = sockets;
    const pings = Array.from({ length: 20 }, () => socket?.ping({ signal }));
    await Promise.all(pings);
    const ends = sockets.map((each) => eventOf(each, 'close'));
    controller.abort();
    await Promise.all(ends);
    process.off('warning', note);
    await server.close();
    expect(warnings).toEqual([]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('ReconnectingWebSocket with a function that creates its sockets', () => {
  it('sends headers, at each attempt anew', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const seen: Log<string | undefined> = new Log();
    server.on('connection', (accepted, { headers }) => {
      seen.push(headers.authorization);
      accepted.on('error', () => {});
    });
    await once(server, 'listening');
    let attempts = 0;
    const socket = new ReconnectingWebSocket(
      `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      [],
      {
        WebSocket: (url, protocols) => {
          attempts += 1;
          return new NodeWebSocket(url, protocols, { headers: { authorization: `${attempts}` } });
        },
      },
    );
    try {
      await eventOf(socket, 'open');
      socket.reconnect();
      await seen.find(() => true, 2);
      expect(seen.entries).toEqual(['1', '2']);
    } finally {
      socket.close();
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});
