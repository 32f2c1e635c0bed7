import { describe, expect, it } from 'vitest';
import { Connection } from '../src/connection.ts';
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
    // Of a connection its type says what is public: the object is its own shell, and has more.
    const liveness = {
      announce: true,
      applicationLatency: true,
      detach: true,
      detectionBound: true,
      isResponsive: true,
      lastReceived: true,
      lastSeen: true,
      ping: true,
      status: true,
      terminate: true,
      transportLatency: true,
    } satisfies Record<keyof server.Liveness, true>;
    expect(membersOf(Connection)).toEqual(expect.arrayContaining(Object.keys(liveness)));
  });
});
