import { VirtualScheduler } from '@wirebeat/core/testing';
import { act, createElement, type ReactNode, useEffect } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useHeartbeat } from '../src/react.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import type { Snapshot } from '../src/snapshot-store.ts';
import { FakeServer, type Link } from './fake-server.ts';
import { ReactPlace } from './react-place.ts';

let scheduler: VirtualScheduler;
let server: FakeServer;
let place: ReactPlace;
let snapshots: Snapshot[];
let renders: number;

interface WatchProps {
  readonly socket: Link['client'] | ReconnectingWebSocket | null;
  readonly pingInterval?: number;
}

function Watch({ socket, pingInterval = 20_000 }: WatchProps): ReactNode {
  const snapshot = useHeartbeat(socket, { scheduler, jitter: 0, pingInterval });
  renders += 1;
  useEffect(() => {
    snapshots.push(snapshot);
  }, [snapshot]);
  return snapshot.status;
}

function watch(props: WatchProps): Promise<void> {
  return place.show(createElement(Watch, props));
}

function pass(time: number): Promise<void> {
  return act(async () => scheduler.advance(time));
}

beforeEach(() => {
  scheduler = new VirtualScheduler();
  server = new FakeServer(scheduler);
  place = new ReactPlace();
  snapshots = [];
  renders = 0;
});
afterEach(() => place.end());

describe('useHeartbeat', () => {
  it('attaches one heartbeat to a socket, and leaves no trace', async () => {
    const { client, beats } = server.connect();
    const before = client.listenerCount;
    await watch({ socket: client });
    await pass(30);
    expect(snapshots.at(-1)).toMatchObject({ readyState: 1, status: 'alive', latency: 20 });
    expect(server.last.beats).toHaveLength(beats.length + 1);
    await watch({ socket: client, pingInterval: 30_000 }); // counts for the next socket
    await pass(20_000);
    expect(server.last.beats).toHaveLength(2);
    await place.show(null);
    expect(client.listenerCount).toBe(before);
    expect(client.readyState).toBe(1); // it is not ours
    expect(scheduler.pending).toBe(0);
  });

  it('goes to the next socket, and to none', async () => {
    const { client } = server.connect();
    const before = client.listenerCount;
    await watch({ socket: client });
    await pass(30);
    const next = server.connect();
    await watch({ socket: next.client });
    expect(client.listenerCount).toBe(before);
    expect(snapshots.at(-1)).toMatchObject({ readyState: 0, latency: undefined });
    await pass(30);
    expect(snapshots.at(-1)).toMatchObject({ readyState: 1, latency: 20 });
    await watch({ socket: null });
    expect(snapshots.at(-1)).toMatchObject({ readyState: 0, status: 'idle' });
    expect(next.client.listenerCount).toBe(before);
  });

  it('attaches nothing to a ReconnectingWebSocket, which has its own', async () => {
    const socket = new ReconnectingWebSocket('ws://test/', [], {
      scheduler,
      WebSocket: server.WebSocket,
    });
    await watch({ socket });
    await pass(30);
    expect(snapshots.at(-1)).toMatchObject({ readyState: 1, status: 'alive', latency: 20 });
    expect(server.last.beats).toHaveLength(1);
    await place.show(null);
    await pass(30);
    expect(socket.readyState).toBe(1); // it is not ours
    socket.close();
    await pass(2_000);
  });

  it('renders once for a pong as quick as the last, for `lastReceived` is another', async () => {
    const { client } = server.connect();
    await watch({ socket: client });
    await pass(30);
    const before = renders;
    await pass(20_100);
    const pongs = server.last.beats.length - 1;
    expect(pongs).toBeGreaterThan(0);
    expect(renders).toBeLessThanOrEqual(before + 2 * pongs); // twice each, in StrictMode
  });
});
