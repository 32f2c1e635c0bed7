import { EventEmitter, getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { HeartbeatDriver, type HeartbeatPort } from '../../src/driver/heartbeat-driver.ts';
import type { HeartbeatEvent, HeartbeatEvents } from '../../src/driver/heartbeat-events.ts';
import { ConnectionClosedError, InvalidOptionError, PingTimeoutError } from '../../src/errors.ts';
import { guarded } from '../../src/guarded.ts';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
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
/** No scheduled pings, no verdict. */
const QUIET: HeartbeatOptions = { pingInterval: false, pingTimeout: false };
const CLOSED = new ConnectionClosedError(1001, 'going away');

/** What an application listens to. A listener that throws does not stop the driver. */
class Handle {
  readonly #emitter: EventEmitter = new EventEmitter();

  on(name: keyof HeartbeatEvents, listener: () => void): void {
    this.#emitter.on(name, guarded(listener));
  }

  dispatch(...[name, event]: HeartbeatEvent): void {
    this.#emitter.emit(name, event);
  }
}

type Entry = readonly [at: number, what: string, details: unknown];

interface Surroundings {
  readonly memory?: PeerMemory;
  readonly buffered?: () => number;
  readonly isPaused?: () => boolean;
  readonly beforeTick?: () => void;
}

function setUp(
  options: HeartbeatOptions = TIMING,
  { memory, buffered = () => 0, isPaused = () => false, beforeTick }: Surroundings = {},
) {
  const scheduler = new VirtualScheduler();
  const handle = new Handle();
  const log: Entry[] = [];
  const port: HeartbeatPort = {
    sendPing: (ping) => log.push([scheduler.now(), 'send ping', ping.id]),
    sendPong: (id) => log.push([scheduler.now(), 'send pong', id]),
    emit: (...event) => {
      log.push([scheduler.now(), ...event]);
      handle.dispatch(...event);
    },
    bufferedBytes: () => buffered(),
    isPaused: () => isPaused(),
    ...(beforeTick && { beforeTick }),
  };
  const driver = new HeartbeatDriver(options, scheduler, port, memory);
  const pong = (id?: string) => driver.receiveBeat({ type: 'pong', id });
  const names = () => log.map(([, what]) => what);
  return { scheduler, handle, log, driver, pong, names };
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

/** A driver of an open connection; its log begins after `open`. */
function setUpOpen(options?: HeartbeatOptions, surroundings?: Surroundings) {
  const all = setUp(options, surroundings);
  all.driver.open();
  all.log.length = 0;
  return all;
}

/** A connection whose answer is overdue. */
function setUpSuspect() {
  const all = setUpOpen();
  all.scheduler.advance(TIMING.pingInterval + SUSPICION);
  expect(all.driver.heartbeat.status).toBe('suspect');
  all.log.length = 0;
  return all;
}

describe('HeartbeatDriver', () => {
  it('rejects invalid options as the machine does', () => {
    expect(() => setUp({ pingInterval: -1 })).toThrow(InvalidOptionError);
  });

  it('does nothing before it is opened', () => {
    const { scheduler, log, driver, pong } = setUp();
    driver.receive();
    driver.sent();
    driver.receiveBeat({ type: 'ping', id: 'x' });
    pong('1');
    driver.probe(1_000);
    scheduler.advance(100_000);
    expect(log).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  describe('on an open connection', () => {
    it('emits alive, without a latency', () => {
      const { log, driver } = setUp();
      driver.open();
      expect(log).toEqual([[0, 'alive', { latency: undefined }]]);
    });

    it('pings when a ping is due, and emits ping after it was sent', () => {
      const { scheduler, log } = setUpOpen();
      scheduler.advance(TIMING.pingInterval - 1);
      expect(log).toEqual([]);
      scheduler.advance(1);
      expect(log).toEqual([
        [25_000, 'send ping', '1'],
        [25_000, 'ping', { id: '1' }],
      ]);
    });

    it('emits pong with its latency', () => {
      const { scheduler, log, pong } = setUpOpen();
      scheduler.advance(TIMING.pingInterval);
      log.length = 0;
      scheduler.advance(40);
      pong('1');
      expect(log).toEqual([[25_040, 'pong', { id: '1', latency: 40, sampled: true }]]);
    });

    it('emits a bare ping and its pong without an id', () => {
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

    it('emits nothing for an unsolicited pong', () => {
      const { log, pong } = setUpOpen();
      pong('zz');
      pong();
      expect(log).toEqual([]);
    });

    it('answers a ping with its id, and emits nothing', () => {
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(100);
      driver.receiveBeat({ type: 'ping', id: 'x7' });
      driver.receiveBeat({ type: 'ping' });
      expect(log).toEqual([
        [100, 'send pong', 'x7'],
        [100, 'send pong', undefined],
      ]);
    });

    it('postpones the ping while there is traffic in both directions', () => {
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(20_000);
      driver.sent();
      driver.receive();
      scheduler.advance(24_999);
      expect(log).toEqual([]);
      scheduler.advance(1);
      expect(log[0]).toEqual([45_000, 'send ping', '1']);
    });

    it('does not postpone it for traffic in one direction', () => {
      for (const direction of ['sent', 'receive'] as const) {
        const { scheduler, log, driver } = setUpOpen();
        scheduler.advance(20_000);
        driver[direction]();
        scheduler.advance(5_000);
        expect(log[0]).toEqual([25_000, 'send ping', '1']);
      }
    });

    it('pings before a message that is sent into silence, and sets its timer for the answer', () => {
      const { scheduler, log, driver } = setUpOpen({ ...TIMING, probeAfter: 1_000 });
      scheduler.advance(999);
      driver.sent();
      expect(log).toEqual([]);
      scheduler.advance(1);
      driver.sent();
      expect(log).toEqual([
        [1_000, 'send ping', '1'],
        [1_000, 'ping', { id: '1' }],
      ]);
      scheduler.advance(SUSPICION);
      expect(lastOf(log, 'suspect')).toEqual({ silentFor: 1_000 + SUSPICION });
    });

    it('sets no timer for a message', () => {
      const { scheduler, driver } = setUpOpen();
      const at = vi.spyOn(scheduler, 'at');
      for (let count = 0; count < 1_000; count += 1) {
        driver.receive();
        driver.sent();
      }
      expect(at).not.toHaveBeenCalled();
      expect(scheduler.pending).toBe(1);
    });

    it('sets a new timer for a ping or pong', () => {
      const { scheduler, driver, pong } = setUpOpen();
      const at = vi.spyOn(scheduler, 'at');
      scheduler.advance(1);
      driver.receiveBeat({ type: 'ping' });
      expect(at.mock.calls).toEqual([[25_001, expect.any(Function)]]);
      pong();
      expect(at).toHaveBeenCalledTimes(2);
      expect(scheduler.pending).toBe(1);
    });

    it('has one timer at any time', () => {
      const { scheduler, driver, pong } = setUpOpen();
      for (let step = 0; step < 200; step += 1) {
        scheduler.advance(997);
        if (step % 7 === 0) driver.receive();
        if (step % 11 === 0) pong('1');
        if (step % 13 === 0) driver.probe(1_000);
        if (driver.heartbeat.status === 'dead') break;
        expect(scheduler.pending).toBe(1);
      }
    });

    it('waits in steps if the deadline is later than a timer can wait', () => {
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
    it('emits suspect, then dead, each once, and then nothing', () => {
      const error = expect.any(PingTimeoutError);
      const DEAD = { reason: 'ping-timeout', silentFor: 35_250, error };
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(3_600_000);
      expect(log).toEqual([
        [25_000, 'send ping', '1'],
        [25_000, 'ping', { id: '1' }],
        [28_000, 'send ping', undefined], // whoever knows only the constant gets its chance
        [28_000, 'ping', { id: undefined }],
        [28_000, 'suspect', { silentFor: 28_000 }],
        [35_250, 'dead', DEAD],
      ]);
      expect(driver.heartbeat.status).toBe('dead');
      expect(scheduler.pending).toBe(0);
    });

    it('gives the error the timeout and the time without data', () => {
      const { scheduler, log } = setUpOpen();
      scheduler.advance(60_000);
      const { error } = lastOf(log, 'dead');
      expect(error).toMatchObject({ pingTimeout: 10_000, silentFor: 35_250 });
      expect(error.message).toBe('No pong within 10000 ms; nothing received for 35250 ms');
    });

    it('emits alive again at any message, once', () => {
      const { log, driver } = setUpSuspect();
      driver.receive();
      driver.receive();
      expect(log).toEqual([[28_000, 'alive', { latency: undefined }]]);
    });

    it('emits alive with the latency at a pong, and then pong', () => {
      const { scheduler, log, pong } = setUpSuspect();
      scheduler.advance(500);
      pong('1');
      expect(log).toEqual([
        [28_500, 'alive', { latency: 3_500 }],
        [28_500, 'pong', { id: '1', latency: 3_500, sampled: true }],
      ]);
    });

    it('emits alive at a ping from the peer, and answers it', () => {
      const { log, driver } = setUpSuspect();
      driver.receiveBeat({ type: 'ping', id: 'x' });
      expect(log).toEqual([
        [28_000, 'send pong', 'x'],
        [28_000, 'alive', { latency: undefined }],
      ]);
    });

    it('emits each status once per change, over many changes', () => {
      const { scheduler, driver, names } = setUpOpen();
      for (let round = 0; round < 5; round += 1) {
        while (driver.heartbeat.status === 'alive') scheduler.advance(100);
        scheduler.advance(1_000);
        driver.receive();
      }
      const changes = names().filter((name) => name === 'alive' || name === 'suspect');
      expect(changes).toEqual(Array.from({ length: 5 }, () => ['suspect', 'alive']).flat());
      expect(names()).not.toContain('dead');
    });

    it('ignores all input once it is dead', async () => {
      const { scheduler, log, driver, pong } = setUpSuspect();
      scheduler.advance(60_000);
      log.length = 0;
      pong('1');
      driver.receive();
      driver.sent();
      driver.receiveBeat({ type: 'ping' });
      driver.probe(1_000);
      await expect(driver.ping()).rejects.toThrow(ConnectionClosedError);
      driver.close(CLOSED);
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

    it('gives no verdict, and pings as usual, so that proxies see traffic', () => {
      const { scheduler, log, driver, pause, names } = setUpPaused();
      driver.probe(10_000);
      pause();
      scheduler.advance(3_600_000);
      expect(new Set(names())).toEqual(new Set(['send ping', 'ping']));
      expect(log.length / 2).toBeGreaterThan(3_600_000 / 27_000);
      expect(driver.heartbeat.status).toBe('alive');
    });

    it('pings again afterwards, and judges by the answer to that ping', () => {
      const { scheduler, log, driver, pong, pause, goOn, names } = setUpPaused();
      driver.probe(10_000);
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

    it('does not sample the latency of a pong that waited on this side', () => {
      const { scheduler, log, driver, pong, pause, goOn } = setUpPaused();
      driver.probe(10_000);
      pause();
      scheduler.advance(8_000);
      goOn();
      pong('1');
      expect(lastOf(log, 'pong')).toMatchObject({ latency: 8_000, sampled: false });
    });

    it('does not end a suspension with another cause', () => {
      const { scheduler, log, driver, pause, goOn } = setUpPaused();
      pause();
      scheduler.advance(30_000);
      driver.suspend();
      log.length = 0;
      scheduler.advance(60_000);
      goOn();
      scheduler.advance(60_000);
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('with a peer that has never answered', () => {
    it('emits unanswered instead of dead, once, and stops pinging', () => {
      const { scheduler, log, driver } = setUpOpen(TIMING, { memory: new PeerMemory() });
      driver.probe(10_000);
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

    it('remembers across connections that the peer closes after the first ping', () => {
      const memory = new PeerMemory();
      for (const byPeer of [undefined, false, true, true]) {
        expect(memory.speaks).toBe(true);
        const { driver } = setUpOpen(TIMING, { memory });
        driver.probe(10_000);
        expect(driver.close(CLOSED, byPeer)).toBe(byPeer === true);
      }
      const { log, driver } = setUp(TIMING, { memory });
      driver.open();
      expect(lastOf(log, 'unanswered')).toEqual({ silentFor: 0, reason: 'refused' });
    });

    it('emits dead with an error that names the silence, not a ping', () => {
      const options = { ...TIMING, maxSilence: 60_000 };
      const { scheduler, log } = setUpOpen(options, { memory: new PeerMemory() });
      scheduler.advance(100_000);
      const { reason, error } = lastOf(log, 'dead');
      expect(reason).toBe('max-silence');
      expect(error.message).toBe(
        'Nothing received for 60250 ms from a peer that does not answer pings',
      );
    });

    it('emits unanswered at once if the protocol has no place for pings, and sends none', () => {
      const { scheduler, log, driver } = setUp(TIMING, { memory: new PeerMemory() });
      driver.open(false);
      driver.probe(10_000);
      scheduler.advance(3_600_000);
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'unanswered', { silentFor: 0, reason: 'foreign-protocol' }],
      ]);
    });

    it('emits unanswered at once if the peer is known not to answer pings', () => {
      const memory = new PeerMemory();
      for (let connection = 0; connection < 2; connection += 1) {
        const { scheduler, driver } = setUpOpen(TIMING, { memory });
        driver.probe(10_000);
        scheduler.advance(60_000);
        driver.close(CLOSED);
      }
      const { scheduler, log, driver } = setUp(TIMING, { memory });
      driver.open();
      expect(log).toEqual([
        [0, 'alive', { latency: undefined }],
        [0, 'unanswered', { silentFor: 0, reason: 'silent' }],
      ]);
      scheduler.advance(3_600_000);
      expect(log).toHaveLength(2);
    });

    it('emits nothing more once it is closed at unanswered', () => {
      const { scheduler, handle, driver, names } = setUpOpen(TIMING, {
        memory: new PeerMemory(),
      });
      handle.on('unanswered', () => driver.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().at(-1)).toBe('unanswered');
      expect(scheduler.pending).toBe(0);
    });
  });

  describe('with bytes in the buffer before its ping', () => {
    const asks: [what: string, ask: (driver: HeartbeatDriver) => void][] = [
      ['scheduled ping', () => {}],
      ['probe', (driver) => driver.probe(10_000)],
      ['ping that the application asked for', (driver) => void driver.ping().catch(() => {})],
    ];
    for (const [what, ask] of asks) {
      it(`gives a ${what} five times the time`, () => {
        const deadAfter = (bytes: number) => {
          const { scheduler, log, driver } = setUpOpen(TIMING, { buffered: () => bytes });
          ask(driver);
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
    it('sets a new timer, also for a later ping', () => {
      const { scheduler, driver } = setUpOpen({ pingTimeout: 10_000 });
      const at = vi.spyOn(scheduler, 'at');
      driver.heartbeat.adopt({ pingInterval: 45_000 });
      driver.rearm();
      expect(at.mock.calls).toEqual([[45_000, expect.any(Function)]]);
      expect(scheduler.pending).toBe(1);
    });

    it('pings by the new timing', () => {
      const { scheduler, log, driver } = setUpOpen();
      driver.heartbeat.adopt({ pingInterval: 5_000 });
      driver.rearm();
      expect(scheduler.pending).toBe(1);
      scheduler.advance(5_000);
      expect(log[0]).toEqual([5_000, 'send ping', '1']);
    });

    it('sets no timer if nothing is due', () => {
      const { scheduler, log, driver } = setUpOpen();
      driver.heartbeat.setPeerState('frozen');
      driver.rearm();
      expect(scheduler.pending).toBe(0);
      scheduler.advance(3_600_000);
      expect(log).toEqual([]);
    });
  });

  describe('after a stall of this process', () => {
    it('emits stall also if a pong is read before its timer runs', () => {
      const { scheduler, log, names, driver, pong } = setUpOpen();
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
      expect(driver.heartbeat.status).toBe('alive');
    });

    it('emits how late it is, pings again, and only then judges', () => {
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(26_000);
      log.length = 0;
      scheduler.stall(60_000);
      scheduler.runDue();
      expect(log).toEqual([
        [86_000, 'stall', { lateBy: 58_000 }],
        [86_000, 'send ping', '2'],
        [86_000, 'ping', { id: '2' }],
      ]);
      expect(driver.heartbeat.status).toBe('alive');
      scheduler.advance(60_000);
      expect(log.at(-1)?.slice(0, 2)).toEqual([96_000 + VERDICT_WAIT, 'dead']);
    });

    it('marks the latency of a pong that was queued as not sampled', () => {
      const { scheduler, log, pong } = setUpOpen();
      scheduler.advance(26_000);
      scheduler.stall(60_000);
      scheduler.runDue();
      log.length = 0;
      pong('1');
      expect(log).toEqual([[86_000, 'pong', { id: '1', latency: 61_000, sampled: false }]]);
    });

    it('does not take the timer slack of a hidden page for a stall', () => {
      const { scheduler, driver, names } = setUpOpen();
      driver.heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
      scheduler.advance(20_000);
      scheduler.stall(5_000 + HIDDEN_TIMER_SLACK);
      scheduler.runDue();
      expect(names()).toEqual(['send ping', 'ping']);
    });
  });

  describe('while it is suspended', () => {
    it('sets no timer, sends no ping and gives no verdict', () => {
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(26_000); // a ping is out
      log.length = 0;
      driver.suspend();
      expect(scheduler.pending).toBe(0);
      scheduler.advance(900_000);
      expect(log).toEqual([]);
    });

    it('handles what is received, and answers pings', () => {
      const { log, driver } = setUpOpen();
      driver.suspend();
      driver.receive();
      driver.receiveBeat({ type: 'ping', id: 'x' });
      expect(log).toEqual([[0, 'send pong', 'x']]);
    });

    it('marks the latency of an unanswered ping as not sampled', () => {
      const { scheduler, log, driver, pong } = setUpOpen();
      driver.probe(1_000);
      driver.suspend();
      scheduler.stall(60_000);
      log.length = 0;
      pong('1');
      expect(log).toEqual([[60_000, 'pong', { id: '1', latency: 60_000, sampled: false }]]);
    });

    it('pings again when it resumes, with a full timeout', () => {
      const { scheduler, log, driver } = setUpOpen();
      scheduler.advance(26_000);
      driver.suspend();
      scheduler.advance(60_000);
      log.length = 0;
      driver.resume();
      expect(log).toEqual([
        [86_000, 'send ping', '2'],
        [86_000, 'ping', { id: '2' }],
      ]);
      scheduler.advance(10_000 + VERDICT_WAIT);
      expect(log.at(-1)?.slice(0, 2)).toEqual([96_000 + VERDICT_WAIT, 'dead']);
    });

    it('does nothing if it resumes while closed or not suspended', () => {
      const { scheduler, log, driver } = setUpOpen();
      driver.resume();
      driver.suspend();
      driver.close(CLOSED);
      driver.resume();
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });
  });

  it('takes nothing as buffered or paused if its port reports neither', () => {
    const scheduler = new VirtualScheduler();
    const names: string[] = [];
    const port: HeartbeatPort = {
      sendPing: () => {},
      sendPong: () => {},
      emit: (...[name]) => void names.push(name),
    };
    new HeartbeatDriver(TIMING, scheduler, port).open();
    scheduler.advance(TIMING.pingInterval + TIMING.pingTimeout + VERDICT_WAIT);
    expect(names.at(-1)).toBe('dead');
  });

  describe('before each tick', () => {
    it('calls beforeTick, so that its owner can report what no event reports', () => {
      const looks: number[] = [];
      const all: ReturnType<typeof setUp> = setUp(TIMING, {
        beforeTick: () => {
          looks.push(all.scheduler.now());
          if (looks.length === 2) all.driver.receive();
        },
      });
      all.driver.open();
      all.scheduler.advance(TIMING.pingInterval);
      expect(looks).toEqual([25_000]);
      all.scheduler.advance(SUSPICION); // what it received keeps the peer from being suspect
      expect(looks).toEqual([25_000, 28_000]);
      expect(all.names()).not.toContain('suspect');
    });

    it('does not call it for other inputs', () => {
      const beforeTick = vi.fn();
      const { driver, pong } = setUpOpen(TIMING, { beforeTick });
      driver.probe(1_000);
      driver.sent();
      driver.receive();
      pong('1');
      void driver.ping().catch(() => {});
      driver.close(CLOSED);
      expect(beforeTick).not.toHaveBeenCalled();
    });
  });

  describe('probe', () => {
    it('pings now, and suspects the peer after the short timeout', () => {
      const { scheduler, log, driver } = setUpOpen();
      driver.probe(1_000);
      expect(log).toEqual([
        [0, 'send ping', '1'],
        [0, 'ping', { id: '1' }],
      ]);
      scheduler.advance(999);
      expect(driver.heartbeat.status).toBe('alive');
      scheduler.advance(1);
      expect(driver.heartbeat.status).toBe('suspect');
    });
  });

  describe('ping', () => {
    it('resolves to the latency', async () => {
      const { scheduler, log, driver, pong } = setUpOpen();
      const ping = driver.ping();
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

    it('is sent through the function that pingWith() is given, without a promise', () => {
      const { log, driver, scheduler } = setUpOpen();
      const send = vi.fn();
      expect(driver.pingWith(send)).toBe(undefined);
      expect(scheduler.pending).toBe(1); // the heartbeat's own
      expect(send.mock.calls).toEqual([[{ type: 'ping', seq: 1, id: '1', first: true }]]);
      expect(log).toEqual([[0, 'ping', { id: '1' }]]);
    });

    it('is settled by a later pong too', async () => {
      const { scheduler, driver, pong } = setUpOpen();
      const pings: Promise<Millis>[] = [];
      for (let count = 0; count < 3; count += 1) {
        pings.push(driver.ping());
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

    it('sends the given id, and its pong settles it', async () => {
      const { scheduler, log, driver, pong } = setUpOpen();
      const ping = driver.ping({ id: 'Order_66-b' });
      scheduler.advance(40);
      pong('Order_66-b');
      expect(log).toEqual([
        [0, 'send ping', 'Order_66-b'],
        [0, 'ping', { id: 'Order_66-b' }],
        [40, 'pong', { id: 'Order_66-b', latency: 40, sampled: true }],
      ]);
      await expect(ping).resolves.toBe(40);
    });

    it('rejects an invalid id, and sends nothing', async () => {
      const { scheduler, log, driver } = setUpOpen();
      const before = scheduler.pending;
      for (const id of ['', 'a b', 'a.b', 'é', 'x'.repeat(17), 'a\n', 7, null, ['a']]) {
        const outcome = await outcomeOf(driver.ping({ id: id as string }));
        const reason = expect.any(InvalidOptionError);
        expect(outcome).toEqual({ status: 'rejected', reason });
        expect(outcome).toMatchObject({ reason: { option: 'id', value: id } });
      }
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(before);
    });

    it('rejects the id of an unanswered ping, without an effect on that ping', async () => {
      const { scheduler, driver, pong, names } = setUpOpen();
      const first = driver.ping({ id: 'a' });
      const outcome = await outcomeOf(driver.ping({ id: 'a' }));
      const message = "Expected `id` to be an id that no unanswered ping has, got `'a'` (string)";
      expect(outcome).toMatchObject({ reason: { code: 'ERR_INVALID_OPTION', message } });
      expect(names()).toEqual(['send ping', 'ping']);
      scheduler.advance(5);
      pong('a');
      await expect(first).resolves.toBe(5);
    });

    it('rejects the id of an unanswered scheduled ping', async () => {
      const { scheduler, driver } = setUpOpen();
      scheduler.advance(TIMING.pingInterval); // 25 000 ms: the first ping, with the id 1
      const outcome = await outcomeOf(driver.ping({ id: '1' }));
      expect(outcome).toMatchObject({ reason: { option: 'id', value: '1' } });
    });

    it('settles each of several pings by its own pong', async () => {
      const { scheduler, driver, pong } = setUpOpen();
      const [first, second] = [driver.ping(), driver.ping()];
      scheduler.advance(10);
      pong('1');
      expect(await outcomeOf(first)).toEqual({ status: 'fulfilled', value: 10 });
      expect(await outcomeOf(second)).toEqual(PENDING);
      scheduler.advance(10);
      pong('2');
      expect(await outcomeOf(second)).toEqual({ status: 'fulfilled', value: 20 });
    });

    it('does not stop the schedule if its pong or that of a scheduled ping is lost', async () => {
      const { scheduler, log, driver, pong } = setUpOpen();
      const lost = driver.ping({ timeout: 1_000 });
      lost.catch(() => {});
      for (let at = 1_000; at <= 100_000; at += 1_000) {
        scheduler.advance(1_000);
        driver.receive(); // life, but no pong
      }
      expect(await outcomeOf(lost)).toMatchObject({ reason: { code: 'ERR_PING_TIMEOUT' } });
      const sent = log.filter(([, what]) => what === 'send ping').map(([at]) => at);
      expect(sent).toEqual([0, 25_000, 50_000, 75_000, 100_000]);
      const next = driver.ping();
      scheduler.advance(5);
      const [, , id] = log.findLast(([, what]) => what === 'send ping') ?? [];
      pong(id as string);
      expect(await outcomeOf(next)).toEqual({ status: 'fulfilled', value: 5 });
    });

    it('is not settled by other messages', async () => {
      const { scheduler, driver } = setUpOpen();
      const ping = driver.ping();
      scheduler.advance(40);
      driver.receive();
      driver.receiveBeat({ type: 'ping' });
      driver.receiveBeat({ type: 'pong', id: 'zz' });
      expect(await outcomeOf(ping)).toEqual(PENDING);
    });

    it('rejects after its timeout and VERDICT_WAIT', async () => {
      const { scheduler, driver } = setUpOpen(QUIET);
      scheduler.advance(500);
      driver.receive();
      const ping = driver.ping({ timeout: 1_000 });
      scheduler.advance(1_000 + VERDICT_WAIT - 1);
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(1);
      const error = await ping.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(PingTimeoutError);
      expect(error).toMatchObject({ pingTimeout: 1_000, silentFor: 1_250 });
    });

    it('rejects after the timeout of the connection by default', async () => {
      const { scheduler, driver } = setUpOpen({ pingInterval: false, pingTimeout: 4_000 });
      const ping = driver.ping();
      scheduler.advance(4_000 + VERDICT_WAIT - 1);
      driver.receive(); // life: the connection is not dead, but this pong is missing
      expect(await outcomeOf(ping)).toEqual(PENDING);
      scheduler.advance(1);
      const error = await ping.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ERR_PING_TIMEOUT', pingTimeout: 4_000, silentFor: 1 });
      expect(driver.heartbeat.status).toBe('alive');
    });

    it('waits forever if its timeout or that of the connection is off', async () => {
      const { scheduler, driver } = setUpOpen(QUIET);
      const pings = [driver.ping(), driver.ping({ timeout: false })];
      scheduler.advance(10_000_000);
      for (const ping of pings) expect(await outcomeOf(ping)).toEqual(PENDING);
      expect(scheduler.pending).toBe(0);
    });

    it('rejects when the peer is dead, with the error of the dead event', async () => {
      const { scheduler, log, driver } = setUpOpen();
      const ping = driver.ping({ timeout: 60_000 });
      scheduler.advance(TIMING.pingTimeout + VERDICT_WAIT);
      const { error } = lastOf(log, 'dead');
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: error });
      expect(scheduler.pending).toBe(0);
    });

    it('rejects when the connection closes, with the given error', async () => {
      const { scheduler, driver } = setUpOpen();
      const ping = driver.ping();
      driver.close(CLOSED);
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: CLOSED });
      expect(scheduler.pending).toBe(0);
    });

    it('rejects if the connection is not open, and sends nothing', async () => {
      const { log, driver } = setUp();
      const error = await driver.ping().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConnectionClosedError);
      expect(error).toMatchObject({ closeCode: undefined, reason: '' });
      expect(log).toEqual([]);
    });

    it('rejects with the reason of its signal, after the ping was sent', async () => {
      const { scheduler, driver, pong, names } = setUpOpen();
      const controller = new AbortController();
      const ping = driver.ping({ signal: controller.signal });
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      controller.abort('no longer wanted');
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: 'no longer wanted' });
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      expect(scheduler.pending).toBe(1);
      pong('1');
      expect(names()).toEqual(['send ping', 'ping', 'pong']);
    });

    it('sends nothing if its signal is already aborted', async () => {
      const { scheduler, log, driver } = setUpOpen();
      const signal = AbortSignal.abort('too late');
      const before = scheduler.pending;
      await expect(driver.ping({ signal })).rejects.toBe('too late');
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(before);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('rejects a timeout out of range, and sends nothing', async () => {
      const { log, driver } = setUpOpen();
      for (const timeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '1s', null]) {
        const error = await driver
          .ping({ timeout: timeout as number })
          .catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(InvalidOptionError);
        expect(error).toMatchObject({ option: 'timeout', value: timeout });
      }
      expect(log).toEqual([]);
    });

    it('rejects instead of throwing', () => {
      const { driver } = setUp();
      expect(() => void driver.ping({ timeout: -1 }).catch(() => {})).not.toThrow();
      expect(() => void driver.ping().catch(() => {})).not.toThrow();
    });

    it('removes its listener from the signal once it has settled', async () => {
      const { scheduler, driver, pong } = setUpOpen(QUIET);
      const { signal } = new AbortController();
      const answered = driver.ping({ signal });
      pong('1');
      await answered;
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      const lost = driver.ping({ signal, timeout: 1_000 });
      scheduler.advance(2_000);
      expect(await outcomeOf(lost)).toMatchObject({ status: 'rejected' });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      const closed = driver.ping({ signal });
      driver.close(CLOSED);
      expect(await outcomeOf(closed)).toMatchObject({ status: 'rejected' });
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('leaves nothing behind after 1 000 pings that were aborted', async () => {
      const { scheduler, driver } = setUpOpen(QUIET);
      const controllers = Array.from({ length: 1_000 }, () => new AbortController());
      const pings = controllers.map(({ signal }) => driver.ping({ timeout: 60_000, signal }));
      expect(scheduler.pending).toBe(1_000 + 1); // and the heartbeat's own, for `suspect`
      for (const controller of controllers) controller.abort('enough');
      for (const outcome of await Promise.all(pings.map(outcomeOf))) {
        expect(outcome).toEqual({ status: 'rejected', reason: 'enough' });
      }
      expect(scheduler.pending).toBe(1);
      expect(controllers.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
    });

    it('leaves nothing behind after 1 000 pings that timed out', async () => {
      const { scheduler, driver, pong } = setUpOpen(QUIET);
      const signals: AbortSignal[] = [];
      const pings: Promise<unknown>[] = [];
      for (let count = 0; count < 1_000; count += 1) {
        const { signal } = new AbortController();
        signals.push(signal);
        pings.push(driver.ping({ timeout: 1_000, signal }).catch((reason: unknown) => reason));
        scheduler.advance(5);
      }
      expect(scheduler.pending).toBeGreaterThan(200);
      scheduler.advance(10_000);
      for (const error of await Promise.all(pings)) expect(error).toBeInstanceOf(PingTimeoutError);
      expect(scheduler.pending).toBe(0);
      expect(signals.flatMap((signal) => getEventListeners(signal, 'abort'))).toEqual([]);
      pong((1_001).toString(36)); // to the last of them, after one at `suspect`: nobody waits
      const ping = driver.ping();
      scheduler.advance(7);
      pong();
      await expect(ping).resolves.toBe(7);
    });
  });

  describe('close', () => {
    it('emits nothing, and leaves nothing behind', () => {
      const { scheduler, log, driver } = setUpSuspect();
      driver.close(CLOSED);
      expect(driver.heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
      scheduler.advance(3_600_000);
      expect(log).toEqual([]);
    });

    it('makes every later input have no effect', () => {
      const { scheduler, log, driver, pong } = setUpOpen();
      void driver.ping().catch(() => {});
      driver.close(CLOSED);
      log.length = 0;
      pong('1');
      driver.receive();
      driver.sent();
      driver.receiveBeat({ type: 'ping' });
      driver.probe(1_000);
      driver.close(CLOSED);
      expect(log).toEqual([]);
      expect(scheduler.pending).toBe(0);
    });

    it('starts the next connection afresh, whatever the status was', () => {
      for (const begin of [setUpOpen, setUpSuspect]) {
        const { scheduler, log, driver } = begin();
        driver.close(CLOSED);
        const now = scheduler.now();
        driver.open();
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
      it(`at ${name} changes nothing that follows`, async () => {
        const play = () => {
          const all = setUp();
          const { scheduler, driver, pong } = all;
          const run = () => {
            driver.open();
            scheduler.advance(25_010);
            pong('1');
            scheduler.advance(20_000);
            scheduler.stall(10_000);
            scheduler.runDue();
            scheduler.advance(5_000);
            driver.receive();
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
      const { scheduler, handle, driver, names } = setUp();
      handle.on('alive', () => driver.close(CLOSED));
      driver.open();
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['alive']);
      expect(scheduler.pending).toBe(0);
    });

    it('at ping ends everything', () => {
      const { scheduler, handle, driver, names } = setUpOpen();
      handle.on('ping', () => driver.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['send ping', 'ping']);
      expect(scheduler.pending).toBe(0);
    });

    it('at ping rejects the promise of that ping', async () => {
      const { scheduler, handle, driver } = setUpOpen();
      handle.on('ping', () => driver.close(CLOSED));
      const ping = driver.ping();
      expect(await outcomeOf(ping)).toEqual({ status: 'rejected', reason: CLOSED });
      expect(scheduler.pending).toBe(0);
    });

    it('at suspect ends everything', () => {
      const { scheduler, handle, driver, names } = setUpOpen();
      handle.on('suspect', () => driver.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().at(-1)).toBe('suspect');
      expect(scheduler.pending).toBe(0);
    });

    it('at alive, when a pong is received, emits nothing more; the ping has its latency', async () => {
      const { scheduler, handle, driver, pong, names } = setUpSuspect();
      const ping = driver.ping();
      handle.on('alive', () => driver.close(CLOSED));
      scheduler.advance(40);
      pong('3');
      expect(names()).toEqual(['send ping', 'ping', 'alive']);
      expect(await outcomeOf(ping)).toEqual({ status: 'fulfilled', value: 40 });
      expect(scheduler.pending).toBe(0);
    });

    it('at pong ends everything', () => {
      const { scheduler, handle, driver, pong, names } = setUpOpen();
      handle.on('pong', () => driver.close(CLOSED));
      scheduler.advance(25_000);
      pong('1');
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['send ping', 'ping', 'pong']);
      expect(scheduler.pending).toBe(0);
    });

    it('at stall prevents the ping', () => {
      const { scheduler, handle, driver, names } = setUpOpen();
      handle.on('stall', () => driver.close(CLOSED));
      scheduler.stall(60_000);
      scheduler.runDue();
      scheduler.advance(3_600_000);
      expect(names()).toEqual(['stall']);
      expect(scheduler.pending).toBe(0);
    });

    it('at the stall before a verdict prevents the verdict', () => {
      const { scheduler, handle, driver, names } = setUpOpen();
      let stalls = 0;
      handle.on('stall', () => {
        stalls += 1;
        if (stalls === 4) driver.close(CLOSED);
      });
      scheduler.advance(25_000);
      for (let round = 0; round < 4; round += 1) {
        scheduler.stall(20_000);
        scheduler.runDue();
      }
      expect(stalls).toBe(4);
      expect(names().at(-1)).toBe('stall');
      expect(driver.heartbeat.status).toBe('idle');
      expect(scheduler.pending).toBe(0);
    });

    it('at dead has no further effect', () => {
      const { scheduler, handle, driver, names } = setUpOpen();
      handle.on('dead', () => driver.close(CLOSED));
      scheduler.advance(3_600_000);
      expect(names().filter((name) => name === 'dead')).toHaveLength(1);
      expect(names().at(-1)).toBe('dead');
      expect(scheduler.pending).toBe(0);
    });
  });
});

describe('a machine that is in use already', () => {
  it('goes on where it was, once its timer is set', () => {
    const { scheduler, driver, log } = setUp();
    driver.open();
    driver.release();
    expect(scheduler.pending).toBe(0);
    const sent: (string | undefined)[] = [];
    const heir = new HeartbeatDriver(driver.heartbeat, scheduler, {
      sendPing: ({ id }) => sent.push(id),
      sendPong: () => {},
      emit: (...[name]) => expect(name).toBe('ping'), // not `alive` again
    });
    heir.rearm();
    scheduler.advance(25_000);
    expect(sent).toEqual(['1']);
    expect(log).toHaveLength(1);
  });

  it('says whether a ping is awaited, and handles what is due when it is told to', () => {
    const { scheduler, driver, names, pong } = setUp();
    driver.open();
    driver.tick();
    expect(names()).toEqual(['alive']);
    expect(driver.isAwaited).toBe(false);
    void driver.ping();
    expect(driver.isAwaited).toBe(true);
    pong('1');
    expect(driver.isAwaited).toBe(false);
    driver.release();
    scheduler.advance(25_000);
    driver.tick();
    expect(names().filter((name) => name === 'send ping')).toHaveLength(2);
  });
});
