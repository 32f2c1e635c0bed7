// What is given in place of what was meant must be refused: ignored, it would fail much later, or never.
import { describe, expect, it, vi } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import { Delivery } from '../src/outbox/delivery.ts';
import { reactNativeLifecycle } from '../src/page/react-native-lifecycle.ts';
import { WorkerScheduler } from '../src/page/worker-scheduler.ts';
import { logTo } from '../src/reconnect/log.ts';
import { ParkWhileHidden } from '../src/reconnect/parking.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { diagnose } from '../src/report/diagnosis.ts';
import { explain } from '../src/report/explain.ts';
import { History } from '../src/report/history.ts';
import { SharedSocket } from '../src/shared/shared-socket.ts';
import { snapshotOf } from '../src/snapshot-store.ts';
import { statusOf } from '../src/status/status.ts';
import { FakeServer } from './fake-server.ts';
import { dial } from './stage.ts';

const { socket, scheduler } = dial();
const link = new FakeServer(scheduler).connect();
const heartbeat = attachHeartbeat(link.client, { scheduler, lifecycle: false });
const shared = (openWorker: unknown, open: unknown = () => socket) =>
  new SharedSocket(openWorker as never, open as never);
/** The act has the argument that is wrong as its own. */
type Act = (wrong: never) => unknown;

const subscription = { remove: () => {} };
const A_SOCKET = 'a ReconnectingWebSocket or SharedSocket, or a WebSocket with its heartbeat';
const REFUSALS: [what: string, act: Act, wrong: unknown, option: string, expected: string][] = [
  ['History', (wrong) => new History(wrong), socket, 'options', 'a plain object'],
  ['History', (wrong) => new History(wrong), new History(), 'options', 'a plain object'],
  ['History', (wrong) => new History(wrong), 'ws://host', 'options', 'an object'],
  ['History', (wrong) => new History(wrong), { pingIntervall: 1 }, 'pingIntervall', 'absent'],
  ['ReconnectingWebSocket', connect, new History(), 'options', 'a plain object'],
  ['attachHeartbeat', attach, socket, 'options', 'a plain object'],
  ['attachHeartbeat', (wrong) => attachHeartbeat(wrong), null, 'socket', 'a WebSocket'],
  ['Delivery', (wrong) => new Delivery(wrong), { resnd: true }, 'resnd', 'absent'],
  ['Delivery', (wrong) => new Delivery(wrong), { resend: 'yes' }, 'resend', 'a boolean'],
  ['Delivery', (wrong) => new Delivery(wrong), socket, 'options', 'a plain object'],
  ['ParkWhileHidden', (wrong) => new ParkWhileHidden(wrong), { after: 1 }, 'after', 'absent'],
  ['ParkWhileHidden', (wrong) => new ParkWhileHidden(wrong), 60_000, 'options', 'an object'],
  ['WorkerScheduler', (wrong) => new WorkerScheduler(wrong), '/worker.js', 'options', 'an object'],
  ['WorkerScheduler', (wrong) => new WorkerScheduler(wrong), { uri: '/' }, 'uri', 'absent'],
  ['reactNativeLifecycle', reactNativeLifecycle, {}, 'AppState', 'an object with addEv'],
  ['reactNativeLifecycle', reactNativeLifecycle, undefined, 'parts', 'an object'],
  ['reactNativeLifecycle', withNetwork, { Netinfo: {} }, 'Netinfo', 'absent'],
  ['reactNativeLifecycle', withNetwork, { NetInfo: {} }, 'NetInfo', 'an object with addEv'],
  ['logTo', logTo, undefined, 'logger', 'an object such as `console`'],
  ['explain', explain, { code: 1006, reason: '' }, 'record', 'a CloseRecord'],
  ['explain', explain, undefined, 'record', 'a CloseRecord'],
  ['diagnose', diagnose, new History(), 'records', 'a list of CloseRecords'],
  ['diagnose', diagnose, [{ code: 1006, reason: '' }], 'records', 'a list of CloseRecords'],
  ['snapshotOf', (wrong) => snapshotOf(wrong), link.client, 'socket', A_SOCKET],
  ['snapshotOf', (wrong) => snapshotOf(wrong), undefined, 'socket', A_SOCKET],
  ['snapshotOf', (wrong) => snapshotOf(link.client, wrong), socket, 'heartbeat', 'what attach'],
  ['snapshotOf', (wrong) => snapshotOf(wrong, heartbeat), 'ws://host', 'socket', A_SOCKET],
  ['statusOf', (wrong) => statusOf(wrong), link.client, 'socket', A_SOCKET],
  ['statusOf', (wrong) => statusOf(socket, wrong), { lostafter: 1 }, 'lostafter', 'absent'],
  ['statusOf', (wrong) => statusOf(socket, wrong), 3_000, 'options', 'an object'],
  ['statusOf', (wrong) => statusOf(socket, wrong, {}), 3_000, 'heartbeat', 'what attach'],
  ['SharedSocket', shared, '/worker.js', 'openWorker', 'a function'],
  ['SharedSocket', (wrong) => shared(() => {}, wrong), socket, 'open', 'a function'],
  ['SharedSocket', shared, () => new EventTarget(), 'openWorker', 'a function that returns a Sha'],
];

function connect(wrong: never): void {
  new ReconnectingWebSocket('ws://host', [], wrong);
}

function attach(wrong: never): void {
  attachHeartbeat(new FakeServer(scheduler).connect().client, wrong);
}

function withNetwork(wrong: object): void {
  const AppState = { currentState: '', addEventListener: () => subscription };
  reactNativeLifecycle({ AppState, ...wrong });
}

describe('the wrong object', () => {
  it.each(REFUSALS)('is refused by %s', (_, act, wrong, option, expected) => {
    vi.stubGlobal('SharedWorker', class {});
    vi.stubGlobal('navigator', { locks: {} });
    try {
      act(wrong as never);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', option });
      const isUnknown = expected === 'absent';
      const sentence = isUnknown
        ? `Unknown option \`${option}\``
        : `\`${option}\` to be ${expected}`;
      expect(String(error)).toContain(sentence);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
