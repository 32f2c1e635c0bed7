// A ReconnectingWebSocket before a server, in virtual time, and what it dispatched.
import { VirtualScheduler } from '@wirebeat/core/testing';
import { expect } from 'vitest';
import type { ProtocolsSource, UrlSource } from '../src/reconnect/dialer.ts';
import type { ReconnectOptions } from '../src/reconnect/options.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import type { ReconnectingWebSocketEventMap } from '../src/websocket-api/event-target.ts';
import { FakeServer, type Kind } from './fake-server.ts';

export type Name = keyof ReconnectingWebSocketEventMap;

export const NAMES: readonly Exclude<Name, 'dial'>[] = [
  'open',
  'message',
  'error',
  'close',
  'retry',
  'drop',
  'giveup',
  'ping',
  'pong',
  'alive',
  'suspect',
  'dead',
  'stall',
];
export const BEATS: readonly string[] = ['ping', 'pong', 'alive'];

export interface Entry {
  readonly at: number;
  readonly name: Name;
  readonly event: Event;
  readonly readyState: number;
}

export interface Stage {
  readonly scheduler: VirtualScheduler;
  readonly server: FakeServer;
  readonly socket: ReconnectingWebSocket;
  readonly log: Entry[];
}

/** Dials. The connection opens after 10 ms; the waits between attempts are 250, 500, 1 000 … ms. */
export function dial(
  kind: Kind = 'ws',
  options: ReconnectOptions = {},
  greeting: FakeServer['greeting'] = 'accept',
  url: UrlSource = 'ws://test/path',
  protocols?: ProtocolsSource,
): Stage {
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler, kind);
  server.greeting = greeting;
  const socket = new ReconnectingWebSocket(url, protocols, {
    scheduler,
    ...(options.WebSocket === undefined && { WebSocket: server.WebSocket }),
    jitter: 0,
    pingTimeout: 10_000,
    random: () => 0.5,
    ...options,
  });
  const log: Entry[] = [];
  for (const name of NAMES) {
    socket.addEventListener(name, (event) => {
      log.push({ at: scheduler.now(), name, event, readyState: socket.readyState });
    });
  }
  return { scheduler, server, socket, log };
}

/** The same, open for 20 ms and with its first pong received. */
export function dialOpen(kind?: Kind, options?: ReconnectOptions): Stage {
  const stage = dial(kind, options);
  stage.scheduler.advance(30);
  return stage;
}

/** The names of the events but for the routine of the heartbeat. */
export function namesOf(log: readonly Entry[]): string[] {
  return log.map(({ name }) => name).filter((name) => !BEATS.includes(name));
}

export function eventsOf<N extends Name>(
  log: readonly Entry[],
  name: N,
): ReconnectingWebSocketEventMap[N][] {
  const entries = log.filter((entry) => entry.name === name);
  return entries.map(({ event }) => event as ReconnectingWebSocketEventMap[N]);
}

/** Expects it to have ended for good, with `closes` close events and nothing left behind. */
export function expectEnded({ scheduler, server, socket, log }: Stage, closes: number): void {
  const dialled = server.links.length;
  scheduler.advance(2_000);
  expect(socket.readyState).toBe(3);
  expect(eventsOf(log, 'close')).toHaveLength(closes);
  expect(server.live).toBe(0);
  expect(scheduler.pending).toBe(0);
  expect(server.links).toHaveLength(dialled);
  expect(server.mostLive).toBe(1);
  for (const { client } of server.links) expect(Reflect.ownKeys(client)).not.toContain('send');
}

/** Lets promises settle: time stands still meanwhile. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
