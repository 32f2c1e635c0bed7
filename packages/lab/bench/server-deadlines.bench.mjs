// Are the deadlines of a million connections met on one timer? Each has its machine and its entry in a
// wheel as on the server, in real time; there is no network, and each Ping is answered at once.
//
//   npm run bench -- server-deadlines            200 000 connections for 6 s
//   npm run bench -- server-deadlines --full     1 000 000 connections for 35 s
import {
  HeartbeatDriver,
  initialTiming,
  resolveHeartbeatOptions,
  SystemScheduler,
  TimingWheel,
} from '@wirebeat/core';
import { report } from './report.mjs';

const FULL = process.argv.includes('--full');
const COUNT = FULL ? 1_000_000 : 200_000;
const LASTS = FULL ? 35_000 : 6_000;
const INTERVAL = FULL ? 30_000 : 5_000;
const GRANULE = 10;
const PONG = { type: 'pong', id: undefined };

const system = new SystemScheduler();
let turn = { beats: 0, worst: 0, missed: 0 }; // of the wheel
let beats = 0;
let worst = 0;
let missed = 0;
let stalled = 0;

/**
 * Runs a turn of the wheel. If it ended more than a granule after it was due, then the loop was stalled,
 * by this machine or who else uses it: its deadlines are counted, and not judged.
 */
function judge(due, run) {
  turn = { beats: 0, worst: 0, missed: 0 };
  run();
  const isStalled = system.now() - due > GRANULE;
  beats += turn.beats;
  if (isStalled) stalled += turn.beats;
  else {
    worst = Math.max(worst, turn.worst);
    missed += turn.missed;
  }
}

const below = {
  now: () => system.now(),
  at: (due, callback) => system.at(due, () => judge(due, callback)),
};
const wheel = new TimingWheel(below, { granule: GRANULE, slots: 4_096 });
const timing = initialTiming(
  resolveHeartbeatOptions({ pingInterval: INTERVAL, pingTimeout: 20_000, jitter: 0.1 }),
);

/** A connection whose peer answers each ping at once. */
class Simulated {
  #driver = new HeartbeatDriver(timing, { now: () => wheel.now(), at }, this);

  /** Its first beat falls anywhere in the first interval. */
  constructor(phase) {
    this.#driver.open();
    at(wheel.now() + phase * INTERVAL, () => this.#driver.probe(0));
  }

  sendPing({ id }) {
    this.#driver.receiveBeat(id === undefined ? PONG : { type: 'pong', id });
  }

  sendPong() {}

  emit() {}
}

/** A timer of the wheel that notes how late it is. */
function at(due, callback) {
  return wheel.at(due, () => {
    const late = wheel.now() - due;
    turn.beats += 1;
    turn.worst = Math.max(turn.worst, late);
    if (late > 2 * GRANULE) turn.missed += 1;
    callback();
  });
}

const connections = Array.from({ length: COUNT }, () => new Simulated(wheel.nextPhase()));
await new Promise((resolve) => setTimeout(resolve, 1_000));
[beats, worst, missed, stalled] = [0, 0, 0, 0];
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, LASTS));
const { user, system: kernel } = process.cpuUsage(before);
const cpu = user + kernel;
report(`Are the deadlines of ${connections.length} connections met?`, [
  { what: 'met later than two granules', measured: missed, unit: 'deadlines', budget: 0 },
  { what: 'the latest', measured: worst, unit: 'ms', note: `granules of ${GRANULE} ms` },
  {
    what: 'a beat',
    measured: cpu / beats,
    unit: 'µs',
    note: `${beats} beats, ${((cpu / 1_000 / LASTS) * 100).toFixed(1)} % of a processor`,
  },
  {
    what: 'not judged: the loop was stalled',
    measured: (stalled / beats) * 100,
    unit: '%',
    budget: 50,
    note: 'by this machine, or who else uses it',
  },
]);
process.exit();
