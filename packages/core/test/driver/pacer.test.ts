import { EventEmitter, getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { HeartbeatDriver, type HeartbeatPort } from '../../src/driver/heartbeat-driver.ts';
import { type HeartbeatEvents, Pacer, type Wake } from '../../src/driver/pacer.ts';
import { Emitter } from '../../src/emitter.ts';
import { ConnectionClosedError, InvalidOptionError, PingTimeoutError } from '../../src/errors.ts';
import { VERDICT_WAIT } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK } from '../../src/machine/timing.ts';
import type { HeartbeatOptions } from '../../src/options.ts';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import type { Millis } from '../../src/time.ts';
import { outcomeOf } from '../outcome.ts';
import { unhandledRejections } from '../unhandled-rejections.ts';

const PENDING = { status: 'pending' };
const TIMING = { pingInterval: 25_000, pingTimeout: 10_000 };
/** The adaptive deadline before the first sample. */
const SUSPICION = 3_000;
/** No ping unasked, no verdict. */
const QUIET: HeartbeatOptions = { pingInterval: false, pingTimeout: false };
const CLOSED = new ConnectionClosedError(1001, 'going away');

class Handle extends Emitter<HeartbeatEvents> {
  constructor() {
    super(new EventEmitter());
  }

  tell<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    this.emit(name, event);
  }
}

type Entry = readonly [at: number, what: string, details: unknown];

interface Surroundings {
  readonly memory?: PeerMemory;
  readonly buffered?: () => number;
  readonly isPaused?: () => boolean;
}

function setUp(
  options: HeartbeatOptions = TIMING,
  { memory, buffered, isPaused }: Surroundings = {},
) {
  const scheduler = new VirtualScheduler();
  const handle = new Handle();
  const log: Entry[] = [];
  const shell: HeartbeatPort = {
    sendPing: (ping) => log.push([scheduler.now(), 'send ping', ping.id]),
    sendPong: (id) => log.push([scheduler.now(), 'send pong', id]),
    emit: (name, event) => {
      log.push([scheduler.now(), name, event]);
      handle.tell(name, event);
    },
    ...(buffered && { buffered }),
    ...(isPaused && { isPaused }),
  };
  const pacemaker = new HeartbeatDriver(options, scheduler, shell, memory);
  const pong = (id?: string) => pacemaker.receiveBeat({ type: 'pong', id });
  const names = () => log.map(([, what]) => what);
  return { scheduler, handle, log, pacemaker, pong, names };
}

/** The payload of the last entry, which must be an event of that name. */
function lastOf<Name extends keyof HeartbeatEvents>(
  log: readonly Entry[],
  name: Name,
): HeartbeatEvents[Name] {
  const [, what, details] = log.at(-1) ?? [];
  expect(what).toBe(name);
  return details as HeartbeatEvents[Name];
}

/** A pacemaker on a connection that is open; its log begins after that. */
function setUpOpen(options?: HeartbeatOptions, surroundings?: Surroundings) {
  const all = setUp(options, surroundings);
  all.pacemaker.open();
  all.log.length = 0;
  return all;
}

/** A connection whose answer is overdue. */
function setUpSuspect() {
  const all = setUpOpen();
  all.scheduler.advance(TIMING.pingInterval + SUSPICION);
  expect(all.pacemaker.heartbeat.status).toBe('suspect');
  all.log.length = 0;
  return all;
}

