import { describe, expect, it } from 'vitest';
import * as server from '../src/index.ts';

describe('@wirebeat/server', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(server).sort()).toEqual([
      'ConnectionClosedError',
      'HeartbeatError',
      'InvalidOptionError',
      'Liveness',
      'PingTimeoutError',
      'ServerHeartbeat',
      'attachHeartbeat',
    ]);
  });

  it('gives its handles these members and no others', () => {
    const membersOf = (type: { readonly prototype: object }) =>
      Reflect.ownKeys(type.prototype)
        .filter((name) => name !== 'constructor')
        .map((name) => (name === Symbol.dispose ? '[Symbol.dispose]' : String(name)))
        .sort();
    expect(membersOf(server.ServerHeartbeat)).toEqual([
      '[Symbol.dispose]',
      'connections',
      'detach',
      'drain',
      'get',
      'update',
    ]);
    expect(membersOf(server.Liveness)).toEqual([
      'announce',
      'applicationLatency',
      'detach',
      'detectionBound',
      'dismiss',
      'isResponsive',
      'lastReceived',
      'lastSeen',
      'open',
      'ping',
      'rest',
      'status',
      'terminate',
      'transportLatency',
    ]);
  });
});
