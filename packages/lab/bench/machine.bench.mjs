// What the machine costs: the hot path against an empty call, a beat against a pair of timer calls.
import { Heartbeat } from '@wirebeat/core';
import { allocation, emptyCall, ratio, timerPair } from './measure.mjs';
import { report } from './report.mjs';

// Short, so that the instants stay small integers for a hundred million beats.
const TIMING = { pingInterval: 20, pingTimeout: 10 };
const ROUND_TRIP = 1;

/** A machine that is open and whose first ping, which carries an id, was answered. */
function opened(step = 1) {
  const heartbeat = new Heartbeat(TIMING);
  const clock = { now: step };
  heartbeat.open(clock.now);
  beat(heartbeat, clock);
  return { heartbeat, clock };
}

/** A ping when it is due, and its pong. */
function beat(heartbeat, clock) {
  const [ping] = heartbeat.tick(heartbeat.deadline);
  clock.now = heartbeat.lastSent + ROUND_TRIP;
  return heartbeat.receivePong(clock.now, ping.id);
}

function receiving(step) {
  const { heartbeat, clock } = opened(step);
  let { now } = clock;
  return {
    calls: 1,
    run: () => {
      now += step;
      heartbeat.receive(now);
    },
  };
}

function beating() {
  const { heartbeat, clock } = opened();
  return { calls: 1, run: () => beat(heartbeat, clock) };
}

const allocated = await allocation(receiving(1)); // first: once it has seen fractions, it keeps boxes
const empty = emptyCall();
const pair = timerPair();
const receive = await ratio(receiving(1), empty);
const fractions = await ratio(receiving(0.125), empty);
const cycle = await ratio(beating(), pair);
pair.end();

const row = (what, { ratio: measured, nanoseconds }, base, budget) => ({
  what,
  measured,
  unit: `× ${base.name}`,
  budget,
  note: `${nanoseconds.toFixed(1)} ns`,
});
report('What does the machine cost?', [
  row('receive(now)', receive, empty, 5),
  row('receive(now), now a fraction', fractions, empty, 5),
  {
    what: 'receive(now) allocates',
    measured: allocated,
    unit: 'bytes',
    budget: 0,
  },
  {
    what: 'receive(now) allocates, now a fraction',
    measured: await allocation(receiving(0.125)),
    unit: 'bytes',
    budget: 0,
  },
  row('a ping and its pong', cycle, pair, 2),
]);
