// Measures the cost of the machine: the hot path against an empty call, a heartbeat against a pair of
// timer calls.
import { Heartbeat } from '@wirebeat/core';
import { allocation, ratio, timerPair } from './measure.mjs';
import { report } from './report.mjs';

// Short, so that the instants stay small integers for a hundred million beats.
const TIMING = { pingInterval: 20, pingTimeout: 10 };
const ROUND_TRIP = 1;
const LOOP = 100_000; // calls in one run, so that the bench itself costs nothing

/** Returns an open machine whose first ping, which has an id, was answered. */
function opened() {
  const heartbeat = new Heartbeat(TIMING);
  const clock = { now: 1 };
  heartbeat.open(clock.now);
  beat(heartbeat, clock);
  return { heartbeat, clock };
}

/** Sends a ping when it is due, and receives its pong. */
function beat(heartbeat, clock) {
  const [ping] = heartbeat.tick(heartbeat.deadline);
  clock.now = heartbeat.lastSent + ROUND_TRIP;
  return heartbeat.receivePong(clock.now, ping.id);
}

function beating() {
  const { heartbeat, clock } = opened();
  return { calls: 1, run: () => beat(heartbeat, clock) };
}

// Each has its own loop: with a shared one, the compiler would optimize for several call targets.

function receiving() {
  const { heartbeat, clock } = opened();
  let start = clock.now;
  const run = () => {
    for (let index = 0; index < LOOP; index += 1) heartbeat.receive(start + index);
    start += LOOP;
  };
  return { calls: LOOP, run };
}

function receivingFractions() {
  const { heartbeat, clock } = opened();
  let start = clock.now;
  const run = () => {
    for (let index = 0; index < LOOP; index += 1) heartbeat.receive(start + index * 0.125);
    start += LOOP * 0.125;
  };
  return { calls: LOOP, run };
}

class Empty {
  receive(_now) {}
}

function calling() {
  const empty = new Empty();
  let start = 0;
  const run = () => {
    for (let index = 0; index < LOOP; index += 1) empty.receive(start + index);
    start += LOOP;
  };
  return { name: 'an empty call', calls: LOOP, run };
}

const pair = timerPair();
const empty = calling();
const allocated = await allocation(receiving());
const receive = await ratio(receiving(), empty);
const cycle = await ratio(beating(), pair);
const fractions = await ratio(receivingFractions(), empty); // last: who has seen one keeps boxes
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
  { what: 'receive(now) allocates', measured: allocated, unit: 'bytes', budget: 0 },
  row('a ping and its pong', cycle, pair, 2),
]);
