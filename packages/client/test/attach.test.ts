import { getEventListeners } from 'node:events';
import {
  ConnectionClosedError,
  gateListeners,
  type HeartbeatEvents,
  InvalidOptionError,
  PeerMemory,
  PingTimeoutError,
} from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat, type SocketHeartbeat } from '../src/attach.ts';
import type { AttachOptions } from '../src/options.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import {
  autoResponder,
  FakeServer,
  KINDS,
  type Kind,
  type Link,
  minimalPeer,
  silentPeer,
} from './fake-server.ts';
import { reportedErrors } from './reported-errors.ts';

const EVENTS = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'unanswered'] as const;
const PING = '\u0005wb';
const PONG = '\u0006wb';
/** What begins as a beat does and is none. */
const MALFORMED = [
  '\u0005',
  '\u0006',
  '\u0005w',
  '\u0005wbx',
  '\u0005wb.',
  '\u0005wb.a b',
  '\u0005wb;a',
  '\u0005wb;a=1;a=2',
  '\u0006wb.12345678901234567',
  '\u0006wb ',
  ` ${PING}`,
  `${PING};${'a'.repeat(16)}=${'b'.repeat(24)}`.repeat(4),
];

interface Stage {
  readonly scheduler: VirtualScheduler;
  readonly server: FakeServer;
  readonly link: Link;
  readonly heartbeat: SocketHeartbeat;
  /** Every event with the time it came. */
  readonly log: [at: number, name: string, event: unknown][];
}

/** Dials and attaches, 10 ms before the connection opens. */
function attach(kind: Kind = 'ws', options: AttachOptions = {}, protocols?: string[]): Stage {
  const scheduler = new VirtualScheduler(1_000_000);
  const server = new FakeServer(scheduler, kind);
  const link = server.connect(protocols);
  const heartbeat = attachHeartbeat(link.client, {
    scheduler,
    jitter: 0,
    pingTimeout: 10_000,
    ...options,
  });
  const log: Stage['log'] = [];
  const start = scheduler.now() + 10;
  for (const name of EVENTS) {
    heartbeat.on(name, (event) => log.push([scheduler.now() - start, name, event]));
  }
  return { scheduler, server, link, heartbeat, log };
}

/** The same, already open and with its first pong received: 20 ms after the opening. */
function attachOpen(kind?: Kind, options?: AttachOptions): Stage {
  const stage = attach(kind, options);
  stage.scheduler.advance(30);
  return stage;
}

function namesOf(log: Stage['log']): string[] {
  return log.map(([, name]) => name);
}

/** The time of the first event of that name. */
function timeOf(log: Stage['log'], name: keyof HeartbeatEvents): number | undefined {
  return log.find((entry) => entry[1] === name)?.[0];
}

