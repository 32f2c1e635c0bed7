import { describe, expect, it } from 'vitest';
import * as bun from '../src/adapters/bun.ts';
import * as cloudflare from '../src/adapters/cloudflare.ts';
import * as crossws from '../src/adapters/crossws.ts';
import * as deno from '../src/adapters/deno.ts';
import { ConnectionHandle } from '../src/connection/connection-handle.ts';
import * as gateway from '../src/gateway/index.ts';
import * as server from '../src/index.ts';
import * as opentelemetry from '../src/metrics/opentelemetry.ts';
import * as prometheus from '../src/metrics/prometheus.ts';
import * as redis from '../src/redis/index.ts';
import * as runtime from '../src/runtime/index.ts';

function membersOf(type: { readonly prototype: object }): string[] {
  return Reflect.ownKeys(type.prototype)
    .filter((name) => name !== 'constructor')
    .map((name) => (name === Symbol.dispose ? '[Symbol.dispose]' : name))
    .map((name) => (name === Symbol.asyncDispose ? '[Symbol.asyncDispose]' : String(name)))
    .sort();
}

describe('@wirebeat/server', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(server).sort()).toEqual([
      'ConnectionClosedError',
      'HeartbeatError',
      'InvalidOptionError',
      'MemoryRegistry',
      'PingTimeoutError',
      'ServerHeartbeat',
      'attachHeartbeat',
    ]);
  });

  it('gives its handles these members and no others', () => {
    expect(membersOf(server.ServerHeartbeat)).toEqual([
      '[Symbol.dispose]',
      'connections',
      'detach',
      'drain',
      'get',
      'isIsolated',
      'presence',
      'presentUsers',
      'update',
      'watch',
    ]);
    // Of a connection its type says what is public: the object is its own shell, and has more.
    const liveness = {
      announce: true,
      applicationLatency: true,
      detach: true,
      detectionBound: true,
      epoch: true,
      isResponsive: true,
      lastReceived: true,
      lastSeen: true,
      ping: true,
      status: true,
      terminate: true,
      transportLatency: true,
    } satisfies Record<keyof server.ConnectionHeartbeat, true>;
    expect(membersOf(ConnectionHandle)).toEqual(expect.arrayContaining(Object.keys(liveness)));
  });
});

describe('what shows the figures', () => {
  it.each([
    ['prometheus', prometheus],
    ['opentelemetry', opentelemetry],
  ])('exports one name: %s', (_, entry) => {
    expect(Object.keys(entry)).toEqual(['exportMetrics']);
  });
});

describe('the entries of other runtimes', () => {
  it.each([
    ['bun', bun, ['BunHeartbeat']],
    ['cloudflare', cloudflare, ['DurableHeartbeat']],
    ['crossws', crossws, ['CrosswsHeartbeat']],
    ['deno', deno, ['DenoHeartbeat']],
    ['runtime', runtime, ['InvalidOptionError', 'RuntimeHeartbeat']],
  ])('export these names and no others: %s', (_, entry, names) => {
    expect(Object.keys(entry).sort()).toEqual(names);
  });
});

describe('@wirebeat/server/redis', () => {
  it('exports one name', () => {
    expect(Object.keys(redis)).toEqual(['RedisRegistry']);
  });
});

describe('@wirebeat/server/gateway', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(gateway).sort()).toEqual([
      'FrameError',
      'Gateway',
      'GatewayConnection',
      'HeartbeatError',
      'InvalidOptionError',
      'PingTimeoutError',
      'UpstreamError',
      'createGateway',
    ]);
  });

  it('gives its handles these members and no others', () => {
    expect(membersOf(gateway.Gateway)).toEqual([
      '[Symbol.asyncDispose]',
      'close',
      'connections',
      'drain',
      'listen',
      'status',
      'update',
    ]);
    expect(membersOf(gateway.GatewayConnection)).toEqual([
      'browserLatency',
      'bytesFromPage',
      'bytesFromUpstream',
      'close',
      'closeForRestart',
      'detectionBound',
      'endToEndLatency',
      'isResponsive',
      'isSuspect',
      'open',
      'pageLatency',
      'speaks',
      'stopPinging',
      'terminate',
      'upstreamLatency',
    ]);
  });
});
