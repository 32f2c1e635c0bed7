import { VirtualScheduler } from '@wirebeat/core/testing';
import {
  Activity,
  type ActivityProps,
  act,
  createElement,
  type ReactNode,
  useLayoutEffect,
} from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lifecycle } from '../src/page/page-lifecycle.ts';
import { useWebSocket, type WebSocketHook, type WebSocketHookOptions } from '../src/react.ts';
import type { UrlSource } from '../src/reconnect/dialer.ts';
import { prepareWith } from '../src/reconnect/prepare-with.ts';
import type { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { ErrorBoundary } from './error-boundary.ts';
import { FakeServer } from './fake-server.ts';
import { ReactPlace } from './react-place.ts';

const ADDRESS = 'ws://test/path';

let scheduler: VirtualScheduler;
let server: FakeServer;
let place: ReactPlace;
/** What each render saw, committed or not. */
let seen: WebSocketHook[];

interface Props {
  readonly url?: UrlSource | null;
  readonly options?: WebSocketHookOptions;
}

function Line({ url = ADDRESS, options }: Props): ReactNode {
  const state = useWebSocket(url, { ...given(), ...options });
  seen.push(state);
  return createElement('p', null, `${state.readyState} ${state.status} ${state.latency ?? '-'}`);
}

/** What happens between the commit of a render and its effects. */
let duringCommit = (): void => {};

function Room(props: Props): ReactNode {
  useLayoutEffect(() => {
    const happen = duringCommit;
    duringCommit = () => {};
    happen();
  });
  return createElement(Line, props);
}

/** In each render anew, as an application writes it. */
function given(): WebSocketHookOptions {
  return { scheduler, WebSocket: server.WebSocket, jitter: 0, backoff: { minDelay: 100 } };
}

function line(props: Props = {}): Promise<void> {
  return place.show(createElement(Line, props));
}

function pass(time: number): Promise<void> {
  return act(async () => scheduler.advance(time));
}

function socketOf(): ReconnectingWebSocket {
  const socket = seen.at(-1)?.socket;
  if (socket === undefined) throw new Error('there is none');
  return socket;
}

beforeEach(() => {
  scheduler = new VirtualScheduler();
  server = new FakeServer(scheduler);
  place = new ReactPlace();
  seen = [];
});
afterEach(() => place.end());

describe('useWebSocket', () => {
  it('makes one connection in StrictMode, and shows it', async () => {
    await line();
    expect(server.links).toHaveLength(1);
    expect(place.text).toBe('0 idle -');
    await pass(30);
    expect(place.text).toBe('1 alive 20');
    expect(server.links).toHaveLength(1);
  });

  it('leaves none after unmounting, open or not', async () => {
    await line();
    await pass(30);
    await place.show(null);
    await pass(2_000);
    await line();
    await place.show(null); // while it connects
    await pass(2_000);
    expect(server.live).toBe(0);
    expect(server.links).toHaveLength(2);
    expect(scheduler.pending).toBe(0);
  });

  it('makes none if it is unmounted at once', async () => {
    await place.flash(createElement(Line));
    expect(server.links).toHaveLength(0);
  });

  it('keeps its connection over renders that bring other functions and equal values', async () => {
    const lifecycle = (): Lifecycle => {
      const circle = { watch: () => () => {}, self: {} };
      circle.self = circle; // React must not look into it
      return circle;
    };
    await line({
      options: { protocols: ['a'], ready: prepareWith(() => {}), lifecycle: lifecycle() },
    });
    await pass(30);
    await line({
      options: { lifecycle: lifecycle(), ready: prepareWith(() => {}), protocols: ['a'] },
    });
    await pass(30);
    expect(server.links).toHaveLength(1);
  });

  it.each<[what: string, before: Props, after: Props]>([
    ['url', {}, { url: 'ws://test/other' }],
    ['protocols', { options: { protocols: ['a'] } }, { options: { protocols: ['b'] } }],
    ['an option', {}, { options: { pingInterval: 10_000 } }],
    ['a part of one', {}, { options: { backoff: { minDelay: 200 } } }],
    ['whether a function is given', {}, { options: { ready: prepareWith(() => {}) } }],
  ])('replaces it when %s changes', async (_, before, after) => {
    await line(before);
    await pass(30);
    const old = socketOf();
    seen = [];
    await line(after);
    expect(seen.map(({ socket }) => socket)).not.toContain(old); // nobody sends to the old one
    expect(seen.at(-1)).toMatchObject({ readyState: 0, latency: undefined });
    await pass(1_100);
    expect(old.readyState).toBe(3);
    expect(server.links).toHaveLength(2);
    expect(server.live).toBe(1);
    expect(socketOf().readyState).toBe(1);
  });

  it('does not give the first connection back for the first address', async () => {
    await line();
    const first = socketOf();
    await line({ url: 'ws://test/other' });
    await line();
    await pass(1_100);
    expect(socketOf()).not.toBe(first);
    expect(socketOf().url).toBe(ADDRESS);
    expect(server.live).toBe(1);
  });

  it('closes while the component is hidden, and never gives the closed one', async () => {
    const hidden = (mode: 'hidden' | 'visible') =>
      place.show(createElement(Activity, { mode } as ActivityProps, createElement(Line)));
    await hidden('visible');
    await pass(30);
    const first = socketOf();
    await hidden('hidden');
    await pass(1_100);
    expect(server.live).toBe(0);
    seen = [];
    await hidden('visible');
    await pass(30);
    expect(seen.map(({ socket }) => socket)).not.toContain(first);
    expect(socketOf().readyState).toBe(1);
    expect(server.links).toHaveLength(2);
  });

  it('has none as long as there is no url', async () => {
    await line({ url: null });
    expect(seen.at(-1)).toMatchObject({ socket: undefined, readyState: 0 });
    expect(server.links).toHaveLength(0);
    await line();
    expect(server.links).toHaveLength(1);
    await line({ url: null });
    expect(seen.at(-1)?.socket).toBeUndefined();
    await pass(2_000);
    expect(server.live).toBe(0);
  });

  it('gives every message to the callback of the last render', async () => {
    const heard: string[] = [];
    const onMessage = (by: string) => ({
      onMessage: ({ data }: { data: unknown }) => heard.push(by + data),
    });
    await line({ options: onMessage('first ') as never });
    await pass(30);
    await act(async () => {
      server.last.peer.send('1');
      server.last.peer.send('2');
      scheduler.advance(10);
    });
    await line({ options: onMessage('second ') as never });
    server.last.peer.send('3');
    await pass(10);
    expect(heard).toEqual(['first 1', 'first 2', 'second 3']);
    expect(server.links).toHaveLength(1);
  });

  it.each<[what: string, next: Props]>([
    ['another url', { url: 'ws://test/other' }],
    ['another option', { options: { pingInterval: 10_000 } }],
    ['no url', { url: null }],
  ])('gives no message of the old connection to a render with %s', async (_, next) => {
    const heard: string[] = [];
    const room = (name: string, { url = ADDRESS, options }: Props = {}) =>
      place.show(
        createElement(Room, {
          url,
          options: { ...options, onMessage: ({ data }) => heard.push(`${name} ${data}`) },
        }),
      );
    await room('first');
    await pass(30);
    server.last.peer.send('in time');
    await pass(10);
    const [{ peer } = server.last] = server.links;
    peer.send('late');
    duringCommit = () => scheduler.advance(10); // it arrives before React runs its effects
    await room('second', next);
    peer.send('later');
    await pass(1_100);
    expect(heard).toEqual(['first in time']);
    await room('third');
    await pass(30);
    server.last.peer.send('anew');
    await pass(10);
    expect(heard).toEqual(['first in time', 'third anew']);
  });

  it('lets an old connection call no function of a render with another url', async () => {
    const asked: string[] = [];
    const room = (name: string, url: string) =>
      place.show(
        createElement(Room, { url, options: { ready: prepareWith(() => asked.push(name)) } }),
      );
    await room('first', ADDRESS);
    duringCommit = () => scheduler.advance(10); // it opens before React runs its effects
    await room('second', 'ws://test/other');
    await pass(30);
    expect(asked).toEqual(['first', 'second']);
  });

  it('asks the function of the last render for the address and all else', async () => {
    await line({
      url: () => 'ws://test/first',
      options: { shouldReconnect: () => false, protocols: () => 'first' },
    });
    await act(async () => scheduler.runDue());
    await pass(30);
    expect(socketOf().url).toBe('ws://test/first');
    await line({
      url: () => 'ws://test/second',
      options: { shouldReconnect: () => true, protocols: () => 'second' },
    });
    await act(async () => server.last.reset());
    await pass(200);
    await pass(30);
    expect(socketOf().url).toBe('ws://test/second');
    expect(server.links.map(({ protocols }) => protocols)).toEqual([['first'], ['second']]);
    expect(server.links).toHaveLength(2);
  });

  it('comes back after a loss, and shows the wait', async () => {
    await line();
    await pass(30);
    await act(async () => server.last.reset());
    expect(seen.at(-1)).toMatchObject({ readyState: 0, retry: { attempt: 1 } });
    await pass(200);
    expect(seen.at(-1)).toMatchObject({ readyState: 1, retry: undefined });
  });

  it('throws what is wrong to the error boundary', async () => {
    const wrong = createElement(Line, { options: { pingTimeout: -1 } });
    const caught = await ErrorBoundary.caughtFrom(place, wrong);
    expect(place.text).toBe('failed');
    expect(caught).toMatchObject([{ code: 'ERR_INVALID_OPTION', option: 'pingTimeout' }]);
    expect(server.links).toHaveLength(0);
  });

  it('takes over what the server rendered', async () => {
    const element = createElement(Line);
    await place.end();
    const html = renderToString(element);
    expect(server.links).toHaveLength(0);
    place = await act(async () => new ReactPlace(html, element));
    await pass(30);
    expect(place.text).toBe('1 alive 20');
    expect(place.mended).toEqual([]);
    expect(server.links).toHaveLength(1);
  });
});
