import {
  HeartbeatDriver,
  type HeartbeatOptions,
  HIDDEN_TIMER_SLACK,
  type Instant,
  type Millis,
  PeerMemory,
  VERDICT_WAIT,
} from '@wirebeat/core';
import type { Detector, StudyBeat, Subject, Surroundings } from './subject.ts';

/** What the other detectors have in common: they ignore sent messages and publish no bound. */
const PLAIN = { act: (): void => {}, bound: Number.POSITIVE_INFINITY };

/** The core, driven as the client and the server drive it. */
function wirebeat(
  options: HeartbeatOptions,
  around: Surroundings,
  memory: PeerMemory | undefined,
): Detector {
  const driver: HeartbeatDriver = new HeartbeatDriver(
    { jitter: 0.1, random: around.random, ...options },
    around.scheduler,
    {
      sendPing: ({ id }) => around.send({ type: 'ping', id }),
      sendPong: (id) => around.send({ type: 'pong', id }),
      emit: (name, event) => {
        if (name === 'suspect') around.suspect();
        else if (name === 'alive') around.alive();
        else if (name === 'dead') around.dead();
        else if (name === 'stall') {
          const { pingTimeout, timerSlack } = driver.heartbeat;
          around.stalled(event.lateBy, pingTimeout + VERDICT_WAIT + 2 * timerSlack); // law 14
        }
      },
    },
    memory,
  );
  const { heartbeat } = driver;
  if (around.isHidden) heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
  driver.open();
  driver.probe(heartbeat.pingTimeout);
  return {
    receive: (beat) => driver.receiveBeat(beat),
    act: () => driver.sent(),
    get bound() {
      return heartbeat.detectionBound;
    },
    get pingTimeout() {
      return heartbeat.pingTimeout;
    },
  };
}

/** The defaults of `@wirebeat/client`. */
function client(around: Surroundings, memory: Map<string, unknown>): Detector {
  const known = (memory.get('peer') as PeerMemory | undefined) ?? new PeerMemory();
  memory.set('peer', known);
  return wirebeat({ probeAfter: 1_000, suspectAfter: 400 }, around, known);
}

/** The defaults of `@wirebeat/server`. */
const server = (around: Surroundings): Detector =>
  wirebeat({ pingInterval: 30_000, pingTimeout: 20_000 }, around, undefined);

/** engine.io 6.6, socket.ts, protocol 4: pings 25 s after each pong and waits 20 s for the answer. */
function engineServer({ scheduler, send, dead }: Surroundings): Detector {
  const [pingInterval, pingTimeout] = [25_000, 20_000];
  const ping = () => {
    send({ type: 'ping' });
    timer = scheduler.at(scheduler.now() + pingTimeout, dead);
  };
  const schedule = () => scheduler.at(scheduler.now() + pingInterval, ping);
  let timer = schedule();
  const receive = () => {
    timer.cancel();
    timer = schedule();
  };
  return { ...PLAIN, pingTimeout, receive };
}

/** engine.io-client 6.6, socket.ts: dead if no ping arrives for the sum of both times. */
function engineClient({ scheduler, send, dead }: Surroundings): Detector {
  const silence = 45_000;
  const schedule = () => scheduler.at(scheduler.now() + silence, dead);
  let timer = schedule();
  const receive = () => {
    timer.cancel();
    timer = schedule();
    send({ type: 'pong' });
  };
  return { ...PLAIN, pingTimeout: silence, receive };
}

/**
 * Python's websockets 17, `keepalive()`: sleeps 20 s less the latency, pings, waits 20 s for the
 * answer.
 */
function websockets({ scheduler, send, dead }: Surroundings): Detector {
  const [pingInterval, pingTimeout] = [20_000, 20_000];
  let [count, sentAt]: [number, Instant] = [0, 0];
  const ping = () => {
    count += 1;
    sentAt = scheduler.now();
    send({ type: 'ping', id: String(count) });
    timer = scheduler.at(sentAt + pingTimeout, dead);
  };
  const sleep = (latency: Millis) => scheduler.at(scheduler.now() + pingInterval - latency, ping);
  let timer = sleep(0);
  const receive = ({ id }: StudyBeat) => {
    if (id !== String(count)) return;
    timer.cancel();
    timer = sleep(scheduler.now() - sentAt);
  };
  return { ...PLAIN, pingTimeout, receive };
}

/**
 * The README of ws 8: every 30 s, terminates each socket that has not answered and pings all others.
 */
function wsSweep({ scheduler, random, send, dead }: Surroundings): Detector {
  const period = 30_000;
  let isAlive = true;
  const sweep = () => {
    if (!isAlive) return dead();
    isAlive = false;
    send({ type: 'ping' });
    scheduler.at(scheduler.now() + period, sweep);
  };
  scheduler.at(scheduler.now() + Math.round(random() * period), sweep);
  const receive = () => {
    isAlive = true;
  };
  return { ...PLAIN, pingTimeout: period, receive };
}

const ENGINE_CLIENT = 'engine.io client 25/20';
const ENGINE_SERVER = 'engine.io server 25/20';

/** The common settings of our client. */
const CLIENT = { home: 'page', suspects: true, rival: ENGINE_CLIENT, attach: client } as const;
const SERVER = { home: 'program', suspects: true, rival: ENGINE_SERVER, attach: server } as const;

/**
 * The detectors that are compared. Only wirebeat reacts to sent messages, so only it also runs with an
 * active user.
 */
export const SUBJECTS: readonly Subject[] = [
  { name: 'wirebeat client, idle', ...CLIENT },
  { name: 'wirebeat client, acting', isActing: true, ...CLIENT },
  { name: 'wirebeat server', ...SERVER },
  { name: ENGINE_CLIENT, home: 'page', peerPings: 25_000, attach: engineClient },
  { name: ENGINE_SERVER, home: 'program', attach: engineServer },
  { name: 'websockets 20/20', home: 'program', attach: websockets },
  { name: 'ws README sweep 30', home: 'program', attach: wsSweep },
];
