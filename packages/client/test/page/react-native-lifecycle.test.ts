// The fakes behave as AppState of react-native 0.8x and NetInfo 11 do.

import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import {
  type AppStateLike,
  type NetInfoLike,
  type NetInfoStateLike,
  reactNativeLifecycle,
} from '../../src/page/react-native-lifecycle.ts';
import { FakeServer } from '../fake-server.ts';

class FakeAppState implements AppStateLike {
  currentState: string | null = 'active';
  readonly #listeners: Set<(state: string) => void> = new Set();

  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void } {
    expect(type).toBe('change');
    this.#listeners.add(listener);
    return { remove: () => this.#listeners.delete(listener) };
  }

  become(...states: string[]): void {
    for (const state of states) {
      this.currentState = state;
      for (const listener of this.#listeners) listener(state);
    }
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }
}

const WIFI = { type: 'wifi', isConnected: true, details: { strength: 80, ipAddress: '10.0.0.7' } };
const CELLULAR = { type: 'cellular', isConnected: true, details: { carrier: 'x' } };
const NONE = { type: 'none', isConnected: false, details: null };

/** Tells its latest state to each new listener: at once if it knows it, else when it does. */
class FakeNetInfo implements NetInfoLike {
  #latest: NetInfoStateLike | undefined;
  #handlers: Set<(state: NetInfoStateLike) => void> = new Set();
  readonly #asked: ((state: NetInfoStateLike) => void)[] = [];

  constructor(latest?: NetInfoStateLike) {
    this.#latest = latest;
  }

  addEventListener(handler: (state: NetInfoStateLike) => void): () => void {
    this.#handlers.add(handler);
    if (this.#latest) handler(this.#latest);
    else this.#asked.push(handler);
    return () => this.#handlers.delete(handler);
  }

  become(state: NetInfoStateLike): void {
    this.#latest = state;
    for (const handler of this.#handlers) handler(state);
    // `latest().then(handler)`: also to one that has left.
    for (const handler of this.#asked.splice(0)) handler(state);
  }

  get listenerCount(): number {
    return this.#handlers.size;
  }
}

function watch(NetInfo?: FakeNetInfo, AppState = new FakeAppState()) {
  const told: string[] = [];
  const end = reactNativeLifecycle({ AppState, ...(NetInfo && { NetInfo }) }).watch({
    state: (state) => told.push(state),
    hint: () => told.push('hint'),
  });
  return { AppState, told, end };
}

describe('reactNativeLifecycle', () => {
  it('tells nothing at the start of an app in the foreground', () => {
    expect(watch().told).toEqual([]);
  });

  it.each(['unknown', null, 'inactive'])('nor of one whose state is %s', (state) => {
    const app = new FakeAppState();
    app.currentState = state;
    expect(watch(undefined, app).told).toEqual([]);
  });

  it('tells at the start that the app is in the background', () => {
    const app = new FakeAppState();
    app.currentState = 'background';
    expect(watch(undefined, app).told).toEqual(['hidden']);
  });

  it('tells that the app goes to the background, and hints when it is back, as on Android', () => {
    const { AppState, told } = watch();
    AppState.become('background');
    expect(told).toEqual(['hidden']);
    AppState.become('active');
    expect(told).toEqual(['hidden', 'visible', 'hint']);
  });

  it('passes inactive over, as on iOS', () => {
    const { AppState, told } = watch();
    AppState.become('inactive', 'active', 'inactive');
    expect(told).toEqual([]);
    AppState.become('background', 'inactive');
    expect(told).toEqual(['hidden']);
    AppState.become('active');
    expect(told).toEqual(['hidden', 'visible', 'hint']);
  });

  it('takes another network for a hint, but not the first that it is told of', () => {
    for (const known of [true, false]) {
      const net = new FakeNetInfo(known ? WIFI : undefined);
      const { told } = watch(net);
      net.become(WIFI);
      expect(told).toEqual([]);
      net.become(CELLULAR);
      net.become(NONE);
      net.become(WIFI);
      expect(told).toEqual(['hint', 'hint', 'hint']);
    }
  });

  it('takes another address in the same kind of network for a hint, but no change of its signal', () => {
    const net = new FakeNetInfo(WIFI);
    const { told } = watch(net);
    net.become({ ...WIFI, details: { ...WIFI.details, strength: 20 } });
    expect(told).toEqual([]);
    net.become({ ...WIFI, details: { ...WIFI.details, ipAddress: '10.0.0.8' } });
    expect(told).toEqual(['hint']);
  });

  it('leaves no listener, and tells nothing after its end', () => {
    const net = new FakeNetInfo();
    const { AppState, told, end } = watch(net);
    end();
    expect([AppState.listenerCount, net.listenerCount]).toEqual([0, 0]);
    AppState.become('background', 'active');
    net.become(WIFI);
    net.become(NONE);
    expect(told).toEqual([]);
  });

  it('tells nothing of a network that it hears of too late', () => {
    const net = new FakeNetInfo(WIFI);
    const late = vi.spyOn(net, 'addEventListener');
    const { told, end } = watch(net);
    end();
    late.mock.calls[0]?.[0](NONE);
    expect(told).toEqual([]);
  });

  it('serves a heartbeat as its lifecycle', () => {
    const scheduler = new VirtualScheduler();
    const link = new FakeServer(scheduler, 'browser').connect();
    const app = new FakeAppState();
    const net = new FakeNetInfo(WIFI);
    const lifecycle = reactNativeLifecycle({ AppState: app, NetInfo: net });
    const heartbeat = attachHeartbeat(link.client, {
      scheduler,
      jitter: 0,
      pingTimeout: 10_000,
      lifecycle,
    });
    scheduler.advance(1_000);
    app.become('inactive', 'background');
    scheduler.advance(1_000);
    app.become('active');
    scheduler.advance(1_000);
    net.become(CELLULAR);
    expect(link.beats).toEqual([
      '\u0005wb.1;v=1',
      '\u0005wb;state=hidden',
      '\u0005wb;state=visible',
      '\u0005wb',
    ]);
    heartbeat.detach();
    expect([app.listenerCount, net.listenerCount]).toEqual([0, 0]);
  });
});