describe.each(KINDS)('attachHeartbeat on a socket like that of %s', (kind) => {
  describe('pings', () => {
    it('pings at once on open, with an id and the version', () => {
      const { scheduler, link } = attach(kind);
      scheduler.advance(9);
      expect(link.wire.sentMessages).toEqual([]);
      scheduler.advance(1);
      expect(link.wire.sentMessages).toEqual([`${PING}.1;v=1`]);
    });

    it('sends a bare ping whenever pingInterval has passed in silence', () => {
      const { scheduler, link, log } = attach(kind, { pingInterval: 25_000 });
      scheduler.advance(80_000);
      expect(link.wire.sentMessages).toEqual([`${PING}.1;v=1`, PING, PING, PING]);
      const times = log.filter(([, name]) => name === 'ping').map(([at]) => at);
      expect(times).toEqual([0, 25_000, 50_000, 75_000]);
    });

    it('takes up to a tenth from the interval by default', () => {
      const scheduler = new VirtualScheduler();
      const { client, wire } = new FakeServer(scheduler, kind).connect();
      attachHeartbeat(client, { scheduler, random: () => 0.999_999 });
      scheduler.advanceTo(10 + 22_500);
      expect(wire.sentMessages).toHaveLength(1);
      scheduler.advance(1);
      expect(wire.sentMessages).toHaveLength(2);
    });

    it('lets a message into a second of silence bring a ping, ahead of it', () => {
      const { scheduler, link } = attachOpen(kind);
      scheduler.advance(999);
      link.client.send('a');
      scheduler.advance(1);
      link.client.send('b');
      link.client.send('c');
      expect(link.wire.sentMessages.slice(1)).toEqual(['a', PING, 'b', 'c']);
    });

    it('lets messages bring no pings where that, or pings at all, are off', () => {
      for (const off of [{ probeAfter: false }, { pingInterval: false }] as const) {
        const { scheduler, link } = attachOpen(kind, off);
        const { length } = link.wire.sentMessages;
        scheduler.advance(20_000);
        link.client.send('a');
        expect(link.wire.sentMessages.slice(length)).toEqual(['a']);
      }
    });

    it('suspects a dead link 400 ms after a message that was sent into silence', () => {
      const { scheduler, link, log } = attachOpen(kind);
      scheduler.advance(5_000);
      link.cut();
      link.client.send('a');
      scheduler.advance(399);
      expect(timeOf(log, 'suspect')).toBeUndefined();
      scheduler.advance(1);
      expect(timeOf(log, 'suspect')).toBe(scheduler.now() - 1_000_010);
    });

    it('takes no heed of a bufferedAmount that stays when all has been answered, as in Firefox', () => {
      const { scheduler, link, log, heartbeat } = attach(kind);
      link.client.bufferedAmount = 29;
      scheduler.advance(30);
      link.cut();
      scheduler.advance(35_300);
      expect(heartbeat.status).toBe('dead');
      expect(timeOf(log, 'dead')).toBe(25_000 + 10_000 + 250);
    });

    it('gives a ping behind many bytes its time, also once an earlier ping was answered', () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      void heartbeat.ping({ id: 'before' });
      scheduler.advance(15); // it has been answered, and the answer is on its way
      link.client.bufferedAmount = 100_000;
      link.client.send('a long one');
      heartbeat.ping({ id: 'behind', timeout: false }).catch(() => {});
      link.wire.path.cut = true;
      scheduler.advance(40_000);
      expect(heartbeat.status).not.toBe('dead');
    });

    it('counts what the application sends: traffic both ways puts pings off', () => {
      const { scheduler, link } = attachOpen(kind, { probeAfter: false });
      link.peer.send(PING); // a peer that pings knows what a skipped ping is
      for (let second = 0; second < 120; second += 10) {
        link.client.send(`at ${second}`);
        link.peer.send(`at ${second}`);
        scheduler.advance(10_000);
      }
      expect(link.beats).toEqual([`${PING}.1;v=1`, PONG]);
    });

    it('keeps pinging while traffic goes one way only', () => {
      const { scheduler, link } = attachOpen(kind, { probeAfter: false });
      link.peer.send(PING);
      for (let second = 0; second < 120; second += 10) {
        link.client.send(`at ${second}`);
        scheduler.advance(10_000);
      }
      expect(link.beats.filter((beat) => beat === PING)).toHaveLength(4);
    });

    it('sends nothing unasked with pingInterval: false', () => {
      const { scheduler, link, heartbeat } = attach(kind, { pingInterval: false });
      scheduler.advance(1_000_000);
      expect(link.beats).toEqual([]);
      expect(heartbeat.detectionBound).toBe(Number.POSITIVE_INFINITY);
    });

    it('passes on what the application sends, in order and untouched', () => {
      const { scheduler, link } = attachOpen(kind);
      const messages = ['', 'text', new ArrayBuffer(3), new Uint8Array([5, 119, 98]), ...MALFORMED];
      for (const message of messages) link.client.send(message);
      scheduler.advance(10);
      expect(link.wire.sentMessages.slice(1)).toStrictEqual(messages);
    });

    it('attaches to a socket that is open already', () => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler, kind);
      const link = server.connect();
      scheduler.advance(10);
      const heartbeat = attachHeartbeat(link.client, { scheduler });
      expect(heartbeat.status).toBe('alive');
      expect(link.wire.sentMessages).toEqual([`${PING}.1;v=1`]);
      scheduler.advance(20);
      expect(heartbeat.latency).toBe(20);
    });
  });

  describe('received beats', () => {
    const seenBy = (add: (link: Link, seen: unknown[]) => void, when: 'before' | 'after') => {
      const scheduler = new VirtualScheduler();
      const server = new FakeServer(scheduler, kind);
      const link = server.connect();
      const seen: unknown[] = [];
      if (when === 'before') add(link, seen);
      attachHeartbeat(link.client, { scheduler });
      if (when === 'after') add(link, seen);
      scheduler.advance(10);
      for (const message of ['one', PING, `${PING}.abc;pingInterval=30000`, `${PONG}.zz`, 'two']) {
        link.peer.send(message);
      }
      scheduler.advance(60_000);
      return seen;
    };
    const setHandler = (link: Link, seen: unknown[]) => {
      link.client.onmessage = (event: { data: unknown }) => seen.push(event.data);
    };
    const addListener = (link: Link, seen: unknown[]) => {
      link.client.addEventListener('message', (event: { data: unknown }) => seen.push(event.data));
    };

    it('are hidden from onmessage set before attaching', () => {
      expect(seenBy(setHandler, 'before')).toEqual(['one', 'two']);
    });

    it('are hidden from onmessage set after attaching', () => {
      expect(seenBy(setHandler, 'after')).toEqual(['one', 'two']);
    });

    it('are hidden from listeners added after attaching', () => {
      expect(seenBy(addListener, 'after')).toEqual(['one', 'two']);
    });

    it('are hidden from listeners added before where the class dispatches in public', () => {
      const seen = seenBy(addListener, 'before');
      if (kind === 'ws') expect(seen).toEqual(['one', 'two']);
      else expect(seen).toContain(PING); // as a page sees it: the documented limit
    });

    it('leave everything else alone: in order, the same object, once', () => {
      const { scheduler, link } = attachOpen(kind);
      const seen: unknown[] = [];
      link.client.addEventListener('message', (event: { data: unknown }) => seen.push(event.data));
      const messages = [
        '',
        'text',
        ...MALFORMED,
        new ArrayBuffer(8),
        new TextEncoder().encode(PING).buffer,
        new TextEncoder().encode(PING),
        new Blob([PING]),
        'last',
      ];
      for (const message of messages) link.peer.send(message);
      scheduler.advance(10);
      expect(seen).toHaveLength(messages.length);
      for (const [index, message] of messages.entries()) expect(seen[index]).toBe(message);
    });

    it('are answered when they are pings, with their id and nothing else', () => {
      const { scheduler, link } = attachOpen(kind);
      link.peer.send(PING);
      link.peer.send(`${PING}.x-9;pingInterval=30000`);
      scheduler.advance(10);
      expect(link.beats.slice(1)).toEqual([PONG, `${PONG}.x-9`]);
    });

    it('get one pong at a time where the server does not read: the latest answers for all', () => {
      const { scheduler, link } = attachOpen(kind, { pingInterval: false });
      link.client.bufferedAmount = 1_000_000;
      for (let n = 0; n < 1_000; n++) link.peer.send(`${PING}.${n}`);
      scheduler.advance(60_000);
      expect(link.beats).toEqual([`${PONG}.0`]);
      link.client.bufferedAmount = 0;
      scheduler.advance(250);
      expect(link.beats).toEqual([`${PONG}.0`, `${PONG}.999`]);
    });

    it('are answered behind what the application sends, however full the buffer stays', () => {
      const { scheduler, link } = attachOpen(kind, { pingInterval: false });
      link.client.bufferedAmount = 1_000_000;
      const stream = () => link.client.send('x'.repeat(500_000));
      link.peer.send(`${PING}.a`);
      link.peer.send(`${PING}.b`);
      scheduler.advance(300);
      stream();
      scheduler.advance(250);
      expect(link.beats).toEqual([`${PONG}.a`]); // its turn may not have come yet
      stream();
      scheduler.advance(250);
      expect(link.beats).toEqual([`${PONG}.a`, `${PONG}.b`]);
    });

    it('leave no pong waiting after detach()', () => {
      const { scheduler, link, heartbeat } = attachOpen(kind, { pingInterval: false });
      link.client.bufferedAmount = 1_000_000;
      for (const id of ['a', 'b']) link.peer.send(`${PING}.${id}`);
      scheduler.advance(30);
      expect(scheduler.pending).toBe(1);
      heartbeat.detach();
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('ping()', () => {
    it('resolves to the latency', async () => {
      const { scheduler, heartbeat } = attachOpen(kind);
      const pong = heartbeat.ping();
      scheduler.advance(20);
      expect(await pong).toBe(20);
      expect(heartbeat.latency).toBe(20);
    });

    it('resolves each of several at once, in any number', async () => {
      const { scheduler, heartbeat } = attachOpen(kind);
      const pongs = [heartbeat.ping()];
      scheduler.advance(5);
      pongs.push(heartbeat.ping(), heartbeat.ping());
      scheduler.advance(40);
      expect(await Promise.all(pongs)).toEqual([20, 20, 20]);
    });

    it('sends the id that it is given, and refuses one that is out', async () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      const pong = heartbeat.ping({ id: 'mine' });
      const twin = heartbeat.ping({ id: 'mine' });
      await expect(twin).rejects.toBeInstanceOf(InvalidOptionError);
      expect(link.beats.slice(1)).toEqual([`${PING}.mine`]);
      scheduler.advance(20);
      expect(await pong).toBe(20);
      const again = heartbeat.ping({ id: 'mine' });
      scheduler.advance(20);
      expect(await again).toBe(20);
    });

    it('sends it in the first ping of a connection too, beside the version', () => {
      const { scheduler, link, heartbeat } = attach(kind, { pingInterval: false });
      scheduler.advance(10);
      void heartbeat.ping({ id: 'mine' });
      expect(link.beats).toEqual([`${PING}.mine;v=1`]);
    });

    it('rejects by its deadline where send() throws, and the peer is dead in its time', async () => {
      const scheduler = new VirtualScheduler();
      const { client } = new FakeServer(scheduler, kind).connect();
      const { listenerCount, send } = client;
      let isBroken = false;
      client.send = (data) => {
        if (isBroken) throw new Error('cannot be sent');
        send.call(client, data);
      };
      const heartbeat = attachHeartbeat(client, { scheduler, jitter: 0, pingTimeout: 10_000 });
      const deaths: number[] = [];
      heartbeat.on('dead', () => deaths.push(scheduler.now()));
      scheduler.advance(30);
      isBroken = true;
      const { signal } = new AbortController();
      const short = heartbeat.ping({ timeout: 1_000, signal });
      const long = heartbeat.ping({ timeout: false, signal });
      void Promise.allSettled([short, long]);
      scheduler.advance(1_250);
      await expect(short).rejects.toMatchObject({ code: 'ERR_PING_TIMEOUT', pingTimeout: 1_000 });
      scheduler.advance(9_000);
      await expect(long).rejects.toMatchObject({ code: 'ERR_PING_TIMEOUT', pingTimeout: 10_000 });
      expect(deaths).toEqual([30 + 10_250]);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      expect(client.listenerCount).toBe(listenerCount + 1); // that to `error`, of a dead socket
      scheduler.advance(20); // a close() arrives nowhere
      expect(scheduler.pending).toBe(0);
    });

    it('rejects with PingTimeoutError when the answer does not come within timeout', async () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      link.cut();
      const pong = heartbeat.ping({ timeout: 1_000 });
      scheduler.advance(2_000);
      await expect(pong).rejects.toBeInstanceOf(PingTimeoutError);
      await expect(pong).rejects.toMatchObject({ pingTimeout: 1_000, silentFor: 1_250 });
    });

    it('rejects with PingTimeoutError when the peer is dead', async () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      link.cut();
      const pong = heartbeat.ping({ timeout: false });
      scheduler.advance(10_250);
      await expect(pong).rejects.toBeInstanceOf(PingTimeoutError);
    });

    it('rejects with ConnectionClosedError and the close code when the socket closes', async () => {
      const { scheduler, link, server, heartbeat } = attachOpen(kind);
      server.answer = silentPeer;
      const pong = heartbeat.ping();
      link.peer.close(1001, 'going');
      scheduler.advance(10);
      await expect(pong).rejects.toBeInstanceOf(ConnectionClosedError);
      await expect(pong).rejects.toMatchObject({ closeCode: 1001, reason: 'going' });
    });

    it('rejects with the reason of its signal', async () => {
      const { scheduler, heartbeat } = attachOpen(kind);
      const controller = new AbortController();
      const pong = heartbeat.ping({ signal: controller.signal });
      controller.abort(new Error('not any more'));
      scheduler.advance(100);
      await expect(pong).rejects.toThrow('not any more');
      await expect(heartbeat.ping({ signal: controller.signal })).rejects.toThrow('not any more');
    });

    it('rejects with ConnectionClosedError before the socket is open', async () => {
      const { link, heartbeat } = attach(kind);
      await expect(heartbeat.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
      expect(link.wire.sentMessages).toEqual([]);
    });

    it('rejects with ConnectionClosedError when the heartbeat is detached', async () => {
      const { heartbeat } = attachOpen(kind);
      const pong = heartbeat.ping();
      heartbeat.detach();
      await expect(pong).rejects.toBeInstanceOf(ConnectionClosedError);
      await expect(heartbeat.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
    });

    it('rejects with InvalidOptionError for a timeout out of its range', async () => {
      const { heartbeat } = attachOpen(kind);
      await expect(heartbeat.ping({ timeout: 0 })).rejects.toBeInstanceOf(InvalidOptionError);
    });

    it('rejects with InvalidOptionError for an id that cannot stand in a beat', async () => {
      const { link, heartbeat } = attachOpen(kind);
      await expect(heartbeat.ping({ id: 'a b' })).rejects.toBeInstanceOf(InvalidOptionError);
      expect(link.beats).toHaveLength(1);
    });
  });

  describe('a Close frame right after the first ping', () => {
    /** The peer greets, and closes when it has read our ping. */
    function attachRefused(code?: number, memory = new PeerMemory()): [Stage, PeerMemory] {
      const stage = attach(kind, { memory });
      stage.server.answer = (text, { peer }) => {
        if (text.startsWith(PING)) peer.close(code, 'unknown message');
        return undefined;
      };
      stage.scheduler.advance(10);
      stage.link.peer.send('welcome');
      stage.scheduler.advance(100);
      return [stage, memory];
    }

    it.each([undefined, 1000, 1001, 1002, 1008, 1011, 1012, 4000, 4400])(
      'with code %s is a refusal, and after two there are no more pings',
      (code) => {
        const [first, memory] = attachRefused(code);
        expect([first.heartbeat.isRefused, memory.speaks]).toEqual([true, true]);
        const [second] = attachRefused(code, memory);
        expect([second.heartbeat.isRefused, memory.speaks]).toEqual([true, false]);
        const third = attach(kind, { memory });
        third.scheduler.advance(3_600_000);
        expect(third.link.beats).toEqual([]);
        expect(third.log.at(-1)).toEqual([0, 'unanswered', { silentFor: 0, reason: 'refused' }]);
      },
    );

    it('is none if the connection is reset, or if the application closes it', () => {
      const ways: ((link: Link) => void)[] = [
        (link) => link.reset(),
        (link) => link.client.close(),
        (link) => link.client.close(4400, 'mine'),
      ];
      for (const end of ways) {
        const memory = new PeerMemory();
        for (const _ of [1, 2]) {
          const { scheduler, server, link, heartbeat } = attach(kind, { memory });
          server.answer = silentPeer;
          scheduler.advance(20);
          end(link);
          scheduler.advance(100);
          expect(heartbeat.isRefused).toBe(false);
        }
        expect(memory.speaks).toBe(true);
      }
    });
  });

  describe('a foreign subprotocol', () => {
    it.each(['graphql-transport-ws', 'mqtt', 'v12.stomp'])('%s gets no ping', async (protocol) => {
      const { scheduler, server, link, log, heartbeat } = attach(kind, {}, [protocol]);
      server.answer = silentPeer;
      scheduler.advance(10);
      heartbeat.probe();
      link.client.send('of the application');
      scheduler.advance(3_600_000);
      const ping = heartbeat.ping();
      await expect(ping).rejects.toMatchObject({ code: 'ERR_FOREIGN_PROTOCOL' });
      expect(link.wire.sentMessages).toEqual(['of the application']);
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'unanswered', { silentFor: 0, reason: 'foreign-protocol' }],
      ]);
      expect(heartbeat.status).toBe('alive');
    });

    it('may not be silent for longer than maxSilence', () => {
      const { scheduler, link, log } = attach(kind, { maxSilence: 60_000 }, ['mqtt']);
      scheduler.advance(50_000);
      link.peer.send('a message');
      scheduler.advance(60_000);
      expect(namesOf(log)).not.toContain('dead');
      scheduler.advance(1_000);
      expect(log.at(-1)).toMatchObject([110_250, 'dead', { reason: 'max-silence' }]);
    });

    it('does not hinder a peer that pings all the same: it speaks', async () => {
      const { scheduler, link, heartbeat } = attach(kind, {}, ['mqtt']);
      scheduler.advance(10);
      link.peer.send(`${PING}.a`);
      scheduler.advance(20);
      expect(link.wire.sentMessages).toEqual([`${PONG}.a`]);
      const ping = heartbeat.ping();
      scheduler.advance(20);
      expect(await ping).toBe(20);
    });
  });

  describe('the verdict', () => {
    it('is suspect, then dead, for a peer that fell silent', () => {
      const error = expect.any(PingTimeoutError);
      const { scheduler, link, log, heartbeat } = attachOpen(kind);
      link.cut();
      scheduler.advance(60_000);
      //      0 the first ping, answered at 20
      // 25 000 a bare ping, into the cut
      // 25 400 the adaptive deadline
      // 35 250 pingTimeout and the second look
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'ping', { id: '1' }],
        [20, 'pong', expect.objectContaining({ id: '1', latency: 20 })],
        [25_000, 'ping', { id: undefined }],
        [25_400, 'suspect', { silentFor: 25_380 }],
        [35_250, 'dead', { reason: 'ping-timeout', silentFor: 35_230, error }],
      ]);
      expect(heartbeat.status).toBe('dead');
    });

    it('comes within detectionBound of the last byte, whenever the link is cut', () => {
      for (let cutAt = 0; cutAt < 60_000; cutAt += 617) {
        const random = seededRandom(cutAt);
        const { scheduler, link, log, heartbeat } = attachOpen(kind, { jitter: 0.1, random });
        scheduler.advance(cutAt);
        link.cut();
        const { detectionBound } = heartbeat;
        scheduler.advance(100_000);
        const dead = log.find(([, name]) => name === 'dead')?.[2] as HeartbeatEvents['dead'];
        expect(dead.silentFor).toBeLessThanOrEqual(detectionBound);
        expect(dead.silentFor).toBeGreaterThan(10_000);
      }
    });

    it('does not come for a peer that never says a word: it may not speak', () => {
      const { scheduler, server, log, link, heartbeat } = attach(kind);
      server.answer = silentPeer;
      scheduler.advance(1_000_000);
      // 0 the first ping, 3 000 the bare one, 10 250 given up asking
      expect(link.beats).toEqual([`${PING}.1;v=1`, PING]);
      expect(log.at(-2)).toEqual([10_250, 'unanswered', { silentFor: 10_250, reason: 'silent' }]);
      expect(timeOf(log, 'dead')).toBeUndefined();
      expect([heartbeat.status, heartbeat.detectionBound]).toEqual([
        'alive',
        Number.POSITIVE_INFINITY,
      ]);
      expect(scheduler.pending).toBe(0);
    });

    it('comes for such a peer after maxSilence', () => {
      const { scheduler, server, log } = attach(kind, { maxSilence: 120_000 });
      server.answer = silentPeer;
      scheduler.advance(1_000_000);
      expect(log.at(-1)).toMatchObject([120_250, 'dead', { reason: 'max-silence' }]);
    });

    it('comes for one that has answered a connection before', () => {
      const memory = new PeerMemory();
      const first = attach(kind, { memory });
      first.scheduler.advance(1_000);
      first.heartbeat.detach();
      const { scheduler, server, log } = attach(kind, { memory });
      server.answer = silentPeer;
      scheduler.advance(60_000);
      expect(log.at(-1)).toMatchObject([10_250, 'dead', { reason: 'ping-timeout' }]);
    });

    it('is put off while the application has paused the socket', () => {
      const { scheduler, link, log } = attachOpen(kind);
      const socket = Object.assign(link.client, { isPaused: true });
      link.cut(); // nothing is read: it looks the same
      scheduler.advance(600_000);
      expect(namesOf(log)).not.toContain('suspect');
      socket.isPaused = false;
      scheduler.advance(60_000);
      expect(log.at(-1)).toMatchObject([expect.any(Number), 'dead', { reason: 'ping-timeout' }]);
      expect(timeOf(log, 'dead')).toBeGreaterThan(600_000 + 10_000);
    });

    it('takes the timing that the server advertises, for what was not given', () => {
      const { scheduler, server, link, heartbeat } = attach(kind, { pingTimeout: 8_000 });
      server.answer = (ping) => `\u0006${ping.slice(1)};pingInterval=40000;pingTimeout=20000`;
      scheduler.advance(1_000);
      expect(heartbeat.detectionBound).toBe(40_000 + 20_000 + 250 + 750);
      scheduler.advance(39_000 + 20);
      expect(link.beats).toHaveLength(2);
    });

    it.each([
      ['pingInterval=5000', 5_000, 10_000],
      ['pingTimeout=15000', 25_000, 15_000],
      ['pingInterval=1e4;pingTimeout=0x1', 25_000, 10_000], // digits, or nothing
      ['pingInterval=-9', 25_000, 10_000],
      ['v=2', 25_000, 10_000],
    ])('takes the timing of a ping of the server at once: %s', (values, interval, timeout) => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      link.peer.send(`${PING};${values}`);
      scheduler.advance(10);
      expect(heartbeat.detectionBound).toBe(interval + timeout + 250 + 750);
      scheduler.advanceTo(1_000_010 + 30 + interval - 1); // the last message came at 30
      expect(link.beats.slice(1)).toEqual([PONG]);
      scheduler.advance(1);
      expect(link.beats.slice(1)).toEqual([PONG, PING]);
    });

    it('waits for a ping that has bytes queued before it, but not for ever', () => {
      const { scheduler, link, log } = attachOpen(kind);
      link.client.bufferedAmount = 1_000_000;
      link.cut();
      scheduler.advance(25_000 + 49_999);
      expect(timeOf(log, 'dead')).toBeUndefined();
      scheduler.advance(10_000);
      expect(timeOf(log, 'dead')).toBe(25_000 + 50_000 + 250);
    });

    it('comes for a peer that sends but answers nothing any more', () => {
      const { scheduler, server, link, log } = attachOpen(kind);
      server.answer = silentPeer;
      for (let second = 0; second < 150; second += 1) {
        link.peer.send('not a pong');
        scheduler.advance(1_000);
      }
      const [, , event] = log.find(([, name]) => name === 'dead') ?? [];
      expect(event).toMatchObject({ reason: 'one-way', silentFor: expect.any(Number) });
    });

    it('asks nothing more of a peer that closed twice at our first ping', () => {
      const memory = new PeerMemory();
      const beats = [1, 2, 3].map(() => {
        const { scheduler, server, link } = attach(kind, { memory });
        server.answer = silentPeer;
        scheduler.advance(20);
        link.peer.close(1002, 'what is this?');
        scheduler.advance(100);
        return link.beats.length;
      });
      expect(beats).toEqual([1, 1, 0]);
    });

    it('ends the socket: by terminate() where there is one, else by close code 3008', () => {
      const { scheduler, link } = attachOpen(kind);
      const closes: unknown[] = [];
      link.client.addEventListener('close', ({ code }: { code: number }) => closes.push(code));
      link.cut();
      scheduler.advance(35_000);
      link.mend(); // so that the close code arrives, if there is one
      scheduler.advance(10_000);
      expect(closes).toEqual(kind === 'ws' ? [1006] : [3008]);
      expect(link.client.readyState).toBe(3);
    });

    it('is told while the socket is still there, and leaves nothing behind', async () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      const states: number[] = [];
      heartbeat.on('dead', () => states.push(link.client.readyState));
      link.cut();
      scheduler.advance(60_000);
      expect(states).toEqual([1]);
      expect(scheduler.pending).toBe(0);
      expect(Object.keys(link.client)).not.toContain('send');
      await expect(heartbeat.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
    });

    it('never comes for a peer that answers', () => {
      const { scheduler, server, log } = attach(kind);
      server.answer = minimalPeer;
      scheduler.advance(3_600_000);
      expect(new Set(namesOf(log))).toEqual(new Set(['alive', 'ping', 'pong']));
    });

    it('never comes for a peer that answers only the bare ping, which gives latency too', () => {
      const { scheduler, server, link, log, heartbeat } = attach(kind);
      server.answer = autoResponder;
      scheduler.advance(3_600_000);
      expect(timeOf(log, 'dead')).toBeUndefined();
      expect(heartbeat.status).toBe('alive');
      expect(heartbeat.latency).toBe(20);
      expect(new Set(link.beats.slice(1))).toEqual(new Set([PING])); // ids are not tried again
    });

    it('survives one lost pong, and the pings go on', () => {
      const { scheduler, server, log, heartbeat } = attachOpen(kind);
      let lost = 0;
      server.answer = (text) => (lost++ === 0 ? undefined : minimalPeer(text));
      // 25 000 a ping whose pong is lost; 25 400 suspect; 27 000 other bytes
      scheduler.advance(26_980);
      server.last.peer.send('anything');
      scheduler.advance(60_000);
      expect(timeOf(log, 'suspect')).toBe(25_400);
      expect(timeOf(log, 'dead')).toBeUndefined();
      expect(heartbeat.status).toBe('alive');
      const pings = log.filter(([, name]) => name === 'ping').map(([at]) => at);
      expect(pings).toEqual([0, 25_000, 50_000, 75_000]);
    });

    it.each([
      ['text', 'anything'],
      ['a malformed beat', '\u0005wbx'],
      ['bytes', new ArrayBuffer(1)],
      ['an empty message', ''],
      ['a ping', PING],
      ['a pong that nobody asked for', `${PONG}.nobody`],
    ])('is lifted by %s', (_, message) => {
      const { scheduler, server, link, log } = attachOpen(kind);
      server.answer = silentPeer;
      scheduler.advance(35_000); // pingTimeout is over, the second look is not
      link.peer.send(message);
      scheduler.advance(2_000);
      expect(timeOf(log, 'suspect')).toBe(25_400);
      expect(namesOf(log)).not.toContain('dead');
      expect(namesOf(log).at(-1)).toBe('alive');
    });
  });

  describe('after a stall', () => {
    it('gives no verdict but tells of it, and probes', () => {
      const { scheduler, link, log, heartbeat } = attachOpen(kind);
      scheduler.advance(25_000); // a ping is out
      scheduler.stall(60_000);
      scheduler.advance(0);
      const lateBy = log.find(([, name]) => name === 'stall')?.[2];
      expect(lateBy).toEqual({ lateBy: expect.any(Number) });
      expect((lateBy as HeartbeatEvents['stall']).lateBy).toBeGreaterThan(30_000);
      expect(namesOf(log)).not.toContain('dead');
      expect(link.beats).toHaveLength(3); // the first, the routine one, the probe
      scheduler.advance(10_000);
      expect(heartbeat.status).toBe('alive');
    });

    it('gives the probe a full timeout of its own, then the verdict', () => {
      const { scheduler, link, log } = attachOpen(kind);
      scheduler.advance(24_000);
      link.cut();
      scheduler.advance(1_000);
      scheduler.stall(60_000);
      scheduler.advance(0);
      const stalledAt = timeOf(log, 'stall') ?? Number.NaN;
      scheduler.advance(60_000);
      expect(timeOf(log, 'dead')).toBe(stalledAt + 10_250);
    });
  });

  describe('detach()', () => {
    it('leaves no trace on the socket, which stays open', () => {
      const scheduler = new VirtualScheduler();
      const { client, ...link } = new FakeServer(scheduler, kind).connect();
      client.onmessage = () => {};
      const before = [Reflect.ownKeys(client), client.listenerCount];
      const heartbeat = attachHeartbeat(client, { scheduler });
      scheduler.advance(30_000);
      expect(client.listenerCount).toBeGreaterThan(before[1] as number);
      expect(Reflect.ownKeys(client)).toContain('send');
      heartbeat.detach();
      expect([Reflect.ownKeys(client), client.listenerCount]).toEqual(before);
      expect(scheduler.pending).toBe(0);
      expect(client.readyState).toBe(1);
      expect(link.wire.readyState).toBe(1);
      expect(heartbeat.status).toBe('idle');
    });

    it('gives beats back to the application', () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      const seen: unknown[] = [];
      link.client.onmessage = (event: { data: unknown }) => seen.push(event.data);
      heartbeat.detach();
      link.peer.send(PING);
      scheduler.advance(60_000);
      expect(seen).toEqual([PING]);
      expect(link.beats).toEqual([`${PING}.1;v=1`]);
    });

    it('lets the socket have another heartbeat, and a second one at a time is refused', () => {
      const scheduler = new VirtualScheduler();
      const { client, ...link } = new FakeServer(scheduler, kind).connect();
      const first = attachHeartbeat(client, { scheduler });
      const attempt = () => attachHeartbeat(client, { scheduler });
      expect(attempt).toThrow(
        'Expected `socket` to be a WebSocket that has no heartbeat yet, got `object` (object)',
      );
      scheduler.advance(30);
      expect(first.latency).toBe(20); // the first works on
      first.detach();
      const second = attempt();
      scheduler.advance(30);
      expect(second.latency).toBe(20);
      client.close();
      scheduler.advance(30);
      expect(link.wire.readyState).toBe(3);
      expect(attempt().status).toBe('idle');
    });

    it('may be called before the open, and again, and from a listener', () => {
      const early = attach(kind);
      early.heartbeat.detach();
      early.heartbeat.detach();
      early.scheduler.advance(60_000);
      expect(early.link.wire.sentMessages).toEqual([]);
      expect(early.log).toEqual([]);
      for (const name of ['alive', 'ping', 'pong', 'suspect', 'unanswered', 'dead'] as const) {
        const { scheduler, server, link, heartbeat } = attach(kind);
        if (name === 'suspect' || name === 'unanswered') server.answer = silentPeer;
        let called = 0;
        heartbeat.on(name, () => {
          called += 1;
          heartbeat.detach();
        });
        scheduler.advance(30);
        if (name === 'dead') link.cut();
        scheduler.advance(100_000);
        expect(called).toBe(1);
        expect(scheduler.pending).toBe(0);
        expect(Reflect.ownKeys(link.client)).not.toContain('send');
        expect(heartbeat.status).toBe('idle');
      }
    });

    it('in a stall listener keeps the probe from being sent', () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      heartbeat.on('stall', () => heartbeat.detach());
      scheduler.stall(60_000);
      scheduler.advance(10);
      expect(link.beats).toEqual([`${PING}.1;v=1`]);
    });

    it('tells nothing to listeners afterwards', () => {
      const { scheduler, link, log, heartbeat } = attachOpen(kind);
      heartbeat.detach();
      const told = log.length;
      link.cut();
      scheduler.advance(100_000);
      expect(log).toHaveLength(told);
    });

    it('is what Symbol.dispose does', () => {
      const { scheduler, link, heartbeat } = attachOpen(kind);
      {
        using held = heartbeat;
        expect(held.status).toBe('alive');
      }
      expect(heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
      expect(Reflect.ownKeys(link.client)).not.toContain('send');
    });
  });

  it('ends with its socket and leaves no trace', () => {
    const { scheduler, link, log, heartbeat } = attachOpen(kind);
    link.peer.close(1000);
    scheduler.advance(100_000);
    expect(heartbeat.status).toBe('idle');
    expect(scheduler.pending).toBe(0);
    expect(Reflect.ownKeys(link.client)).not.toContain('send');
    expect(namesOf(log)).toEqual(['alive', 'ping', 'pong']);
  });
});

