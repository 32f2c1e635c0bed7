import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { pingSilentPeer, stopPinging } from '../../src/socket/silent-peer.ts';

const MAX_SILENCE = 60_000;

/** A connection whose peer answers no pings, unless told otherwise. */
function connect({ isMuted = true, maxSilence = MAX_SILENCE, members = {} } = {}) {
  const scheduler = new VirtualScheduler(1_000_000);
  const sent: [at: number, payload: string][] = [];
  const start = scheduler.now();
  const heartbeat = { isMuted, maxSilence, lastReceived: start };
  const socket = {
    readyState: 1,
    ping: (payload: string) => void sent.push([scheduler.now() - start, payload]),
    terminate: () => {},
    ...members,
  };
  const link = { driver: { heartbeat } } as never;
  const open = () => pingSilentPeer(link, () => ({ socket: socket as never, scheduler }));
  open();
  return { scheduler, heartbeat, socket, link, sent, open };
}

describe('pingSilentPeer', () => {
  it('sends a protocol Ping after half of maxSilence, and again while nothing arrives', () => {
    const { scheduler, sent } = connect();
    scheduler.advance(MAX_SILENCE);
    expect(sent).toEqual([
      [30_000, 'wb'],
      [60_000, 'wb'],
    ]);
  });

  it('counts from the last thing that arrived', () => {
    const { scheduler, heartbeat, sent } = connect();
    scheduler.advance(20_000);
    heartbeat.lastReceived = scheduler.now();
    scheduler.advance(29_999);
    expect(sent).toEqual([]);
    scheduler.advance(1);
    expect(sent).toEqual([[50_000, 'wb']]);
  });

  it('leaves a peer that answers our pings to them', () => {
    const { scheduler, heartbeat, sent } = connect({ isMuted: false });
    scheduler.advance(10 * MAX_SILENCE);
    expect(sent).toEqual([]);
    heartbeat.isMuted = true;
    scheduler.advance(30_000);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['maxSilence is off', { maxSilence: Number.POSITIVE_INFINITY }],
    ['the socket cannot ping', { members: { ping: undefined } }],
    [
      'ping means something else, as in a class without terminate',
      { members: { terminate: undefined } },
    ],
    ['the socket is closing', { members: { readyState: 2 } }],
  ])('sends none if %s', (_, options) => {
    const { scheduler, sent } = connect(options);
    scheduler.advance(10 * MAX_SILENCE);
    expect(sent).toEqual([]);
  });

  it('leaves no timer after the end, and one after a second opening', () => {
    const { scheduler, link, sent, open } = connect();
    open();
    scheduler.advance(30_000);
    expect(sent).toHaveLength(1);
    stopPinging(link);
    stopPinging(link);
    scheduler.advance(10 * MAX_SILENCE);
    expect(sent).toHaveLength(1);
  });
});
