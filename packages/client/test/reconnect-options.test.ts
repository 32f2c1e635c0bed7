import { InvalidOptionError } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import type { CloseReason, CloseRecord } from '../src/close-record.ts';
import { resolveReconnectOptions } from '../src/reconnect-options.ts';

function recordOf(reason: CloseReason): CloseRecord {
  return {
    reason,
    code: 1006,
    text: '',
    wasClean: false,
    wasOpen: true,
    silentFor: 0,
    latency: undefined,
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
      backoff: { random: Math.random },
      WebSocket: NodeWebSocket,
    });
    expect(resolved.scheduler.now()).toBeTypeOf('number');
    expect(resolved.heartbeat).toEqual({ scheduler: resolved.scheduler });
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
    class WebSocket extends NodeWebSocket {}
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
        maxQueuedBytes: 7,
        shouldReconnect,
        WebSocket,
      }),
    ).toEqual({
      heartbeat: { pingInterval: 1_000, pingTimeout: false, jitter: 0.5, random, scheduler },
      backoff: { minDelay: 1, maxDelay: 2, factor: 3, jitter: 'equal', random },
      scheduler,
      maxAttempts: 4,
      connectTimeout: 5,
      stableFor: 6,
      maxQueuedBytes: 7,
      shouldReconnect,
      WebSocket,
    });
  });

  it('reads false as without end', () => {
    const resolved = resolveReconnectOptions({
      maxAttempts: false,
      connectTimeout: false,
      maxQueuedBytes: false,
    });
    const { maxAttempts, connectTimeout, maxQueuedBytes } = resolved;
    expect([maxAttempts, connectTimeout, maxQueuedBytes]).toEqual(Array(3).fill(Infinity));
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
    ['url', 'ws://host/'],
  ])('refuses %s: %s', (option, value) => {
    const attempt = () => resolveReconnectOptions({ [option]: value });
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(expect.objectContaining({ option, value }));
  });

  it.each([null, 'fast', 5])('refuses %s in place of options', (options) => {
    expect(() => resolveReconnectOptions(options as never)).toThrow(InvalidOptionError);
  });
});
