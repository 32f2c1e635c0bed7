import * as client from '@wirebeat/client';
import * as react from '@wirebeat/client/react';
import * as report from '@wirebeat/client/report';
import * as shared from '@wirebeat/client/shared';
import * as status from '@wirebeat/client/status';
import * as statusElement from '@wirebeat/client/status-element';
import { describe, expect, it } from 'vitest';

describe('@wirebeat/client', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(client).sort()).toEqual([
      'CloseCode',
      'ConnectionClosedError',
      'Delivery',
      'HeartbeatError',
      'InvalidOptionError',
      'ParkWhileHidden',
      'PeerMemory',
      'PingTimeoutError',
      'QueueOverflowError',
      'ReconnectingWebSocket',
      'SocketHeartbeat',
      'WorkerScheduler',
      'attachHeartbeat',
      'gateListeners',
      'logTo',
      'prepareWith',
      'reactNativeLifecycle',
      'resolveReconnectOptions',
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
    expect(membersOf(report.History)).toEqual(['diagnosis', 'report']);
    expect(membersOf(client.WorkerScheduler)).toEqual([
      '[Symbol.dispose]',
      'at',
      'close',
      'now',
      'usesWorker',
    ]);
    const face = Object.getPrototypeOf(client.ReconnectingWebSocket); // extends EventTarget
    expect(membersOf(client.ReconnectingWebSocket, face)).toEqual([
      'CLOSED',
      'CLOSING',
      'CONNECTING',
      'OPEN',
      'Symbol(Symbol.toStringTag)',
      '[Symbol.dispose]',
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
      'send',
      'status',
      'url',
    ]);
  });
});

describe('@wirebeat/client/report', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(report).sort()).toEqual(['History', 'diagnose', 'explain']);
  });
});

describe('@wirebeat/client/status', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(status).sort()).toEqual(['causeWords', 'linkQuality', 'statusOf']);
  });
});

describe('@wirebeat/client/shared', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(shared).sort()).toEqual(['SharedSocket', 'serveTabs']);
  });

  it('gives a shared socket the members of a ReconnectingWebSocket, and `flushed`', () => {
    const namesOf = ({ prototype }: { readonly prototype: object }) =>
      Reflect.ownKeys(prototype).map(String).sort();
    expect(namesOf(shared.SharedSocket)).toEqual(
      [...namesOf(client.ReconnectingWebSocket), 'flushed'].sort(),
    );
  });
});

describe('@wirebeat/client/react', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(react).sort()).toEqual(['useHeartbeat', 'useSocket', 'useWebSocket']);
  });
});

describe('@wirebeat/client/status-element', () => {
  it('exports these names and no others, and can be imported on a server', () => {
    expect(Object.keys(statusElement).sort()).toEqual(['StatusElement', 'defineStatusElement']);
    expect(() => statusElement.defineStatusElement()).not.toThrow();
  });
});
