import { act, createElement, type ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SocketHook, useHeartbeat, useSocket } from '../src/react.ts';
import { SharedSocket } from '../src/shared/shared-socket.ts';
import type { SocketMessageEvent } from '../src/websocket-api/dom-events.ts';
import { ErrorBoundary } from './error-boundary.ts';
import { ReactPlace } from './react-place.ts';
import { TabWorld } from './shared/tab-world.ts';

interface Props {
  readonly create?: (() => SharedSocket) | null;
  readonly room?: string;
  readonly hear?: (event: SocketMessageEvent) => void;
}

let world: TabWorld;
let place: ReactPlace;
let made: SharedSocket[];
let seen: SocketHook<SharedSocket>[];

function Tab({ create = join, room, hear }: Props): ReactNode {
  const options = { ...(room && { key: room }), ...(hear && { onMessage: hear }) };
  const state = useSocket(create, options);
  const { status } = useHeartbeat(state.socket);
  seen.push(state);
  return `${state.phase} ${status} ${state.latency ?? '-'}`;
}

function join(): SharedSocket {
  const socket = new SharedSocket(
    () => world.worker(),
    () => world.open(),
  );
  made.push(socket);
  return socket;
}

const tab = (props: Props = {}) => place.show(createElement(Tab, props));
const pass = (time: number) => act(() => world.advance(time));

beforeEach(() => {
  world = new TabWorld();
  place = new ReactPlace();
  made = [];
  seen = [];
});
afterEach(async () => {
  await place.end();
  world.end();
});

describe('useSocket', () => {
  it('joins the shared connection once in StrictMode, and shows it', async () => {
    await tab();
    expect(place.text).toBe('dialling idle -');
    await pass(0);
    await pass(30);
    expect(place.text).toBe('open alive 20');
    expect(made).toEqual([seen.at(-1)?.socket]);
    const other = await world.tab();
    await place.show(null);
    await pass(30);
    expect(made[0]?.readyState).toBe(3);
    expect(other.socket.readyState).toBe(1);
    expect(world.stages).toHaveLength(1);
  });

  it('closes the connection when the last tab leaves', async () => {
    await tab();
    await pass(0);
    await pass(30);
    await place.show(null);
    await pass(2_000);
    expect(world.stage.server.live).toBe(0);
    expect(world.stage.scheduler.pending).toBe(0);
  });

  it('calls the callback of the last render with each message', async () => {
    const heard: string[] = [];
    const hear = (by: string) => (event: SocketMessageEvent) => heard.push(`${by} ${event.data}`);
    await tab({ hear: hear('first') });
    await pass(0);
    await pass(30);
    world.stage.server.last.peer.send('1');
    await pass(30);
    await tab({ hear: hear('second') });
    world.stage.server.last.peer.send('2');
    await pass(30);
    expect(heard).toEqual(['first 1', 'second 2']);
    expect(made).toHaveLength(1);
  });

  it('keeps its socket while the key is the same, and replaces it with another key', async () => {
    await tab({ room: 'a' });
    await tab({ room: 'a', create: () => join() });
    expect(made).toHaveLength(1);
    await pass(0);
    await pass(30);
    seen = [];
    await tab({ room: 'b' });
    expect(made).toHaveLength(2);
    expect(seen.map(({ socket }) => socket)).not.toContain(made[0]);
    await pass(30);
    await act(async () => world.stages[0]?.scheduler.advance(2_000)); // that of the first socket
    await pass(0);
    expect(made.map(({ readyState }) => readyState)).toEqual([3, 1]);
  });

  it('has none as long as there is nothing to create it', async () => {
    await tab({ create: null });
    expect(seen.at(-1)).toMatchObject({ socket: undefined, phase: 'dialling' });
    await tab();
    expect(made).toHaveLength(1);
  });

  it.each([
    ['an option', { options: { onMesage: () => {} } }, 'onMesage'],
    ['a callback', { options: { onMessage: 'log' } }, 'onMessage'],
    ['a socket', { create: () => new EventTarget() }, 'socket'],
  ])('throws %s that is wrong to the error boundary', async (_, given, option) => {
    function Wrong(): ReactNode {
      const { create = join, options } = given as { create?: () => never; options?: object };
      useSocket(create, options);
      return 'rendered';
    }
    const caught = await ErrorBoundary.caughtFrom(place, createElement(Wrong));
    expect(caught).toMatchObject([{ code: 'ERR_INVALID_OPTION', option }]);
    expect(place.text).toBe('failed');
  });
});
