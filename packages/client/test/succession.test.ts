import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import type { ReconnectOptions } from '../src/reconnect-options.ts';
import { ReconnectingWebSocket } from '../src/reconnecting-websocket.ts';
import { FakeServer, KINDS, type Kind, minimalPeer, sessionServer } from './fake-server.ts';
import { dialOpen, eventsOf, expectEnded, namesOf, type Stage } from './stage.ts';

/** Open and answered by a server that knows sessions. `random` is 0.5: 250 ms until the second dial. */
function set(kind: Kind, options: ReconnectOptions = {}, answer = sessionServer()): Stage {
  const stage = dialOpen(kind, { ...options });
  stage.server.answer = answer;
  stage.socket.reconnect(); // so that its session is known
  stage.scheduler.advance(40);
  stage.log.length = 0;
  return stage;
}

/** Cuts the connection in use, silently, and sends into it: 1 000 ms later it is suspect. */
function act({ server, socket, scheduler }: Stage): void {
  scheduler.advance(5_000);
  server.last.cut();
  socket.send('acted');
}

describe.each(KINDS)('make-before-break, over a class like that of %s', (kind) => {
  it('replaces a suspect connection as soon as another is answered', () => {
    const stage = set(kind);
    const { scheduler, server, log, socket } = stage;
    act(stage);
    scheduler.advance(1_000);
    expect(namesOf(log)).toEqual(['suspect']);
    expect(server.links).toHaveLength(2);
    scheduler.advance(249);
    expect(server.links).toHaveLength(2);
    scheduler.advance(1 + 10 + 20); // the wait, the opening, the ping and its pong
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
    expect(eventsOf(log, 'close')[0]).toMatchObject({ code: 3008 });
    expect(socket.readyState).toBe(1);
    socket.send('on the new one');
    scheduler.advance(10);
    expect(server.last.received).toEqual(['on the new one']);
    expect(server.mostLive).toBe(2);
    expect(server.live).toBe(1);
  });

  it('tells its session in the first ping, and never again', () => {
    const { server, socket, scheduler } = set(kind);
    const [first] = server.last.beats;
    expect(first?.slice(1)).toMatch(/^wb\.1;v=1;session=[\w-]{22}$/);
    void socket.ping({ id: 'again' });
    scheduler.advance(20);
    expect(server.last.beats.at(-1)).toBe('\u0005wb.again');
  });

  it('keeps the connection that speaks again before the other is open, and closes the other', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    const [old] = server.links.slice(-1);
    scheduler.advance(1_245); // this takes 10 ms, and the second is dialled at 1 250
    old?.mend();
    old?.peer.send('still here');
    scheduler.advance(10_000);
    expect(server.links).toHaveLength(3);
    expect(namesOf(log)).toEqual(['suspect', 'message']);
    expect(server.live).toBe(1);
    expect(old?.client.readyState).toBe(1);
  });

  it('after such a false alarm lets that connection die by itself', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    const [old] = server.links.slice(-1);
    scheduler.advance(1_245);
    old?.mend();
    old?.peer.send('still here');
    scheduler.advance(100_000); // also the pause between two successors is over
    stage.log.length = 0;
    old?.cut();
    scheduler.advance(36_000);
    expect(namesOf(log).slice(0, 4)).toEqual(['suspect', 'dead', 'close', 'retry']);
  });

  it('lets late bytes of the old connection through until the new one is answered, then drops them', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    const [old] = server.links.slice(-1);
    scheduler.advance(1_261); // the second is open: its first ping, with the session, is on its way
    old?.mend();
    old?.peer.send('late, yet in time');
    scheduler.advance(11);
    old?.peer.send('too late');
    scheduler.advance(100);
    expect(namesOf(log)).toEqual(['suspect', 'message', 'close', 'open']);
    expect(eventsOf(log, 'message')[0]?.data).toBe('late, yet in time');
  });

  it('holds what the new connection receives until it is open to the application', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    scheduler.advance(1_260);
    server.last.peer.send('a greeting'); // before the pong
    scheduler.advance(100);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open', 'message']);
    expect(eventsOf(log, 'message')[0]?.data).toBe('a greeting');
  });

  it('gives the new connection up if it would have to hold more than the queue may', () => {
    const stage = set(kind, { maxQueuedBytes: 10 });
    const { scheduler, server, log } = stage;
    act(stage);
    scheduler.advance(1_260);
    server.last.peer.send('more than ten bytes');
    scheduler.advance(5_000);
    expect(namesOf(log)).toEqual(['suspect']);
  });

  it('takes over a connection that is being dialled when the old one ends', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    const [old] = server.links.slice(-1);
    scheduler.advance(1_255);
    old?.reset();
    expect(namesOf(log)).toEqual(['suspect', 'close']);
    scheduler.advance(5);
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
    expect(server.links).toHaveLength(3);
  });

  it('takes over one that is open when the old one ends, as a server ends it that knows the session', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    const [old] = server.links.slice(-1);
    scheduler.advance(1_270);
    old?.dispatch({ type: 'close', code: 4400, reason: '', wasClean: true }); // fatal, were it alone
    expect(namesOf(log)).toEqual(['suspect', 'close', 'open']);
  });

  it('goes on as ever if the new connection is refused', () => {
    const stage = set(kind);
    const { scheduler, server, log } = stage;
    act(stage);
    server.greeting = 'refuse';
    scheduler.advance(2_000);
    expect(namesOf(log)).toEqual(['suspect']);
    server.greeting = 'accept';
    scheduler.advance(20_000);
    expect(namesOf(log)).toEqual(['suspect', 'dead', 'close', 'retry', 'open']);
  });

  it('makes at most one such connection a minute', () => {
    const stage = set(kind);
    const { scheduler, server, socket } = stage;
    act(stage);
    scheduler.advance(1_300);
    const dialled = server.links.length;
    act(stage);
    scheduler.advance(2_000);
    expect(server.links).toHaveLength(dialled);
    expect(socket.status).toBe('suspect');
  });

  it('makes none to a server that knows no session, unless it is told to', () => {
    for (const [makeBeforeBreak, dialled] of [
      [undefined, 2],
      [true, 3],
    ] as const) {
      const stage = set(kind, makeBeforeBreak && { makeBeforeBreak }, minimalPeer);
      act(stage);
      stage.scheduler.advance(1_500);
      expect(stage.server.links).toHaveLength(dialled);
    }
  });

  it('makes none, and tells no session, where that is off', () => {
    const stage = set(kind, { makeBeforeBreak: false });
    act(stage);
    stage.scheduler.advance(2_000);
    expect(stage.server.links).toHaveLength(2);
    expect(stage.server.last.beats[0]).toBe('\u0005wb.1;v=1');
  });

  it('leaves nothing behind if it is closed meanwhile, wherever it stands', () => {
    for (const wait of [1_100, 1_255, 1_261, 1_285]) {
      const stage = set(kind);
      act(stage);
      stage.scheduler.advance(wait);
      stage.socket.close();
      stage.server.mostLive = 1; // two for a while, and that is right
      const closes = eventsOf(stage.log, 'close').length;
      expectEnded(stage, closes + 1);
    }
  });

  it('dials anew, and no more than that, if it is told to reconnect meanwhile', () => {
    const stage = set(kind);
    act(stage);
    stage.scheduler.advance(1_261);
    stage.socket.reconnect();
    stage.scheduler.advance(1_000);
    expect(stage.server.live).toBe(1);
    expect(stage.socket.readyState).toBe(1);
    expect(namesOf(stage.log)).toEqual(['suspect', 'close', 'retry', 'open']);
  });
});

