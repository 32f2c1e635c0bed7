import * as client from '@wirebeat/client';
import * as react from '@wirebeat/client/react';
import { describe, expect, it } from 'vitest';

describe('@wirebeat/client', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(client).sort()).toEqual([
      'CloseCode',
      'ConnectionClosedError',
      'Delivery',
      'HeartbeatError',
      'History',
      'InvalidOptionError',
      'PeerMemory',
      'PingTimeoutError',
      'QueueOverflowError',
      'ReconnectingWebSocket',
      'SocketHeartbeat',
      'WorkerScheduler',
      'attachHeartbeat',
      'diagnose',
      'explain',
      'logTo',
      'reactNativeLifecycle',
      'snapshotOf',
    ]);
  });

  it('gives its handles these members and no others', () => {
    const membersOf = (...types: { readonly prototype: object }[]) =>
      types
        .flatMap(({ prototype }) => Reflect.ownKeys(prototype))
        .filter((name) => name !== 'constructor')
        .map((name) => (name === Symbol.dispose ? '[Symbol.dispose]' : String(name)))
        .sort();
    expect(membersOf(client.SocketHeartbeat)).toEqual([
      '[Symbol.dispose]',
      'answersBy',
      'detach',
      'detectionBound',
      'isRefused',
      'lastReceived',
      'lastSent',
      'latency',
      'ping',
      'probe',
      'retryAfter',
      'status',
    ]);
    expect(membersOf(client.History)).toEqual(['diagnosis', 'report']);
    expect(membersOf(client.WorkerScheduler)).toEqual([
      '[Symbol.dispose]',
      'at',
      'close',
      'now',
      'usesWorker',
    ]);
    const face = Object.getPrototypeOf(client.ReconnectingWebSocket);
    expect(membersOf(client.ReconnectingWebSocket, face)).toEqual([
      'CLOSED',
      'CLOSING',
      'CONNECTING',
      'OPEN',
      'Symbol(Symbol.toStringTag)',
      '[Symbol.dispose]',
      'addEventListener',
      'binaryType',
      'bufferedAmount',
      'close',
      'detectionBound',
      'extensions',
      'lastReceived',
      'latency',
      'onclose',
      'onerror',
      'onmessage',
      'onopen',
      'ping',
      'probe',
      'protocol',
      'readyState',
      'reconnect',
      'removeEventListener',
      'send',
      'status',
      'url',
    ]);
  });
});

describe('@wirebeat/client/react', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(react).sort()).toEqual(['useHeartbeat', 'useWebSocket']);
  });
});