describe('attachHeartbeat', () => {
  it('tells what it knows: status, latency, lastReceived, detectionBound', () => {
    const { scheduler, heartbeat } = attach();
    expect(heartbeat.status).toBe('idle');
    expect(heartbeat.latency).toBeUndefined();
    scheduler.advance(10);
    expect(heartbeat.status).toBe('alive');
    expect(heartbeat.lastReceived).toBe(1_000_010);
    scheduler.advance(20);
    expect(heartbeat.latency).toBe(20);
    expect(heartbeat.lastReceived).toBe(1_000_030);
    expect(heartbeat.detectionBound).toBe(25_000 + 10_000 + 250 + 3 * 250);
  });

  it('tells alive with the latency when a suspect is heard again', () => {
    const { scheduler, server, log } = attachOpen();
    server.answer = silentPeer;
    scheduler.advance(26_000);
    server.last.peer.send('anything');
    scheduler.advance(10);
    expect(log.at(-1)).toEqual([expect.any(Number), 'alive', { latency: 20 }]);
  });

  it('probes on demand: suspect within 5 s, dead at pingTimeout and not before', () => {
    const { scheduler, link, log, heartbeat } = attach();
    scheduler.advance(30);
    link.cut();
    heartbeat.probe(); // at 20
    scheduler.advance(60_000);
    expect(timeOf(log, 'suspect')).toBeLessThanOrEqual(5_020);
    expect(timeOf(log, 'dead')).toBe(10_270);
  });

  it('leaves a probe in vain at suspect within 5 s although pongs are usually slower', () => {
    const scheduler = new VirtualScheduler();
    const server = new FakeServer(scheduler);
    server.latency = 4_000; // the adaptive deadline is beyond 5 s
    const link = server.connect();
    const heartbeat = attachHeartbeat(link.client, { scheduler, pingTimeout: 30_000 });
    scheduler.advance(12_100);
    expect(heartbeat.latency).toBe(8_000);
    link.cut();
    let suspectAt = 0;
    heartbeat.on('suspect', () => {
      suspectAt = scheduler.now();
    });
    heartbeat.probe();
    scheduler.advance(20_000);
    expect(suspectAt).toBe(12_100 + 5_000);
  });

  it('does not pile pings up, however often it is asked to probe', () => {
    const { link, heartbeat } = attachOpen();
    for (let times = 0; times < 10; times += 1) heartbeat.probe();
    expect(link.beats).toHaveLength(2);
  });

  it('probes nothing before the open and after the end', () => {
    const { scheduler, link, heartbeat } = attach();
    heartbeat.probe();
    expect(link.wire.sentMessages).toEqual([]);
    scheduler.advance(30);
    link.reset();
    heartbeat.probe();
    expect(link.beats).toHaveLength(1);
    expect(scheduler.pending).toBe(0);
  });

  it('sends nothing into a socket that is closing', () => {
    const scheduler = new VirtualScheduler();
    const link = new FakeServer(scheduler).connect();
    const sent: unknown[] = [];
    link.client.send = (data) => sent.push(data); // some classes throw here
    attachHeartbeat(link.client, { scheduler });
    scheduler.advance(10);
    link.cut();
    link.client.close(1000);
    expect(link.client.readyState).toBe(2);
    scheduler.advance(60_000);
    expect(sent).toEqual([`${PING}.1;v=1`]);
  });

  it('stands by a close() that throws: the peer is dead all the same', () => {
    const { scheduler, link, log } = attachOpen('browser');
    link.client.close = () => {
      throw new Error('cannot be closed');
    };
    link.cut();
    expect(() => scheduler.advance(60_000)).not.toThrow();
    expect(timeOf(log, 'dead')).toBe(35_250);
  });

  it('calls listeners in the order they came, and obeys once and off', () => {
    const { scheduler, heartbeat } = attach();
    const calls: string[] = [];
    const gone = () => calls.push('gone');
    heartbeat.once('ping', () => calls.push('once'));
    heartbeat.on('ping', gone);
    heartbeat.on('ping', () => calls.push('on'));
    heartbeat.off('ping', gone);
    scheduler.advance(30_000);
    expect(calls).toEqual(['once', 'on', 'on']);
  });

  it('takes no harm from a listener that throws; the error is reported', async () => {
    const { scheduler, heartbeat, log } = attach();
    heartbeat.on('alive', () => {
      throw new Error('a listener of alive');
    });
    const later: string[] = [];
    heartbeat.on('alive', () => later.push('alive'));
    heartbeat.on('pong', () => {
      throw new Error('a listener of pong');
    });
    const errors = await reportedErrors(() => scheduler.advance(60_000));
    expect(errors.map(String)).toEqual([
      'Error: a listener of alive',
      'Error: a listener of pong',
      'Error: a listener of pong',
      'Error: a listener of pong',
    ]);
    expect(later).toEqual(['alive']);
    expect(log.filter(([, name]) => name === 'ping')).toHaveLength(3);
    expect(heartbeat.status).toBe('alive');
  });

  it.each([
    [{ pingInterval: 0 }, 'pingInterval'],
    [{ pingInterval: Number.NaN }, 'pingInterval'],
    [{ pingTimeout: -1 }, 'pingTimeout'],
    [{ jitter: 1 }, 'jitter'],
    [{ random: 4 }, 'random'],
    [{ interval: 5 }, 'interval'],
    ['fast', 'options'],
    [null, 'options'],
  ])('refuses the options %j', (options, option) => {
    const scheduler = new VirtualScheduler();
    const { client } = new FakeServer(scheduler).connect();
    const before = [Reflect.ownKeys(client), client.listenerCount];
    const attempt = () => attachHeartbeat(client, options as never);
    expect(attempt).toThrow(InvalidOptionError);
    expect(attempt).toThrow(expect.objectContaining({ option }));
    expect([Reflect.ownKeys(client), client.listenerCount]).toEqual(before);
  });

  it('takes an option that is undefined for one that is not given', () => {
    const given: object = { jitter: undefined, random: undefined, pingInterval: undefined };
    const scheduler = new VirtualScheduler();
    const { client } = new FakeServer(scheduler).connect();
    const heartbeat = attachHeartbeat(client, { scheduler, ...given });
    const at: number[] = [];
    heartbeat.on('ping', () => at.push(scheduler.now()));
    scheduler.advance(26_000);
    expect(at[0]).toBe(10);
    expect(at[1]).toBeGreaterThanOrEqual(10 + 22_500); // jitter takes up to a tenth
    expect(at[1]).toBeLessThan(10 + 25_000);
  });

  it('tells how long the server asks to wait: by its last ping that does, not by a pong', () => {
    const { scheduler, link, heartbeat } = attach();
    scheduler.advance(30);
    const told = [heartbeat.retryAfter];
    for (const beat of [
      '\u0006wb;retryAfter=1',
      '\u0005wb;retryAfter=5000',
      '\u0005wb;retryAfter=soon',
      '\u0005wb',
      '\u0005wb;retryAfter=0',
    ]) {
      link.peer.send(beat);
      scheduler.advance(10);
      told.push(heartbeat.retryAfter);
    }
    expect(told).toEqual([undefined, undefined, 5_000, 5_000, 5_000, 0]);
  });

  it('refuses a class that calls its listeners itself, unless it is given a gate for them', () => {
    const listeners: ((event: object) => void)[] = [];
    const socket = {
      readyState: 1,
      onmessage: null,
      send() {},
      close() {},
      addEventListener(type: string, listener: (event: object) => void) {
        if (type === 'message') listeners.push(listener);
      },
      removeEventListener() {},
    };
    const before = { ...socket };
    const attempt = () => attachHeartbeat(socket);
    expect(attempt).toThrow(
      'Expected `gate` to be `gateListeners`, because this class calls its listeners itself, got `undefined`',
    );
    expect(socket).toEqual(before);
    const scheduler = new VirtualScheduler();
    const heartbeat = attachHeartbeat(socket, { gate: gateListeners, scheduler });
    const seen: unknown[] = [];
    socket.addEventListener('message', (event: { data?: unknown }) => void seen.push(event.data));
    for (const data of [PONG, 'one', PING]) for (const each of listeners) each({ type: '', data });
    expect(seen).toEqual(['one']);
    heartbeat.detach();
  });

  it('refuses a ReconnectingWebSocket, which has its own heartbeat', () => {
    const scheduler = new VirtualScheduler();
    const { WebSocket } = new FakeServer(scheduler);
    const socket = new ReconnectingWebSocket('ws://test/', [], { scheduler, WebSocket });
    expect(() => attachHeartbeat(socket)).toThrow(/no heartbeat yet/);
    socket.close();
  });

  it.each([[undefined], [null], [{}], ['ws://host/'], [new EventTarget()], [{ send: () => {} }]])(
    'refuses what is no socket: %s',
    (socket) => {
      const attempt = () => attachHeartbeat(socket as never);
      expect(attempt).toThrow(InvalidOptionError);
      expect(attempt).toThrow(expect.objectContaining({ option: 'socket' }));
    },
  );
});
