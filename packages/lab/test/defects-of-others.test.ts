// What libraries like this one were found to do wrong, each by what it would look like here. The rules behind
// stand in the tests of the packages; these say which mistakes are not to come back.
import { Backoff } from '@wirebeat/core';
import { seededRandom } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { KINDS, minimalPeer, silentPeer } from '../../client/test/fake-server.ts';
import { dial, dialOpen, eventsOf, type Stage, settle } from '../../client/test/stage.ts';

const PING_INTERVAL = 5_000;
const PING_TIMEOUT = 10_000;
const OPTIONS = { pingInterval: PING_INTERVAL, pingTimeout: PING_TIMEOUT };
/** Without a standby, which would take over before the link is dead. */
const ALONE = { ...OPTIONS, makeBeforeBreak: false };

/** Something happens each second. */
function eachSecond({ scheduler }: Stage, seconds: number, happens: (second: number) => void) {
  for (let second = 0; second < seconds; second += 1) {
    happens(second);
    scheduler.advance(1_000);
  }
}

const deaths = ({ log }: Stage) => eventsOf(log, 'dead').length;
const pings = ({ log }: Stage) => log.filter(({ name }) => name === 'ping').map(({ at }) => at);

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each(KINDS)('with a class like that of %s', (kind) => {
  it('a lost pong does not end all further pings', () => {
    const stage = dialOpen(kind, ALONE);
    const { server, scheduler, socket } = stage;
    let asked = 0;
    server.answer = (text) => {
      asked += 1;
      return asked === 2 ? undefined : minimalPeer(text);
    };
    const before = pings(stage).length;
    scheduler.advance(60_000);
    expect(pings(stage).length - before).toBeGreaterThanOrEqual(60_000 / PING_INTERVAL);
    expect([deaths(stage), socket.status]).toEqual([0, 'alive']);
  });

  it('pongs that nobody asked for neither stand for answers nor keep pings back', () => {
    const stage = dialOpen(kind, OPTIONS);
    stage.server.answer = silentPeer;
    const { peer } = stage.server.last;
    const before = pings(stage).length;
    eachSecond(stage, 20, () => peer.send('\u0006wb.nobody'));
    expect(pings(stage).length).toBeGreaterThan(before);
    eachSecond(stage, 100, () => peer.readyState === 1 && peer.send('\u0006wb.nobody'));
    expect(eventsOf(stage.log, 'dead')[0]?.detail.reason).toBe('one-way');
  });

  it('a jump of the wall clock is no timeout', () => {
    const stage = dialOpen(kind, OPTIONS);
    const clock = Date.now();
    for (const jump of [36_000_000, -36_000_000, 0]) {
      vi.spyOn(Date, 'now').mockReturnValue(clock + jump);
      stage.scheduler.advance(60_000);
    }
    expect([deaths(stage), eventsOf(stage.log, 'close').length]).toEqual([0, 0]);
    expect(stage.socket.status).toBe('alive');
  });

  it('data that comes is life, though a pong is later than the timeout', () => {
    const stage = dialOpen(kind, OPTIONS);
    const { server, scheduler } = stage;
    const { peer } = server.last;
    server.answer = (text) => {
      const pong = minimalPeer(text);
      const late = scheduler.now() + 1.5 * PING_TIMEOUT;
      if (pong !== undefined) scheduler.at(late, () => peer.readyState === 1 && peer.send(pong));
      return undefined;
    };
    eachSecond(stage, 120, () => peer.send('data'));
    expect(deaths(stage)).toBe(0);
  });

  it('incoming data does not hold our own pings back: the server receives them', () => {
    const stage = dialOpen(kind, OPTIONS);
    const { peer } = stage.server.last;
    eachSecond(stage, 60, () => peer.send('data'));
    const at = [0, ...pings(stage), stage.scheduler.now()];
    const gaps = at.slice(1).map((each, index) => each - (at[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(PING_INTERVAL);
  });

  it('who waited for answers in vain leaves no listener behind, and no timer', async () => {
    const { server, scheduler, socket } = dialOpen(kind, { pingInterval: false });
    server.answer = silentPeer;
    const { client } = server.last;
    const failures: unknown[] = [];
    const waitInVain = async () => {
      socket.ping({ timeout: 10 }).catch((error: unknown) => failures.push(error));
      scheduler.advance(300);
      await settle();
    };
    const before = client.listenerCount;
    for (let time = 0; time < 20; time += 1) await waitInVain();
    expect(failures).toHaveLength(20);
    expect(client.listenerCount).toBe(before);
    expect(scheduler.pending).toBeLessThanOrEqual(2); // the verdicts that are due
  });

  it('a timer of the old socket does not close the new one', () => {
    const stage = dialOpen(kind, OPTIONS);
    const { server, scheduler, socket, log } = stage;
    const old = server.last;
    old.cut();
    scheduler.advance(30_000);
    expect(server.links).toHaveLength(2);
    old.mend();
    old.peer.send('late');
    for (const type of ['message', 'error', 'close'])
      old.dispatch({ type, data: 'late', code: 1006 });
    scheduler.advance(300_000);
    expect(server.links).toHaveLength(2);
    expect([eventsOf(log, 'close').length, socket.readyState]).toEqual([1, 1]);
    expect(eventsOf(log, 'message')).toEqual([]);
  });

  it('a death is emitted once', () => {
    const stage = dialOpen(kind, OPTIONS);
    stage.server.greeting = 'refuse';
    stage.server.last.cut();
    stage.scheduler.advance(600_000);
    expect([deaths(stage), eventsOf(stage.log, 'suspect').length]).toEqual([1, 1]);
    expect(eventsOf(stage.log, 'close')).toHaveLength(1);
  });

  it('nobody waits for the closing handshake of a dead link', () => {
    const stage = dialOpen(kind, ALONE);
    const { server, scheduler, log } = stage;
    server.last.cut();
    scheduler.advance(60_000);
    const [dead] = log.filter(({ name }) => name === 'dead');
    const [close] = log.filter(({ name }) => name === 'close');
    const opens = log.filter(({ name }) => name === 'open');
    expect(close?.at).toBe(dead?.at);
    expect((opens[1]?.at ?? Number.NaN) - (dead?.at ?? 0)).toBeLessThanOrEqual(500 + 10);
  });

  it('reconnect() in the wait between two attempts dials at once', () => {
    const stage = dial(kind, OPTIONS, 'refuse');
    const { server, scheduler, socket, log } = stage;
    scheduler.advance(60_000);
    server.greeting = 'accept';
    const dialled = server.links.length;
    expect(eventsOf(log, 'retry').at(-1)?.detail.delay).toBeGreaterThan(5_000);
    socket.reconnect();
    expect(server.links).toHaveLength(dialled + 1);
    scheduler.advance(10);
    expect(socket.readyState).toBe(1);
  });

  it('seconds are not taken for milliseconds, by us or by what a server asks for', () => {
    const stage = dialOpen(kind, { pingTimeout: PING_TIMEOUT });
    const { server, scheduler, log } = stage;
    const beat = (text: string) => server.last.peer.send(text);
    const gap = () => (pings(stage).at(-1) ?? 0) - (pings(stage).at(-2) ?? 0);
    scheduler.advance(60_000);
    expect(gap()).toBe(25_000); // by default
    beat('\u0006wb;pingInterval=4000');
    scheduler.advance(60_000);
    expect(gap()).toBe(4_000);
    beat('\u0006wb;pingInterval=25'); // whoever means seconds is not flooded
    scheduler.advance(60_000);
    expect(gap()).toBe(1_000);
    beat('\u0005wb;retryAfter=7000');
    scheduler.advance(100);
    server.last.peer.close(1012);
    scheduler.advance(100);
    expect(eventsOf(log, 'retry').at(-1)?.detail.delay).toBe(7_000);
  });
});

describe('the wait between attempts', () => {
  it('is a number, within its limits and left to chance, at the ten thousandth attempt too', () => {
    const backoff = new Backoff({ random: seededRandom(7) });
    const waits = Array.from({ length: 10_000 }, () => backoff.next());
    expect(waits.every((wait) => wait >= 0 && wait <= 30_000)).toBe(true);
    const last = waits.slice(-100);
    expect(new Set(last).size).toBe(100);
    expect(Math.max(...last) - Math.min(...last)).toBeGreaterThan(15_000);
  });
});
