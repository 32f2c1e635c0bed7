import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as core from '../src/index.ts';
import * as dialects from '../src/protocol/dialects/index.ts';
import * as testing from '../src/testing/index.ts';

/** The names that an entry lists, those of types among them, as `type X`. */
function listed(entry: string): string[] {
  const source = readFileSync(new URL(entry, import.meta.url), 'utf8');
  const lists = [...source.matchAll(/export (type )?\{([^}]*)\} from '\.\/[^']*';/g)];
  const rest = lists.reduce((text, [whole]) => text.replace(whole, ''), source);
  if (rest.trim() !== '') throw new Error(`more than lists of exports: ${rest.trim()}`);
  return lists.flatMap(([, type = '', list = '']) => names(list).map((name) => type + name)).sort();
}

function names(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

const CORE = [
  'BACKOFF_SCHEMA',
  'Backoff',
  'CloseCode',
  'ConnectionClosedError',
  'ConnectionTable',
  'HEARTBEAT_SCHEMA',
  'HIDDEN_TIMER_SLACK',
  'Heartbeat',
  'HeartbeatDriver',
  'HeartbeatError',
  'InvalidOptionError',
  'LatencyHistogram',
  'LazyTimer',
  'LinkRecord',
  'MAX_BEAT_BYTES',
  'MAX_DELAY',
  'OWNER',
  'OWNER_INSTANT',
  'PeerMemory',
  'PingPromises',
  'PingTimeoutError',
  'PongQueue',
  'QueueOverflowError',
  'ROUTINE_ANSWER',
  'ROUTINE_PING',
  'ROW_WORDS',
  'ReadyState',
  'RttEstimator',
  'SystemScheduler',
  'TIMER_SLACK',
  'TimingWheel',
  'VERDICT_WAIT',
  'beatText',
  'callsItself',
  'checkNames',
  'decodeBeat',
  'encodeBeat',
  'gateListeners',
  'guarded',
  'initialTiming',
  'intercept',
  'interceptCalls',
  'linkQuality',
  'mayBeginBeat',
  'onAbort',
  'override',
  'readBeat',
  'resolveHeartbeatOptions',
  'resolveOption',
  'resolveOptions',
];

const CORE_TYPES = [
  'type AbortSignalLike',
  'type AdvertisedTiming',
  'type Answer',
  'type BackoffOptions',
  'type Beat',
  'type BlobLike',
  'type DialectChoice',
  'type DialectConnection',
  'type DialectPort',
  'type HeartbeatAction',
  'type HeartbeatEvent',
  'type HeartbeatEvents',
  'type HeartbeatOptions',
  'type HeartbeatPort',
  'type ListenerGate',
  'type HeartbeatStatus',
  'type Instant',
  'type Interceptor',
  'type LinkEvidence',
  'type LinkQuality',
  'type Millis',
  'type PeerState',
  'type PingOptions',
  'type PingOrder',
  'type PongPort',
  'type RefusedHandshake',
  'type Resolved',
  'type ResolvedHeartbeatOptions',
  'type Row',
  'type Scheduler',
  'type SchemaOf',
  'type Sleeper',
  'type SocketData',
  'type SocketEvent',
  'type TimeoutReason',
  'type Timer',
  'type Timing',
  'type TimingWheelOptions',
  'type UnansweredReason',
  'type WebSocketLike',
  'type WheelEntry',
  'type Wire',
];

const TESTING = [
  'FakeSocket',
  'FreezableScheduler',
  'Link',
  'VirtualScheduler',
  'WallClock',
  'fakeSocketPair',
  'seededRandom',
];

const TESTING_TYPES = ['type LinkEnd', 'type Path', 'type PathOptions'];

const DIALECTS = [
  'actionCable',
  'answering',
  'appSync',
  'bySubprotocol',
  'cut',
  'defineDialect',
  'discord',
  'engineIo',
  'graphql',
  'json',
  'keepAlive',
  'mqtt',
  'nats',
  'observing',
  'phoenix',
  'pusher',
  'signalR',
  'stomp',
  'text',
  'trpc',
];

const DIALECT_TYPES = [
  'type Dialect',
  'type DialectBeat',
  'type DialectChoice',
  'type DialectConnection',
  'type DialectDefinition',
  'type DialectDriver',
  'type DialectEnd',
  'type DialectPort',
  'type DialectRole',
  'type DialectSession',
  'type DialectTiming',
  'type JsonOptions',
  'type JsonTemplate',
  'type KeepAliveOptions',
  'type PhoenixOptions',
  'type Reading',
  'type TextOptions',
  'type Wire',
];

describe('the public surface', () => {
  it('of @wirebeat/core is this list', () => {
    expect(Object.keys(core).sort()).toEqual(CORE);
    expect(listed('../src/index.ts')).toEqual([...CORE, ...CORE_TYPES].sort());
  });

  it('of @wirebeat/core/dialects is this list', () => {
    expect(Object.keys(dialects).sort()).toEqual(DIALECTS);
    const source = '../src/protocol/dialects/index.ts';
    expect(listed(source)).toEqual([...DIALECTS, ...DIALECT_TYPES].sort());
  });

  it('of @wirebeat/core/testing is this list', () => {
    expect(Object.keys(testing).sort()).toEqual(TESTING);
    expect(listed('../src/testing/index.ts')).toEqual([...TESTING, ...TESTING_TYPES].sort());
  });

  it('of the package is these three, the vectors and the manifest', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
    ) as { readonly exports: object };
    expect(Object.keys(manifest.exports)).toEqual([
      '.',
      './dialects',
      './testing',
      './vectors.json',
      './package.json',
    ]);
  });
});