it('does not storm a server that stalls under 1 000 clients: one dial each, spread, and none soon after', () => {
  const CLIENTS = 1_000;
  const scheduler = new VirtualScheduler();
  const server = new FakeServer(scheduler);
  server.answer = sessionServer();
  const random = seededRandom(7);
  const sockets = Array.from({ length: CLIENTS }, () => {
    const options = { scheduler, random, WebSocket: server.WebSocket };
    const socket = new ReconnectingWebSocket('ws://test/', undefined, options);
    const act = () => {
      socket.send('a message a second');
      scheduler.at(scheduler.now() + 1_000, act);
    };
    scheduler.at(scheduler.now() + 1_000 * random(), act);
    return socket;
  });
  scheduler.advance(10_000);
  const stall = (loss: number) => {
    server.greeting = loss === 1 ? 'ignore' : 'accept';
    for (const { wire, peer } of server.links) wire.path.loss = peer.path.loss = loss;
  };
  const dialsIn = (milliseconds: number) => {
    const before = server.links.length;
    scheduler.advance(milliseconds);
    return server.links.length - before;
  };
  stall(1);
  const buckets = Array.from({ length: 50 }, () => dialsIn(100));
  const dials = buckets.reduce((sum, each) => sum + each, 0);
  expect(dials).toBeLessThanOrEqual(CLIENTS);
  expect(dials).toBeGreaterThan(CLIENTS / 2); // they did try
  expect(Math.max(...buckets)).toBeLessThan(CLIENTS / 8);
  stall(0);
  expect(dialsIn(10_000)).toBe(0);
  expect(server.live).toBe(CLIENTS);
  stall(1);
  expect(dialsIn(5_000)).toBe(0); // the pause of a minute
  expect(sockets.every((socket) => socket.readyState === 1)).toBe(true);
});
