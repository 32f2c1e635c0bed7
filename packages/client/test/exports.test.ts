import * as client from '@wirebeat/client';
import { describe, expect, it } from 'vitest';

describe('@wirebeat/client', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(client).sort()).toEqual([
      'CloseCode',
      'ConnectionClosedError',
      'HeartbeatError',
      'InvalidOptionError',
      'PeerMemory',
      'PingTimeoutError',
      'QueueOverflowError',
      'ReconnectingWebSocket',
      'SocketHeartbeat',
      'attachHeartbeat',
    ]);
  });

  it('gives its handles these members and no others', () => {
    const membersOf = (type: { readonly prototype: object }) =>
      Reflect.ownKeys(type.prototype)
        .filter((name) => name !== 'constructor')
        .map((name) => (name === Symbol.dispose ? '[Symbol.dispose]' : String(name)))
        .sort();
    expect(membersOf(client.SocketHeartbeat)).toEqual([
      '[Symbol.dispose]',
      'detach',
      'detectionBound',
      'lastReceived',
      'latency',
      'ping',
      'probe',
      'status',
    ]);
    expect(membersOf(client.ReconnectingWebSocket)).toEqual([
      '[Symbol.dispose]',
      'addEventListener',
      'binaryType',
      'bufferedAmount',
      'close',
      'detectionBound',
      'extensions',
      'latency',
      'onclose',
      'onerror',
      'onmessage',
      'onopen',
      'ping',
      'probe',
      'protocol',
      'readyState',
      'removeEventListener',
      'send',
      'status',
      'url',
    ]);
  });
});
