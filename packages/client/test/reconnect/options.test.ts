import { InvalidOptionError } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { Delivery } from '../../src/outbox/delivery.ts';
import { pageLifecycle } from '../../src/page/page-lifecycle.ts';
import type { CloseReason, CloseRecord } from '../../src/reconnect/close-record.ts';
import { resolveReconnectOptions } from '../../src/reconnect/options.ts';
import { prepareWith } from '../../src/reconnect/prepare-with.ts';

function recordOf(reason: CloseReason): CloseRecord {
  return {
    reason,
    code: 1006,
    text: '',
    wasClean: false,
    wasOpen: true,
    silentFor: 0,
    latency: undefined,
    retryAfter: undefined,
  };
}

describe('resolveReconnectOptions', () => {
  it('has a default for everything', () => {
    const resolved = resolveReconnectOptions({});
    expect(resolved).toMatchObject({
      connectTimeout: 10_000,
      stableFor: 5_000,
      maxAttempts: Number.POSITIVE_INFINITY,
      maxQueuedBytes: 1_048_576,
      maxQueuedMessages: 10_000,
      queuePolicy: 'error',
      readyTimeout: 10_000,
      maxAge: Number.POSITIVE_INFINITY,
      backoff: { random: Math.random },
    });
    const { scheduler, lifecycle, createWebSocket } = resolved;
    expect(scheduler.now()).toBeTypeOf('number');
    expect(lifecycle).toBe(pageLifecycle);
    expect(resolved.heartbeat).toMatchObject({ scheduler, lifecycle, pingInterval: 25_000 });
    const socket = createWebSocket('ws://127.0.0.1:9/');
    socket.addEventListener('error', () => {});
    expect(socket).toBeInstanceOf(NodeWebSocket);
    socket.close();
  });

  it('dials again by default after every end but a fatal one', () => {
    const { shouldReconnect } = resolveReconnectOptions({});
    for (const reason of ['ping-timeout', 'connect-timeout', 'peer-close', 'abnormal'] as const) {
      expect(shouldReconnect(recordOf(reason))).toBe(true);
    }
    expect(shouldReconnect(recordOf('fatal'))).toBe(false);
  });

  it('parts what is the heartbeat’s from what is its own', () => {
    const scheduler = new VirtualScheduler();
    const random = () => 0.5;
    const shouldReconnect = () => false;
    const WebSocket = () => new NodeWebSocket('ws://127.0.0.1:9/');
    const ready = prepareWith(async () => {});
    const lifecycle = { watch: () => () => {} };
    const delivery = new Delivery({ resend: true });
    const { signal } = new AbortController();
    expect(
      resolveReconnectOptions({
        pingInterval: 1_000,
        pingTimeout: false,
        jitter: 0.5,
        random,
        scheduler,
        backoff: { minDelay: 1, maxDelay: 2, factor: 3, jitter: 'equal' },
        maxAttempts: 4,
        connectTimeout: 5,
        stableFor: 6,
        ready,
        readyTimeout: 8,
        maxAge: 9,
        maxQueuedBytes: 7,
        maxQueuedMessages: 10,
        queuePolicy: 'drop-newest',
        delivery,
        makeBeforeBreak: true,
        shouldReconnect,
        WebSocket,
        lifecycle,
        signal,
        observe: () => {},
      }),
    ).toEqual({
      heartbeat: expect.objectContaining({
        pingInterval: 1_000,
        pingTimeout: Number.POSITIVE_INFINITY,
        jitter: 0.5,
        probeAfter: Number.POSITIVE_INFINITY, // the pings for confirmation do it
        random,
        scheduler,
        lifecycle,
      }),
      backoff: { minDelay: 1, maxDelay: 2, factor: 3, jitter: 'equal', random },
      scheduler,
      maxAttempts: 4,
      connectTimeout: 5,
      stableFor: 6,
      ready,
      readyTimeout: 8,
      maxAge: 9,
      maxQueuedBytes: 7,
      maxQueuedMessages: 10,
      queuePolicy: 'drop-newest',
      delivery,
      makeBeforeBreak: true,
      isFatal: expect.any(Function),
      shouldReconnect,
      createWebSocket: WebSocket,
      lifecycle,
      signal,
      observe: expect.any(Function),
    });
  });

  it('reads false as without end', () => {
    const resolved = resolveReconnectOptions({
      maxAttempts: false,
      connectTimeout: false,
      readyTimeout: false,
      maxAge: false,
      maxQueuedBytes: false,
      maxQueuedMessages: false,
    });
    const { maxAttempts, connectTimeout, readyTimeout, maxAge } = resolved;
    const { maxQueuedBytes, maxQueuedMessages } = resolved;
    const all = [maxAttempts, connectTimeout, readyTimeout, maxAge];
    expect([...all, maxQueuedBytes, maxQueuedMessages]).toEqual(Array(6).fill(Infinity));
  });

  it('accepts 0 where it counts', () => {
    const { maxAttempts, maxQueuedBytes } = resolveReconnectOptions({
      maxAttempts: 0,
      maxQueuedBytes: 0,
    });
    expect([maxAttempts, maxQueuedBytes]).toEqual([0, 0]);
  });

  it.each([
    ['backoff', null],
    ['backoff', 5],
    ['pingInterval', 0],
    ['pingInterval', '25s'],
    ['pingTimeout', Number.NaN],
    ['pingTimeout', null],
    ['jitter', 1],
    ['random', 0.5],
    ['maxAttempts', -1],
    ['maxAttempts', 1.5],
    ['maxAttempts', Number.POSITIVE_INFINITY],
    ['connectTimeout', 0],
    ['connectTimeout', 2 ** 31],
    ['stableFor', 0],
    ['stableFor', false],
    ['maxQueuedBytes', -1],
    ['maxQueuedBytes', '1MB'],
    ['shouldReconnect', true],
    ['WebSocket', {}],
    ['delivery', {}],
    ['delivery', true],
    ['ready', true],
    ['readyTimeout', 0],
    ['maxAge', 0],
    ['maxQueuedMessages', -1],
    ['queuePolicy', 'drop'],
    ['fatalCodes', 4400],
    ['fatalCodes', [999]],
    ['fatalCodes', ['4400']],
    ['signal', {}],
    ['observe', 'console'],
    ['observe', {}],
    ['lifecycle', {}],
    ['url', 'ws://host/'],
  ])('refuses %s: %s', (option, value) => {
    const attempt = () => resolveReconnectOptions({ [option]: value });
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(expect.objectContaining({ option, value }));
  });

  it.each([null, 'fast', 5])('refuses %s in place of options', (options) => {
    expect(() => resolveReconnectOptions(options as never)).toThrow(InvalidOptionError);
  });

  it('calls a class with new, and an arrow function or a method as it is', () => {
    class Made {
      readonly args: readonly unknown[];
      constructor(...args: readonly unknown[]) {
        this.args = args;
      }
    }
    const arrow = (...args: unknown[]) => new Made(...args);
    const { method } = { method: (...args: unknown[]) => new Made(...args) };
    function plain(...args: unknown[]): Made {
      return new Made(...args);
    }
    for (const WebSocket of [Made, arrow, method, plain, new Proxy(Made, {})]) {
      if (WebSocket === arrow) expect(() => Reflect.construct(WebSocket, [])).toThrow(TypeError);
      const { createWebSocket } = resolveReconnectOptions({ WebSocket: WebSocket as never });
      const made = createWebSocket('ws://host/', ['chat']);
      expect(made).toMatchObject({ args: ['ws://host/', ['chat']] });
      expect(made).toBeInstanceOf(Made);
    }
  });

  it('knows as fatal the codes 4400 to 4499, or those that it is given', () => {
    const byDefault = resolveReconnectOptions({}).isFatal;
    expect([4399, 4400, 4499, 4500, 1008].map(byDefault)).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    const codes = [1008, 4000];
    const { isFatal } = resolveReconnectOptions({ fatalCodes: codes });
    codes.push(4400);
    expect([1008, 4000, 4400].map(isFatal)).toEqual([true, true, false]);
  });

  it('takes an option that is given as undefined for one that is not given', () => {
    const names = Object.keys(resolveReconnectOptions({}));
    const options = Object.fromEntries(
      [...names, 'jitter', 'random', 'pingInterval', 'fatalCodes', 'WebSocket']
        .filter((name) => !['heartbeat', 'isFatal', 'createWebSocket'].includes(name))
        .map((name) => [name, undefined]),
    );
    const strip = ({ scheduler: _, heartbeat: _1, ...rest }: object & Record<string, unknown>) =>
      JSON.stringify(rest);
    expect(strip({ ...resolveReconnectOptions(options) })).toBe(
      strip({ ...resolveReconnectOptions({}) }),
    );
  });
});
