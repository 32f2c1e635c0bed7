import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachHeartbeat, type SocketHeartbeat } from '../src/attach.ts';
import { FakeServer, type Link } from './fake-server.ts';
import { show } from './page.ts';
import { eventOf, Log, listen, type TestServer } from './sockets.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';

describe('attachHeartbeat in a page', () => {
  let scheduler: VirtualScheduler;
  let link: Link;
  let heartbeat: SocketHeartbeat;
  let told: string[];

  /** Attaches on an open connection whose first ping is answered. */
  const attach = () => {
    scheduler = new VirtualScheduler();
    link = new FakeServer(scheduler).connect();
    heartbeat = attachHeartbeat(link.client, { scheduler, jitter: 0, pingTimeout: 10_000 });
    told = [];
    for (const name of ['suspect', 'dead', 'stall'] as const) {
      heartbeat.on(name, () => told.push(name));
    }
    scheduler.advance(30);
  };

  beforeEach(() => {
    show(true);
    attach();
  });
  afterEach(() => {
    heartbeat.detach();
    show(true);
  });

  const HINTS: [string, () => void][] = [
    ['visible again', () => show(true)],
    ['online', () => window.dispatchEvent(new Event('online'))],
    ['offline', () => window.dispatchEvent(new Event('offline'))],
    ['pageshow', () => window.dispatchEvent(new Event('pageshow'))],
    ['focus', () => window.dispatchEvent(new Event('focus'))],
    ['resume', () => document.dispatchEvent(new Event('resume'))],
  ];

  describe('that is hidden', () => {
    it('has a longer detectionBound, for timers run late there', () => {
      expect(heartbeat.detectionBound).toBe(25_000 + 10_000 + 250 + 3 * 250);
      show(false);
      expect(heartbeat.detectionBound).toBe(25_000 + 10_000 + 250 + 3 * 2_250);
      show(true);
      expect(heartbeat.detectionBound).toBe(25_000 + 10_000 + 250 + 3 * 250);
    });

    it('has it also if the page was hidden before', () => {
      show(false);
      attach();
      expect(heartbeat.detectionBound).toBe(25_000 + 10_000 + 250 + 3 * 2_250);
    });

    it('takes a timer that is late by two seconds for punctual', () => {
      const late = () => {
        scheduler.advance(24_900);
        scheduler.stall(2_000);
        scheduler.advance(0);
      };
      late();
      expect(told).toEqual(['stall']);
      attach();
      show(false);
      late();
      expect(told).toEqual([]);
      scheduler.advance(24_000);
      scheduler.stall(4_000); // the next timer is late by three
      scheduler.advance(0);
      expect(told).toEqual(['stall']);
    });

    it('tells the server', () => {
      show(false);
      expect(link.beats).toEqual([`${PING}.1;v=1`, `${PING};state=hidden`]);
    });

    it('does nothing of this with lifecycle: false', () => {
      heartbeat.detach();
      link = new FakeServer(scheduler).connect();
      heartbeat = attachHeartbeat(link.client, {
        scheduler,
        jitter: 0,
        pingTimeout: 10_000,
        lifecycle: false,
      });
      scheduler.advance(30);
      const { detectionBound } = heartbeat;
      show(false);
      expect(heartbeat.detectionBound).toBe(detectionBound);
      for (const [, happen] of HINTS) happen();
      expect(link.beats).toEqual([`${PING}.1;v=1`]);
    });
  });

  it.each(HINTS)('probes when it is %s', (_, happen) => {
    scheduler.advance(5_000);
    happen();
    expect(link.beats).toEqual([`${PING}.1;v=1`, PING]);
    scheduler.advance(20_000);
    expect(told).toEqual([]);
  });

  it.each(HINTS)('judges nothing by that it is %s: dead comes at pingTimeout', (_, happen) => {
    link.cut();
    happen();
    expect(told).toEqual([]);
    scheduler.advance(399);
    expect(told).toEqual([]);
    scheduler.advance(4_601); // a hint's answer is overdue after 5 s at the latest
    expect(told).toEqual(['suspect']);
    for (let times = 0; times < 3; times += 1) happen(); // does neither hasten nor delay it
    scheduler.advance(5_249);
    expect(told).toEqual(['suspect']);
    scheduler.advance(1);
    expect(told).toEqual(['suspect', 'dead']);
  });

  it('does not pile pings up when hints come in crowds', () => {
    for (const [, happen] of HINTS) happen();
    expect(link.beats).toHaveLength(2);
  });

  it.each([
    ['detach()', () => heartbeat.detach()],
    ['the close of the socket', () => link.reset()],
    [
      'dead',
      () => {
        link.cut();
        scheduler.advance(60_000);
      },
    ],
  ])('leaves no listener on it after %s', (_, end) => {
    const before = link.beats.length;
    end();
    const after = link.beats.length;
    const { detectionBound } = heartbeat;
    for (const [, happen] of HINTS) happen();
    show(false);
    expect(heartbeat.detectionBound).toBe(detectionBound);
    expect(link.beats).toHaveLength(after);
    expect(after).toBeLessThanOrEqual(before + 1);
    expect(scheduler.pending).toBe(0);
  });
});

describe('attachHeartbeat on the WebSocket of a page', () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await listen();
  });
  afterEach(() => server.close());

  it('hides the beats from onmessage set before and after, and from listeners added after', async () => {
    const early: unknown[] = [];
    const late: Log<unknown> = new Log();
    const socket = new WebSocket(server.url);
    socket.onmessage = ({ data }) => early.push(data);
    const heartbeat = attachHeartbeat(socket);
    socket.addEventListener('message', ({ data }) => late.push(data));
    await eventOf(socket, 'open');
    expect(await heartbeat.ping()).toBeGreaterThanOrEqual(0);
    const accepted = await server.connection();
    for (const message of [PING, 'one', `${PONG}.x`, '\u0005wbx', 'last']) accepted.send(message);
    await late.find((data) => data === 'last');
    expect(early).toEqual(['one', '\u0005wbx', 'last']);
    expect(late.entries).toEqual(['one', '\u0005wbx', 'last']);
    socket.onmessage = ({ data }) => early.push(`replaced ${data}`);
    accepted.send(PING);
    accepted.send('more');
    await late.find((data) => data === 'more');
    expect(early.slice(3)).toEqual(['replaced more']);
    socket.close();
    await eventOf(socket, 'close');
    expect(heartbeat.status).toBe('idle');
  });

  it('leaves no trace when it is detached', async () => {
    const socket = new WebSocket(server.url);
    const before = Object.getOwnPropertyNames(socket);
    const heartbeat = attachHeartbeat(socket);
    await eventOf(socket, 'open');
    await heartbeat.ping();
    heartbeat.detach();
    expect(Object.getOwnPropertyNames(socket)).toEqual(before);
    socket.close();
    await eventOf(socket, 'close');
  });
});
