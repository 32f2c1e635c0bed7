// What becomes of a heartbeat when its page is hidden, frozen, or woken. The page is told by hand.
import { InvalidOptionError, type PeerState } from '@wirebeat/core';
import { FakeSocket, VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attachHeartbeat, type SocketHeartbeat } from '../../src/attach.ts';
import type { AttachOptions } from '../../src/options.ts';
import type { Lifecycle, LifecycleListener } from '../../src/page/page-lifecycle.ts';
import { SETTLING } from '../../src/page/page-state.ts';
import { autoResponder, FakeServer, type Link, silentPeer } from '../fake-server.ts';

const PING = '\u0005wb';
const FIRST = `${PING}.1;v=1`;

/** A page that is what it is told to be. */
class FakePage implements Lifecycle {
  readonly listeners: Set<LifecycleListener> = new Set();
  #state: PeerState = 'visible';

  watch(listener: LifecycleListener): () => void {
    this.listeners.add(listener);
    if (this.#state !== 'visible') listener.state(this.#state);
    return () => this.listeners.delete(listener);
  }

  become(state: PeerState): void {
    this.#state = state;
    for (const listener of this.listeners) listener.state(state);
  }

  hint(): void {
    for (const listener of this.listeners) listener.hint();
  }
}

describe('a heartbeat with a lifecycle', () => {
  let scheduler: VirtualScheduler;
  let server: FakeServer;
  let page: FakePage;
  let link: Link;
  let heartbeat: SocketHeartbeat;
  let told: string[];

  const attach = (options: AttachOptions = {}) => {
    link = server.connect();
    const { lifecycle = page } = options;
    heartbeat = attachHeartbeat(link.client, {
      scheduler,
      jitter: 0,
      pingTimeout: 10_000,
      ...options,
      lifecycle,
    });
    told = [];
    for (const name of ['suspect', 'dead', 'stall', 'unanswered'] as const) {
      heartbeat.on(name, () => told.push(name));
    }
    scheduler.advance(30); // open at 10, its first ping answered at 30
  };
  /** What was sent since the last call. */
  const sent = () => link.wire.sentMessages.splice(0);

  beforeEach(() => {
    scheduler = new VirtualScheduler();
    server = new FakeServer(scheduler, 'browser');
    page = new FakePage();
    attach();
    expect(sent()).toEqual([FIRST]);
  });
  afterEach(() => {
    heartbeat.detach();
    expect(page.listeners.size).toBe(0);
    scheduler.advance(20); // what was on the way has arrived
    expect(scheduler.pending).toBe(0);
  });

  describe('that is hidden', () => {
    it('tells the server, and tells it again when it is seen', () => {
      page.become('hidden');
      expect(sent()).toEqual([`${PING};state=hidden`]);
      scheduler.advance(1_000);
      page.become('visible');
      expect(sent()).toEqual([`${PING};state=visible`]);
      scheduler.advance(30_000);
      expect(sent()).toEqual([PING]); // the routine one says nothing
      expect(told).toEqual([]);
    });

    it('tells it once, in one ping with the hint that comes with it', () => {
      page.become('hidden');
      page.become('hidden');
      scheduler.advance(100);
      page.become('visible');
      page.hint();
      expect(sent()).toEqual([`${PING};state=hidden`, `${PING};state=visible`]);
    });

    it('tells it beside a ping that is out, by an id', () => {
      page.hint();
      page.become('hidden');
      expect(sent()).toEqual([PING, `${PING}.3;state=hidden`]);
    });

    it('tells it by the first ping, if it was hidden before', () => {
      page.become('hidden');
      heartbeat.detach();
      attach();
      expect(sent()).toEqual([`${FIRST};state=hidden`]);
      scheduler.advance(1_000);
      expect(sent()).toEqual([]);
    });

    it('tells it again after its socket has reconnected by itself', () => {
      heartbeat.detach();
      link = server.connect();
      Object.assign(link.client, { reconnect() {} });
      const attached = { scheduler, jitter: 0, pingTimeout: 10_000, lifecycle: page };
      heartbeat = attachHeartbeat(link.client, attached);
      scheduler.advance(30);
      page.become('hidden');
      expect(sent().at(-1)).toBe(`${PING};state=hidden`);
      link.reset();
      link.wire.readyState = 0;
      FakeSocket.join(link.wire, new FakeSocket(scheduler));
      scheduler.advance(10);
      expect(sent()).toEqual([expect.stringMatching(/;v=1;state=hidden$/)]);
      page.become('visible');
      expect(sent()).toEqual([]); // the new server has not answered yet
    });

    it('tells it as soon as the server has answered, if it was hidden meanwhile', () => {
      heartbeat.detach();
      link = server.connect();
      heartbeat = attachHeartbeat(link.client, {
        scheduler,
        jitter: 0,
        pingTimeout: 10_000,
        lifecycle: page,
      });
      scheduler.advance(15);
      expect(sent()).toEqual([FIRST]);
      page.become('hidden');
      scheduler.advance(10);
      expect(sent()).toEqual([]);
      scheduler.advance(5); // its pong
      expect(sent()).toEqual([`${PING};state=hidden`]);
    });

    it.each([
      ['answers only the constant', autoResponder],
      ['answers nothing', silentPeer],
    ])('does not tell a peer that %s', (_, answer) => {
      heartbeat.detach();
      server.answer = answer;
      attach({ pingTimeout: 2_000 });
      scheduler.advance(10_000);
      sent();
      for (const state of ['hidden', 'frozen', 'visible', 'hidden'] as const) {
        page.become(state);
        scheduler.advance(60_000);
      }
      expect(sent().filter((beat) => beat !== PING)).toEqual([]);
      expect(told).not.toContain('dead');
    });

    it('tells nobody where its socket is not open', () => {
      link.reset();
      page.become('hidden');
      expect(sent()).toEqual([]);
    });

    it('takes a timer that is late by two seconds for punctual', () => {
      page.become('hidden');
      scheduler.advance(24_900);
      scheduler.stall(2_000);
      scheduler.advance(0);
      expect(told).toEqual([]);
    });
  });

  describe('that is frozen', () => {
    it('tells the server in that very moment, and then sets no timer', () => {
      page.become('frozen');
      expect(sent()).toEqual([`${PING};state=frozen`]);
      scheduler.advance(20); // the pong
      expect(scheduler.pending).toBe(0);
    });

    it('judges nobody, and asks afresh when it has run again for a while', () => {
      page.become('frozen');
      link.wire.sentMessages.length = 0;
      scheduler.stall(3_600_000);
      page.become('visible');
      page.hint();
      scheduler.advance(SETTLING - 1);
      expect(sent()).toEqual([]); // its socket may say OPEN and be none
      scheduler.advance(1);
      expect(sent().map((beat) => String(beat).slice(1))).toEqual([
        expect.stringMatching(/^wb(\.\w+)?;state=visible$/),
      ]);
      scheduler.advance(20_000);
      expect(told).toEqual([]);
      expect(heartbeat.status).toBe('alive');
    });

    it('is then a page as any other', () => {
      page.become('frozen');
      page.become('visible');
      scheduler.advance(SETTLING + 20);
      sent();
      page.hint();
      expect(sent()).toEqual([PING]);
      scheduler.advance(20);
      page.become('hidden');
      expect(sent()).toEqual([`${PING};state=hidden`]);
    });

    it('sends nothing before it has settled, also where the first pong comes then', () => {
      heartbeat.detach();
      link = server.connect();
      heartbeat = attachHeartbeat(link.client, {
        scheduler,
        jitter: 0,
        pingTimeout: 10_000,
        lifecycle: page,
      });
      scheduler.advance(15); // the first ping is on its way
      page.become('frozen');
      page.become('hidden');
      sent();
      scheduler.advance(SETTLING - 1);
      expect(sent()).toEqual([]);
      scheduler.advance(1);
      expect(sent()).toEqual([`${PING};state=hidden`]);
    });

    it('waits for the close that Chromium sends, and asks nobody then', () => {
      page.become('frozen');
      sent();
      scheduler.stall(60_000);
      page.become('hidden');
      scheduler.advance(12);
      link.reset();
      expect(heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
      scheduler.advance(60_000);
      expect(sent()).toEqual([]);
      expect(told).toEqual([]);
    });

    it('finds a link dead that died meanwhile, by a full pingTimeout of its own', () => {
      page.become('frozen');
      link.cut();
      scheduler.stall(3_600_000);
      page.become('visible');
      scheduler.advance(SETTLING + 10_000 + 249);
      expect(told).toEqual(['suspect']);
      scheduler.advance(1);
      expect(told).toEqual(['suspect', 'dead']);
    });

    it('takes no latency from what was on the way meanwhile', () => {
      page.become('frozen');
      scheduler.stall(60_000);
      const samples: boolean[] = [];
      heartbeat.on('pong', ({ sampled }) => samples.push(sampled));
      page.become('visible'); // before the pong, as in Chromium
      scheduler.advance(10);
      expect(samples).toEqual([false]);
    });

    it('begins the wait anew when it is frozen again, and sends nothing into it', () => {
      page.become('frozen');
      sent();
      page.become('hidden');
      scheduler.advance(SETTLING - 1);
      page.become('frozen');
      scheduler.advance(10 * SETTLING);
      expect(sent()).toEqual([]);
      page.become('visible');
      scheduler.advance(SETTLING);
      expect(sent()).toHaveLength(1);
    });

    it('still asks when its owner does', async () => {
      page.become('frozen');
      page.become('visible');
      sent();
      const latency = heartbeat.ping();
      expect(sent()).toHaveLength(1);
      scheduler.advance(20);
      expect(await latency).toBe(20);
    });

    it('watches over a connection that opens before it has settled', () => {
      heartbeat.detach();
      link = server.connect();
      heartbeat = attachHeartbeat(link.client, {
        scheduler,
        jitter: 0,
        pingTimeout: 10_000,
        lifecycle: page,
      });
      page.become('frozen');
      page.become('visible');
      scheduler.advance(10 + SETTLING);
      expect(heartbeat.status).toBe('alive');
      link.cut();
      scheduler.advance(heartbeat.detectionBound);
      expect(heartbeat.status).toBe('dead');
    });

    it('leaves nothing behind when it is detached meanwhile', () => {
      page.become('frozen');
      page.become('hidden');
      heartbeat.detach();
      scheduler.advance(20);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('whose machine slept', () => {
    let slept = 0;

    beforeEach(() => {
      slept = 0;
      const now = Date.now.bind(Date);
      vi.spyOn(Date, 'now').mockImplementation(() => now() + slept);
      heartbeat.detach();
      attach();
      sent();
    });
    afterEach(() => {
      vi.restoreAllMocks();
    });

    it('asks at the next message that comes a second after the last', () => {
      scheduler.advance(1_000);
      slept = 3_600_000;
      expect(sent()).toEqual([]);
      link.peer.send('news');
      scheduler.advance(10);
      expect(sent()).toEqual([PING]);
    });

    it('asks before the next message that it sends', () => {
      slept = 3_600_000;
      link.client.send('act');
      expect(sent()).toEqual([PING, 'act']);
    });

    it('asks at the next timer, also one that fires early', () => {
      heartbeat.detach();
      attach({ probeAfter: false });
      sent();
      const opened = scheduler.now() - 20;
      scheduler.advance(10_000);
      link.client.send('x');
      link.peer.send('y'); // the next ping is put off by 10 s; the timer is left to fire
      scheduler.advance(10);
      expect(sent()).toEqual(['x']);
      slept = 3_600_000;
      scheduler.advanceTo(opened + 25_000 - 1);
      expect(sent()).toEqual([]);
      scheduler.advance(1 + 20); // set at the pong, 20 ms after the opening
      expect(sent()).toEqual([PING]);
      expect(told).toEqual([]);
    });

    it('judges nothing by it: suspect after 5 s, dead at pingTimeout', () => {
      link.cut();
      slept = 3_600_000;
      link.client.send('act');
      scheduler.advance(5_000);
      expect(told).toEqual(['suspect']);
      slept = 7_200_000;
      scheduler.advance(5_249);
      expect(told).toEqual(['suspect']);
      scheduler.advance(1);
      expect(told).toEqual(['suspect', 'dead']);
    });

    it('does not notice it with lifecycle: false', () => {
      heartbeat.detach();
      link = server.connect();
      heartbeat = attachHeartbeat(link.client, {
        scheduler,
        jitter: 0,
        pingTimeout: 10_000,
        lifecycle: false,
      });
      scheduler.advance(30);
      sent();
      slept = 3_600_000;
      link.client.send('act');
      expect(sent()).toEqual(['act']);
    });
  });

  describe('as an option', () => {
    it.each([null, true, {}, { watch: 1 }, 'page'])('refuses %j', (lifecycle) => {
      const options = { lifecycle } as unknown as AttachOptions;
      heartbeat.detach();
      expect(() => attachHeartbeat(link.client, options)).toThrow(InvalidOptionError);
      expect(() => attachHeartbeat(link.client, options)).toThrow('`lifecycle`');
    });

    it('is not watched for a socket that is closed, which is none to ask', async () => {
      link.reset();
      const closed = attachHeartbeat(link.client, { scheduler, lifecycle: page });
      expect(page.listeners.size).toBe(0);
      await expect(closed.ping()).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
      closed.detach();
    });

    it('may hint at once, when there is nobody to ask', () => {
      const watch = ({ hint }: LifecycleListener) => {
        hint();
        return () => {};
      };
      const eager = attachHeartbeat(server.connect().client, { scheduler, lifecycle: { watch } });
      expect(server.last.beats).toEqual([]);
      eager.detach();
    });

    it('leaves no trace on the socket where it throws', () => {
      heartbeat.detach();
      const { listenerCount } = link.client;
      const watch = () => {
        throw new Error('not here');
      };
      expect(() => attachHeartbeat(link.client, { lifecycle: { watch } })).toThrow('not here');
      expect(link.client.listenerCount).toBe(listenerCount);
      attachHeartbeat(link.client, { lifecycle: false }).detach(); // nor is it taken
    });
  });
});