describe('Pacer', () => {
  it('refuses options as the heartbeat does', () => {
    expect(() => setUp({ pingInterval: -1 })).toThrow(InvalidOptionError);
  });

  it('does nothing before it is opened', () => {
    const { scheduler, log, pacemaker, pong } = setUp();
    pacemaker.receive();
    pacemaker.sent();
    pacemaker.receiveBeat({ type: 'ping', id: 'x' });
    pong('1');
    pacemaker.probe(1_000);
    scheduler.advance(100_000);
    expect(log).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  describe('on an open connection', () => {
    it('says alive, without a latency', () => {
      const { log, pacemaker } = setUp();
      pacemaker.open();
      expect(log).toEqual([[0, 'alive', { latency: undefined }]]);
    });

    it('pings when it is time, and tells of the ping after it is sent', () => {
      const { scheduler, log } = setUpOpen();
      scheduler.advance(TIMING.pingInterval - 1);
      expect(log).toEqual([]);
      scheduler.advance(1);
      expect(log).toEqual([
        [25_000, 'send ping', '1'],
        [25_000, 'ping', { id: '1' }],
      ]);
    });

    it('tells of a pong with its latency', () => {
      const { scheduler, log, pong } = setUpOpen();
      scheduler.advance(TIMING.pingInterval);
      log.length = 0;
      scheduler.advance(40);
      pong('1');
      expect(log).toEqual([[25_040, 'pong', { id: '1', latency: 40, sampled: true }]]);
    });

    it('tells of a bare ping and its pong without an id', () => {
      const { scheduler, log, pong } = setUpOpen();
      scheduler.advance(TIMING.pingInterval);
      pong('1');
      log.length = 0;
      scheduler.advance(TIMING.pingInterval);
      scheduler.advance(30);
      pong();
      expect(log).toEqual([
        [50_000, 'send ping', undefined],
        [50_000, 'ping', { id: undefined }],
        [50_030, 'pong', { id: undefined, latency: 30, sampled: true }],
      ]);
    });

    it('says nothing of a pong that nobody asked for', () => {
      const { log, pong } = setUpOpen();
      pong('zz');
      pong();
      expect(log).toEqual([]);
    });

    it('answers a ping with its id, and tells nobody', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(100);
      pacemaker.receiveBeat({ type: 'ping', id: 'x7' });
      pacemaker.receiveBeat({ type: 'ping' });
      expect(log).toEqual([
        [100, 'send pong', 'x7'],
        [100, 'send pong', undefined],
      ]);
    });

    it('puts the ping off while traffic goes both ways', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(20_000);
      pacemaker.sent();
      pacemaker.receive();
      scheduler.advance(24_999);
      expect(log).toEqual([]);
      scheduler.advance(1);
      expect(log[0]).toEqual([45_000, 'send ping', '1']);
    });

    it('does not put it off for traffic that goes one way', () => {
      for (const direction of ['sent', 'receive'] as const) {
        const { scheduler, log, pacemaker } = setUpOpen();
        scheduler.advance(20_000);
        pacemaker[direction]();
        scheduler.advance(5_000);
        expect(log[0]).toEqual([25_000, 'send ping', '1']);
      }
    });

    it('pings before a message into silence, and sets its timer for the answer', () => {
      const { scheduler, log, pacemaker } = setUpOpen({ ...TIMING, probeAfter: 1_000 });
      scheduler.advance(999);
      pacemaker.sent();
      expect(log).toEqual([]);
      scheduler.advance(1);
      pacemaker.sent();
      expect(log).toEqual([
        [1_000, 'send ping', '1'],
        [1_000, 'ping', { id: '1' }],
      ]);
      scheduler.advance(SUSPICION);
      expect(lastOf(log, 'suspect')).toEqual({ silentFor: 1_000 + SUSPICION });
    });

    it('touches no timer for a message', () => {
      const { scheduler, pacemaker } = setUpOpen();
      const at = vi.spyOn(scheduler, 'at');
      for (let count = 0; count < 1_000; count += 1) {
        pacemaker.receive();
        pacemaker.sent();
      }
      expect(at).not.toHaveBeenCalled();
      expect(scheduler.pending).toBe(1);
    });

    it('sets its timer afresh for a beat', () => {
      const { scheduler, pacemaker, pong } = setUpOpen();
      const at = vi.spyOn(scheduler, 'at');
      scheduler.advance(1);
      pacemaker.receiveBeat({ type: 'ping' });
      expect(at.mock.calls).toEqual([[25_001, expect.any(Function)]]);
      pong();
      expect(at).toHaveBeenCalledTimes(2);
      expect(scheduler.pending).toBe(1);
    });

    it('has one timer at any time', () => {
      const { scheduler, pacemaker, pong } = setUpOpen();
      for (let step = 0; step < 200; step += 1) {
        scheduler.advance(997);
        if (step % 7 === 0) pacemaker.receive();
        if (step % 11 === 0) pong('1');
        if (step % 13 === 0) pacemaker.probe(1_000);
        if (pacemaker.heartbeat.status === 'dead') break;
        expect(scheduler.pending).toBe(1);
      }
    });

    it('waits in steps where the deadline is later than any timer waits', () => {
      const { scheduler, log } = setUpOpen({ pingInterval: 2 ** 31 - 1, pingTimeout: 1_000 });
      const early = vi.spyOn(scheduler, 'at');
      scheduler.advance(2 ** 31 - 2);
      expect(log).toEqual([]);
      scheduler.advance(1);
      expect(log[0]).toEqual([2 ** 31 - 1, 'send ping', '1']);
      expect(early).toHaveBeenCalled();
    });
  });

  describe('while the peer is silent', () => {
    it('says suspect, then dead, each once, and then nothing', () => {
      const error = expect.any(PingTimeoutError);
      const DEAD = { reason: 'ping-timeout', silentFor: 35_250, error };
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(3_600_000);
      expect(log).toEqual([
        [25_000, 'send ping', '1'],
        [25_000, 'ping', { id: '1' }],
        [28_000, 'send ping', undefined], // whoever knows only the constant gets its chance
        [28_000, 'ping', { id: undefined }],
        [28_000, 'suspect', { silentFor: 28_000 }],
        [35_250, 'dead', DEAD],
      ]);
      expect(pacemaker.heartbeat.status).toBe('dead');
      expect(scheduler.pending).toBe(0);
    });

    it('says in the error what it waited for', () => {
      const { scheduler, log } = setUpOpen();
      scheduler.advance(60_000);
      const { error } = lastOf(log, 'dead');
      expect(error).toMatchObject({ pingTimeout: 10_000, silentFor: 35_250 });
      expect(error.message).toBe('No pong within 10000 ms; nothing received for 35250 ms');
    });

    it('says alive again at any message, once', () => {
      const { log, pacemaker } = setUpSuspect();
      pacemaker.receive();
      pacemaker.receive();
      expect(log).toEqual([[28_000, 'alive', { latency: undefined }]]);
    });

    it('says alive with the latency at a pong, and then tells of the pong', () => {
      const { scheduler, log, pong } = setUpSuspect();
      scheduler.advance(500);
      pong('1');
      expect(log).toEqual([
        [28_500, 'alive', { latency: 3_500 }],
        [28_500, 'pong', { id: '1', latency: 3_500, sampled: true }],
      ]);
    });

    it('says alive at a ping of the peer, and answers it', () => {
      const { log, pacemaker } = setUpSuspect();
      pacemaker.receiveBeat({ type: 'ping', id: 'x' });
      expect(log).toEqual([
        [28_000, 'send pong', 'x'],
        [28_000, 'alive', { latency: undefined }],
      ]);
    });

    it('says each status once a change, over many changes', () => {
      const { scheduler, pacemaker, names } = setUpOpen();
      for (let round = 0; round < 5; round += 1) {
        while (pacemaker.heartbeat.status === 'alive') scheduler.advance(100);
        scheduler.advance(1_000);
        pacemaker.receive();
      }
      const changes = names().filter((name) => name === 'alive' || name === 'suspect');
      expect(changes).toEqual(Array.from({ length: 5 }, () => ['suspect', 'alive']).flat());
      expect(names()).not.toContain('dead');
    });

    it('hears nothing any more once it is dead', async () => {
      const { scheduler, log, pacemaker, pong } = setUpSuspect();
      scheduler.advance(60_000);
      log.length = 0;
      pong('1');
      pacemaker.receive();
      pacemaker.sent();
      pacemaker.receiveBeat({ type: 'ping' });
      pacemaker.probe(1_000);
      await expect(pacemaker.ping()).rejects.toThrow(ConnectionClosedError);
      pacemaker.close(CLOSED);
      scheduler.advance(3_600_000);
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('while the application has paused the socket', () => {
    function setUpPaused() {
      let isPaused = false;
      const all = setUpOpen(TIMING, { isPaused: () => isPaused });
      const pause = () => {
        isPaused = true;
      };
      const goOn = () => {
        isPaused = false;
      };
      return { ...all, pause, goOn };
    }

    it('judges nobody, and pings as it would, so that proxies see bytes', () => {
      const { scheduler, log, pacemaker, pause, names } = setUpPaused();
      pacemaker.probe(10_000);
      pause();
      scheduler.advance(3_600_000);
      expect(new Set(names())).toEqual(new Set(['send ping', 'ping']));
      expect(log.length / 2).toBeGreaterThan(3_600_000 / 27_000);
      expect(pacemaker.heartbeat.status).toBe('alive');
    });

    it('asks afresh after it, and judges the answer to that', () => {
      const { scheduler, log, pacemaker, pong, pause, goOn, names } = setUpPaused();
      pacemaker.probe(10_000);
      pause();
      scheduler.advance(60_000);
      log.length = 0;
      goOn();
      scheduler.advance(1_000); // it is looked each second
      expect(names()).toEqual(['send ping', 'ping']);
      const [[, , id] = []] = log;
      scheduler.advance(50);
      pong(id as string);
      expect(lastOf(log, 'pong')).toMatchObject({ sampled: true });
      log.length = 0;
      scheduler.advance(60_000);
      expect(lastOf(log, 'dead')).toMatchObject({ reason: 'ping-timeout' });
    });

    it('does not count the latency of a pong that waited for us', () => {
      const { scheduler, log, pacemaker, pong, pause, goOn } = setUpPaused();
      pacemaker.probe(10_000);
      pause();
      scheduler.advance(8_000);
      goOn();
      pong('1');
      expect(lastOf(log, 'pong')).toMatchObject({ latency: 8_000, sampled: false });
    });

    it('leaves alone what is suspended for another reason', () => {
      const { scheduler, log, pacemaker, pause, goOn } = setUpPaused();
      pause();
      scheduler.advance(30_000);
      pacemaker.suspend();
      log.length = 0;
      scheduler.advance(60_000);
      goOn();
      scheduler.advance(60_000);
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('with a peer that has never answered', () => {
    it('says unanswered in place of dead, once, and pings no more', () => {
      const { scheduler, log, pacemaker } = setUpOpen(TIMING, { memory: new PeerMemory() });
      pacemaker.probe(10_000);
      log.length = 0;
      scheduler.advance(3_600_000);
      expect(log).toEqual([
        [3_000, 'send ping', undefined],
        [3_000, 'ping', { id: undefined }],
        [3_000, 'suspect', { silentFor: 3_000 }],
        [10_250, 'unanswered', { silentFor: 10_250, reason: 'silent' }],
        [10_250, 'alive', { latency: undefined }],
      ]);
    });

    it('remembers from one connection to the next that it closes at the first ping', () => {
      const memory = new PeerMemory();
      for (const byPeer of [undefined, false, true, true]) {
        expect(memory.speaks).toBe(true);
        const { pacemaker } = setUpOpen(TIMING, { memory });
        pacemaker.probe(10_000);
        expect(pacemaker.close(CLOSED, byPeer)).toBe(byPeer === true);
      }
      const { log, pacemaker } = setUp(TIMING, { memory });
      pacemaker.open();
      expect(lastOf(log, 'unanswered')).toEqual({ silentFor: 0, reason: 'refused' });
    });

    it('says unanswered at once where the protocol has no place for pings, and sends none', () => {
      const { scheduler, log, pacemaker } = setUp(TIMING, { memory: new PeerMemory() });
      pacemaker.open(false);
      pacemaker.probe(10_000);
      scheduler.advance(3_600_000);
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'unanswered', { silentFor: 0, reason: 'foreign-protocol' }],
      ]);
    });

    it('says unanswered at once on a connection to a peer that is known not to speak', () => {
      const memory = new PeerMemory();
      for (let connection = 0; connection < 2; connection += 1) {
        const { scheduler, pacemaker } = setUpOpen(TIMING, { memory });
        pacemaker.probe(10_000);
        scheduler.advance(60_000);
        pacemaker.close(CLOSED);
      }
      const { scheduler, log, pacemaker } = setUp(TIMING, { memory });
      pacemaker.open();
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'unanswered', { silentFor: 0, reason: 'silent' }],
      ]);
      scheduler.advance(3_600_000);
      expect(log).toHaveLength(2);
    });

    it('says nothing more once it is closed at unanswered', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen(TIMING, {
        memory: new PeerMemory(),
      });
      handle.on('unanswered', () => pacemaker.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().at(-1)).toBe('unanswered');
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('with bytes in the buffer before its ping', () => {
    const asks: [what: string, ask: (pacemaker: HeartbeatDriver) => void][] = [
      ['routine ping', () => {}],
      ['probe', (pacemaker) => pacemaker.probe(10_000)],
      ['ping that somebody asked for', (pacemaker) => void pacemaker.ping().catch(() => {})],
    ];
    for (const [what, ask] of asks) {
      it(`gives a ${what} five times the time`, () => {
        const deadAfter = (bytes: number) => {
          const { scheduler, log, pacemaker } = setUpOpen(TIMING, { buffered: () => bytes });
          ask(pacemaker);
          scheduler.advance(3_600_000);
          const asked = log.find(([, name]) => name === 'send ping')?.[0] ?? Number.NaN;
          const [dead = Number.NaN, name] = log.at(-1) ?? [];
          expect(name).toBe('dead');
          return dead - asked;
        };
        expect(deadAfter(0)).toBe(10_250);
        expect(deadAfter(1)).toBe(50_250);
      });
    }
  });

  describe('when the peer changes the timing', () => {
    it('sets its timer afresh, also for a later ping', () => {
      const { scheduler, pacemaker } = setUpOpen({ pingTimeout: 10_000 });
      const at = vi.spyOn(scheduler, 'at');
      pacemaker.heartbeat.adopt({ pingInterval: 45_000 });
      pacemaker.retimed();
      expect(at.mock.calls).toEqual([[45_000, expect.any(Function)]]);
      expect(scheduler.pending).toBe(1);
    });

    it('pings by the new one', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      pacemaker.heartbeat.adopt({ pingInterval: 5_000 });
      pacemaker.retimed();
      expect(scheduler.pending).toBe(1);
      scheduler.advance(5_000);
      expect(log[0]).toEqual([5_000, 'send ping', '1']);
    });

    it('sets no timer where there is nothing to wait for', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      pacemaker.heartbeat.setPeerState('frozen');
      pacemaker.retimed();
      expect(scheduler.pending).toBe(0);
      scheduler.advance(3_600_000);
      expect(log).toEqual([]);
    });
  });

  describe('after a stall of our own', () => {
    it('says so also where a beat is read before its timer runs', () => {
      const { scheduler, log, names, pacemaker, pong } = setUpOpen();
      scheduler.advance(26_000); // a ping is out since 25 000, suspect is due at 28 000
      log.length = 0;
      scheduler.stall(60_000);
      pong('1');
      expect(log).toEqual([
        [86_000, 'stall', { lateBy: 58_000 }],
        [86_000, 'pong', { id: '1', latency: 61_000, sampled: false }],
      ]);
      scheduler.runDue();
      expect(names()).toEqual(['stall', 'pong', 'send ping', 'ping']); // once is enough
      expect(pacemaker.heartbeat.status).toBe('alive');
    });

    it('says how late it is, asks afresh, and only then judges', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(26_000);
      log.length = 0;
      scheduler.stall(60_000);
      scheduler.runDue();
      expect(log).toEqual([
        [86_000, 'stall', { lateBy: 58_000 }],
        [86_000, 'send ping', '2'],
        [86_000, 'ping', { id: '2' }],
      ]);
      expect(pacemaker.heartbeat.status).toBe('alive');
      scheduler.advance(60_000);
      expect(log.at(-1)?.slice(0, 2)).toEqual([96_000 + VERDICT_WAIT, 'dead']);
    });

    it('marks the latency of a pong that was queued', () => {
      const { scheduler, log, pong } = setUpOpen();
      scheduler.advance(26_000);
      scheduler.stall(60_000);
      scheduler.runDue();
      log.length = 0;
      pong('1');
      expect(log).toEqual([[86_000, 'pong', { id: '1', latency: 61_000, sampled: false }]]);
    });

    it('takes the slack of a hidden page for no stall', () => {
      const { scheduler, pacemaker, names } = setUpOpen();
      pacemaker.heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
      scheduler.advance(20_000);
      scheduler.stall(5_000 + HIDDEN_TIMER_SLACK);
      scheduler.runDue();
      expect(names()).toEqual(['send ping', 'ping']);
    });
  });

  describe('while it is suspended', () => {
    it('sets no timer, pings nobody and judges nobody', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(26_000); // a ping is out
      log.length = 0;
      pacemaker.suspend();
      expect(scheduler.pending).toBe(0);
      scheduler.advance(900_000);
      expect(log).toEqual([]);
    });

    it('hears what comes, and answers pings', () => {
      const { log, pacemaker } = setUpOpen();
      pacemaker.suspend();
      pacemaker.receive();
      pacemaker.receiveBeat({ type: 'ping', id: 'x' });
      expect(log).toEqual([[0, 'send pong', 'x']]);
    });

    it('marks the latency of a ping that was out', () => {
      const { scheduler, log, pacemaker, pong } = setUpOpen();
      pacemaker.probe(1_000);
      pacemaker.suspend();
      scheduler.stall(60_000);
      log.length = 0;
      pong('1');
      expect(log).toEqual([[60_000, 'pong', { id: '1', latency: 60_000, sampled: false }]]);
    });

    it('asks afresh when it resumes, with a full timeout', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      scheduler.advance(26_000);
      pacemaker.suspend();
      scheduler.advance(60_000);
      log.length = 0;
      pacemaker.resume();
      expect(log).toEqual([
        [86_000, 'send ping', '2'],
        [86_000, 'ping', { id: '2' }],
      ]);
      scheduler.advance(10_000 + VERDICT_WAIT);
      expect(log.at(-1)?.slice(0, 2)).toEqual([96_000 + VERDICT_WAIT, 'dead']);
    });

    it('does nothing when it resumes closed, or was not suspended', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      pacemaker.resume();
      pacemaker.suspend();
      pacemaker.close(CLOSED);
      pacemaker.resume();
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('probe', () => {
    it('pings now, and suspects the peer after the short timeout', () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      pacemaker.probe(1_000);
      expect(log).toEqual([
        [0, 'send ping', '1'],
        [0, 'ping', { id: '1' }],
      ]);
      scheduler.advance(999);
      expect(pacemaker.heartbeat.status).toBe('alive');
      scheduler.advance(1);
      expect(pacemaker.heartbeat.status).toBe('suspect');
    });

    it('sends by the function that it is given', () => {
      const { log, pacemaker } = setUpOpen();
      const send = vi.fn();
      pacemaker.probe(1_000, send);
      expect(send.mock.calls).toEqual([[{ type: 'ping', seq: 1, id: '1', first: true }]]);
      expect(log).toEqual([[0, 'ping', { id: '1' }]]);
    });
  });

  describe('ping', () => {
    it('resolves with the latency', async () => {
      const { scheduler, log, pacemaker, pong } = setUpOpen();
      const ping = pacemaker.ping();
      expect(log).toEqual([
        [0, 'send ping', '1'],
        [0, 'ping', { id: '1' }],
      ]);
      scheduler.advance(40);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      pong('1');
      await expect(ping).resolves.toBe(40);
      expect(scheduler.pending).toBe(1); // the heartbeat's own
    });

    it('goes out by the function that notify() is given, and nobody waits for its pong', () => {
      const { log, pacemaker, scheduler } = setUpOpen();
      const send = vi.fn();
      expect(pacemaker.notify(send)).toBe(undefined);
      expect(scheduler.pending).toBe(1); // the heartbeat's own
      expect(send.mock.calls).toEqual([[{ type: 'ping', seq: 1, id: '1', first: true }]]);
      expect(log).toEqual([[0, 'ping', { id: '1' }]]);
    });

    it('is settled by a later pong too', async () => {
      const { scheduler, pacemaker, pong } = setUpOpen();
      const pings: Promise<Millis>[] = [];
      for (let count = 0; count < 3; count += 1) {
        pings.push(pacemaker.ping());
        scheduler.advance(10);
      }
      pong('2');
      expect(await Promise.all(pings.map(outcomeOf))).toEqual([
        { status: 'fulfilled', value: 30 },
        { status: 'fulfilled', value: 20 },
        PENDING,
      ]);
      pong('3');
      await expect(pings[2]).resolves.toBe(10);
    });

    it('sends the id that it is given, and its pong settles it', async () => {
      const { scheduler, log, pacemaker, pong } = setUpOpen();
      const ping = pacemaker.ping({ id: 'Order_66-b' });
      scheduler.advance(40);
      pong('Order_66-b');
      expect(log).toEqual([
        [0, 'send ping', 'Order_66-b'],
        [0, 'ping', { id: 'Order_66-b' }],
        [40, 'pong', { id: 'Order_66-b', latency: 40, sampled: true }],
      ]);
      await expect(ping).resolves.toBe(40);
    });

    it('refuses an id that cannot be one, and sends nothing', async () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      const before = scheduler.pending;
      for (const id of ['', 'a b', 'a.b', 'é', 'x'.repeat(17), 'a\n', 7, null, ['a']]) {
        const outcome = await outcomeOf(pacemaker.ping({ id: id as string }));
        const reason = expect.any(InvalidOptionError);
        expect(outcome).toEqual({ status: 'rejected', reason });
        expect(outcome).toMatchObject({ reason: { option: 'id', value: id } });
      }
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(before);
    });

    it('refuses an id that is out, and says so; the ping that is out does not mind', async () => {
      const { scheduler, pacemaker, pong, names } = setUpOpen();
      const first = pacemaker.ping({ id: 'a' });
      const outcome = await outcomeOf(pacemaker.ping({ id: 'a' }));
      const message = "Expected `id` to be of no ping in flight, got `'a'` (string)";
      expect(outcome).toMatchObject({ reason: { code: 'ERR_INVALID_OPTION', message } });
      expect(names()).toEqual(['send ping', 'ping']);
      scheduler.advance(5);
      pong('a');
      await expect(first).resolves.toBe(5);
    });

    it('refuses the id of a ping of the schedule that is out', async () => {
      const { scheduler, pacemaker } = setUpOpen();
      scheduler.advance(TIMING.pingInterval); // 25 000 ms: the first ping, with the id 1
      const outcome = await outcomeOf(pacemaker.ping({ id: '1' }));
      expect(outcome).toMatchObject({ reason: { option: 'id', value: '1' } });
    });

    it('settles each of several by its own pong: none takes the place of another', async () => {
      const { scheduler, pacemaker, pong } = setUpOpen();
      const [first, second] = [pacemaker.ping(), pacemaker.ping()];
      scheduler.advance(10);
      pong('1');
      expect(await outcomeOf(first)).toEqual({ status: 'fulfilled', value: 10 });
      expect(await outcomeOf(second)).toEqual(PENDING);
      scheduler.advance(10);
      pong('2');
      expect(await outcomeOf(second)).toEqual({ status: 'fulfilled', value: 20 });
    });

    it('does not end the schedule where its pong is lost, nor where that of the schedule is', async () => {
      const { scheduler, log, pacemaker, pong } = setUpOpen();
      const lost = pacemaker.ping({ timeout: 1_000 });
      lost.catch(() => {});
      for (let at = 1_000; at <= 100_000; at += 1_000) {
        scheduler.advance(1_000);
        pacemaker.receive(); // life, but no pong
      }
      expect(await outcomeOf(lost)).toMatchObject({ reason: { code: 'ERR_PING_TIMEOUT' } });
      const sent = log.filter(([, what]) => what === 'send ping').map(([at]) => at);
      expect(sent).toEqual([0, 25_000, 50_000, 75_000, 100_000]);
      const next = pacemaker.ping();
      scheduler.advance(5);
      const [, , id] = log.findLast(([, what]) => what === 'send ping') ?? [];
      pong(id as string);
      expect(await outcomeOf(next)).toEqual({ status: 'fulfilled', value: 5 });
    });

    it('is not settled by other messages', async () => {
      const { scheduler, pacemaker } = setUpOpen();
      const ping = pacemaker.ping();
      scheduler.advance(40);
      pacemaker.receive();
      pacemaker.receiveBeat({ type: 'ping' });
      pacemaker.receiveBeat({ type: 'pong', id: 'zz' });
      expect(await outcomeOf(ping)).toEqual(PENDING);
    });

    it('rejects after its timeout and the second look', async () => {
      const { scheduler, pacemaker } = setUpOpen(QUIET);
      scheduler.advance(500);
      pacemaker.receive();
      const ping = pacemaker.ping({ timeout: 1_000 });
      scheduler.advance(1_000 + VERDICT_WAIT - 1);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(1);
      const error = await ping.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PingTimeoutError);
      expect(error).toMatchObject({ pingTimeout: 1_000, silentFor: 1_250 });
    });

    it('rejects after the timeout of the connection if it has none of its own', async () => {
      const { scheduler, pacemaker } = setUpOpen({ pingInterval: false, pingTimeout: 4_000 });
      const ping = pacemaker.ping();
      scheduler.advance(4_000 + VERDICT_WAIT - 1);
      pacemaker.receive(); // life: the connection is not dead, but this pong is missing
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(1);
      const error = await ping.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ERR_PING_TIMEOUT', pingTimeout: 4_000, silentFor: 1 });
      expect(pacemaker.heartbeat.status).toBe('alive');
    });

    it('waits for ever with a timeout that is off, its own or the one of the connection', async () => {
      const { scheduler, pacemaker } = setUpOpen(QUIET);
      const pings = [pacemaker.ping(), pacemaker.ping({ timeout: false })];
      scheduler.advance(10_000_000);
      for (const ping of pings) expect(await outcomeOf(ping)).toEqual(PENDING);
      expect(scheduler.pending).toBe(0);
    });

    it('rejects when the peer is dead, with the error that dead brings', async () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      const ping = pacemaker.ping({ timeout: 60_000 });
      scheduler.advance(TIMING.pingTimeout + VERDICT_WAIT);
      const { error } = lastOf(log, 'dead');
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: error });
      expect(scheduler.pending).toBe(0);
    });

    it('rejects when the connection closes, with the error given', async () => {
      const { scheduler, pacemaker } = setUpOpen();
      const ping = pacemaker.ping();
      pacemaker.close(CLOSED);
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: CLOSED });
      expect(scheduler.pending).toBe(0);
    });

    it('rejects where the connection is not open, and sends nothing', async () => {
      const { log, pacemaker } = setUp();
      const error = await pacemaker.ping().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ closeCode: undefined, reason: '' });
      expect(log).toEqual([]);
    });

    it('rejects with the reason of its signal; the ping stays sent', async () => {
      const { scheduler, pacemaker, pong, names } = setUpOpen();
      const controller = new AbortController();
      const ping = pacemaker.ping({ signal: controller.signal });
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      controller.abort('no longer wanted');
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: 'no longer wanted' });
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      expect(scheduler.pending).toBe(1);
      pong('1');
      expect(names()).toEqual(['send ping', 'ping', 'pong']);
    });

    it('sends nothing where its signal is aborted already', async () => {
      const { scheduler, log, pacemaker } = setUpOpen();
      const signal = AbortSignal.abort('too late');
      const before = scheduler.pending;
      await expect(pacemaker.ping({ signal })).rejects.toBe('too late');
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(before);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('rejects a timeout out of its range, and sends nothing', async () => {
      const { log, pacemaker } = setUpOpen();
      for (const timeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '1s', null]) {
        const error = await pacemaker
          .ping({ timeout: timeout as number })
          .catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(InvalidOptionError);
        expect(error).toMatchObject({ option: 'timeout', value: timeout });
      }
      expect(log).toEqual([]);
    });

    it('throws nothing in place of rejecting', () => {
      const { pacemaker } = setUp();
      expect(() => void pacemaker.ping({ timeout: -1 }).catch(() => {})).not.toThrow();
      expect(() => void pacemaker.ping().catch(() => {})).not.toThrow();
    });

    it('leaves its signal alone once it has settled', async () => {
      const { scheduler, pacemaker, pong } = setUpOpen(QUIET);
      const { signal } = new AbortController();
      const answered = pacemaker.ping({ signal });
      pong('1');
      await answered;
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      const lost = pacemaker.ping({ signal, timeout: 1_000 });
      scheduler.advance(2_000);
      expect(await outcomeOf(lost)).toMatchObject({ status: 'rejected' });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      const closed = pacemaker.ping({ signal });
      pacemaker.close(CLOSED);
      expect(await outcomeOf(closed)).toMatchObject({ status: 'rejected' });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('leaves nothing behind after 1 000 pings that were aborted', async () => {
      const { scheduler, pacemaker } = setUpOpen(QUIET);
      const controllers = Array.from({ length: 1_000 }, () => new AbortController());
      const pings = controllers.map(({ signal }) => pacemaker.ping({ timeout: 60_000, signal }));
      expect(scheduler.pending).toBe(1_000 + 1); // and the heartbeat's own, for `suspect`
      for (const controller of controllers) controller.abort('enough');
      for (const outcome of await Promise.all(pings.map(outcomeOf))) {
        expect(outcome).toEqual({ status: 'rejected', reason: 'enough' });
      }
      expect(scheduler.pending).toBe(1);
      expect(controllers.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
    });

    it('leaves nothing behind after 1 000 pings that timed out', async () => {
      const { scheduler, pacemaker, pong } = setUpOpen(QUIET);
      const signals: AbortSignal[] = [];
      const pings: Promise<unknown>[] = [];
      for (let count = 0; count < 1_000; count += 1) {
        const { signal } = new AbortController();
        signals.push(signal);
        pings.push(pacemaker.ping({ timeout: 1_000, signal }).catch((reason: unknown) => reason));
        scheduler.advance(5);
      }
      expect(scheduler.pending).toBeGreaterThan(200);
      scheduler.advance(10_000);
      for (const error of await Promise.all(pings)) expect(error).toBeInstanceOf(PingTimeoutError);
      expect(scheduler.pending).toBe(0);
      expect(signals.flatMap((signal) => getEventListeners(signal, 'abort'))).toEqual([]);
      pong((1_001).toString(36)); // to the last of them, after one at `suspect`: nobody waits
      const ping = pacemaker.ping();
      scheduler.advance(7);
      pong();
      await expect(ping).resolves.toBe(7);
    });
  });

  describe('close', () => {
    it('says nothing, and leaves nothing behind', () => {
      const { scheduler, log, pacemaker } = setUpSuspect();
      pacemaker.close(CLOSED);
      expect(pacemaker.heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
      scheduler.advance(3_600_000);
      expect(log).toEqual([]);
    });

    it('is the end of every input', () => {
      const { scheduler, log, pacemaker, pong } = setUpOpen();
      void pacemaker.ping().catch(() => {});
      pacemaker.close(CLOSED);
      log.length = 0;
      pong('1');
      pacemaker.receive();
      pacemaker.sent();
      pacemaker.receiveBeat({ type: 'ping' });
      pacemaker.probe(1_000);
      pacemaker.close(CLOSED);
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });

    it('lets the next connection begin anew, whatever was said of the last', () => {
      for (const begin of [setUpOpen, setUpSuspect]) {
        const { scheduler, log, pacemaker } = begin();
        pacemaker.close(CLOSED);
        const now = scheduler.now();
        pacemaker.open();
        expect(log).toEqual([[now, 'alive', { latency: undefined }]]);
        scheduler.advance(25_000);
        expect(log.slice(1)).toEqual([
          [now + 25_000, 'send ping', '1'],
          [now + 25_000, 'ping', { id: '1' }],
        ]);
      }
    });
  });

  describe('a listener that throws', () => {
    const names = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall'] as const;
    for (const name of names) {
      it(`at ${name} changes nothing of what follows`, async () => {
        const play = () => {
          const all = setUp();
          const { scheduler, pacemaker, pong } = all;
          const run = () => {
            pacemaker.open();
            scheduler.advance(25_010);
            pong('1');
            scheduler.advance(20_000);
            scheduler.stall(10_000);
            scheduler.runDue();
            scheduler.advance(5_000);
            pacemaker.receive();
            scheduler.advance(100_000);
          };
          return { ...all, run };
        };
        const calm = play();
        calm.run();
        for (const other of names) expect(calm.names()).toContain(other);

        const rough = play();
        const thrown = new Error('thrown in a listener');
        rough.handle.on(name, () => {
          throw thrown;
        });
        const reasons = await unhandledRejections(rough.run);
        expect(rough.log).toEqual(calm.log);
        expect(rough.scheduler.pending).toBe(0);
        const count = calm.names().filter((other) => other === name).length;
        expect(reasons).toEqual(Array.from({ length: count }, () => thrown));
      });
    }
  });

  describe('a listener that closes', () => {
    it('at alive, as the connection opens, ends everything', () => {
      const { scheduler, handle, pacemaker, names } = setUp();
      handle.on('alive', () => pacemaker.close(CLOSED));
      pacemaker.open();
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['alive']);
      expect(scheduler.pending).toBe(0);
    });

    it('at ping ends everything', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen();
      handle.on('ping', () => pacemaker.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['send ping', 'ping']);
      expect(scheduler.pending).toBe(0);
    });

    it('at ping rejects whoever asked for it', async () => {
      const { scheduler, handle, pacemaker } = setUpOpen();
      handle.on('ping', () => pacemaker.close(CLOSED));
      const ping = pacemaker.ping();
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: CLOSED });
      expect(scheduler.pending).toBe(0);
    });

    it('at suspect ends everything', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen();
      handle.on('suspect', () => pacemaker.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().at(-1)).toBe('suspect');
      expect(scheduler.pending).toBe(0);
    });

    it('at alive, as a pong comes, tells of nothing more; the ping has its latency', async () => {
      const { scheduler, handle, pacemaker, pong, names } = setUpSuspect();
      const ping = pacemaker.ping();
      handle.on('alive', () => pacemaker.close(CLOSED));
      scheduler.advance(40);
      pong('3');
      expect(names()).toEqual(['send ping', 'ping', 'alive']);
      expect(await outcomeOf(ping)).toEqual({ status: 'fulfilled', value: 40 });
      expect(scheduler.pending).toBe(0);
    });

    it('at pong ends everything', () => {
      const { scheduler, handle, pacemaker, pong, names } = setUpOpen();
      handle.on('pong', () => pacemaker.close(CLOSED));
      scheduler.advance(25_000);
      pong('1');
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['send ping', 'ping', 'pong']);
      expect(scheduler.pending).toBe(0);
    });

    it('at stall keeps the ping from being sent', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen();
      handle.on('stall', () => pacemaker.close(CLOSED));
      scheduler.stall(60_000);
      scheduler.runDue();
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['stall']);
      expect(scheduler.pending).toBe(0);
    });

    it('at the stall before a verdict keeps the verdict from being told', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen();
      let stalls = 0;
      handle.on('stall', () => {
        stalls += 1;
        if (stalls === 4) pacemaker.close(CLOSED);
      });
      scheduler.advance(25_000);
      for (let round = 0; round < 4; round += 1) {
        scheduler.stall(20_000);
        scheduler.runDue();
      }
      expect(stalls).toBe(4);
      expect(names().at(-1)).toBe('stall');
      expect(pacemaker.heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
    });

    it('at dead does no harm', () => {
      const { scheduler, handle, pacemaker, names } = setUpOpen();
      handle.on('dead', () => pacemaker.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().filter((name) => name === 'dead')).toHaveLength(1);
      expect(names().at(-1)).toBe('dead');
      expect(scheduler.pending).toBe(0);
    });
  });
});

class Woken extends Pacer {
  readonly asked: unknown[] = [];
  protected readonly scheduler: VirtualScheduler;

  constructor(scheduler: VirtualScheduler) {
    super({ ...TIMING, jitter: 0 });
    this.scheduler = scheduler;
  }

  protected get alarm(): Wake {
    return {
      set: (due) => this.asked.push(due),
      cancel: () => this.asked.push('cancel'),
    };
  }

  protected sendPing(): void {
    this.asked.push('ping');
  }

  protected sendPong(): void {}

  protected emit(): void {}
}

describe('what extends it', () => {
  it('is set and cancelled, and wakes it by tick; what is queued is not asked for', () => {
    const scheduler = new VirtualScheduler();
    const pacer = new Woken(scheduler);
    pacer.open();
    scheduler.advance(25_000);
    expect(pacer.asked).toEqual([25_000]);
    expect(scheduler.pending).toBe(0);
    pacer.tick();
    pacer.close(CLOSED);
    expect(pacer.asked).toEqual([25_000, 'ping', 25_000 + SUSPICION, 'cancel']);
  });

  it('is asked to set what follows a beat afresh', () => {
    const pacer = new Woken(new VirtualScheduler());
    pacer.open();
    pacer.receiveBeat({ type: 'pong', id: undefined });
    pacer.retimed();
    expect(pacer.asked).toEqual([25_000, 'cancel', 25_000, 'cancel', 25_000]);
  });
});
