// What it costs to re-arm one of a million timers of a wheel, its share of the turning included.
//
// A million connections fit into no cache. Where they are met in any order, every one of them costs
// what the memory costs, whatever keeps its timer: so the wheel is held there against a million
// timers of Node met in the same order, and where it meets one after the other against one timer.
import { TimingWheel } from '@wirebeat/core';
import { ratio, timerPair, timerPairs } from './measure.mjs';
import { report } from './report.mjs';

const COUNT = 1_000_000;
const GRANULE = 100;
const WAIT = 250; // granules: the usual 25 s

/** A scheduler whose one timer runs when the clock is moved to it. */
class Clock {
  time = 0;
  #due = Number.POSITIVE_INFINITY;
  #callback = () => {};

  now() {
    return this.time;
  }

  at(due, callback) {
    this.#due = due;
    this.#callback = callback;
    return { cancel: () => {} };
  }

  step() {
    this.time += GRANULE;
    if (this.time < this.#due) return;
    this.#due = Number.POSITIVE_INFINITY;
    this.#callback();
  }
}

/** The numbers from 0, in an order that no cache foresees. */
function shuffled(count) {
  const numbers = Int32Array.from({ length: count }, (_, index) => index);
  let state = 1;
  for (let last = count - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Knuth, TAOCP vol. 2, §3.3.4
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}

/**
 * Each entry is put off 10 s before it is due, as by a message, and is looked at once for each time
 * it is put off: when the time comes for which it is listed.
 */
function puttingOff(order) {
  const every = WAIT - 100;
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  const entries = Array.from(order, () => wheel.add(Number.POSITIVE_INFINITY, () => {}));
  const size = Math.ceil(COUNT / every);
  const groups = Array.from({ length: every }, (_, group) =>
    order.slice(group * size, (group + 1) * size).map((index) => entries[index]),
  );
  for (const [group, members] of groups.entries()) {
    for (const entry of members) wheel.move(entry, (group + 100) * GRANULE);
  }
  let step = 0;
  const run = () => {
    const due = (step + WAIT) * GRANULE;
    for (const entry of groups[step % every]) wheel.move(entry, due);
    step += 1;
    clock.step();
  };
  for (let warm = 0; warm < 2 * every; warm += 1) run();
  return { calls: COUNT / every, run };
}

/** Each entry runs when it is due, and is armed again by its own callback, as by a ping. */
function firing(order) {
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  const size = Math.ceil(COUNT / WAIT);
  const entries = Array.from(order, () => {
    const entry = wheel.add(Number.POSITIVE_INFINITY, () => {
      wheel.move(entry, clock.time + WAIT * GRANULE);
    });
    return entry;
  });
  for (const [position, index] of order.entries()) {
    wheel.move(entries[index], (1 + Math.floor(position / size)) * GRANULE);
  }
  const run = () => clock.step();
  for (let warm = 0; warm < 2 * WAIT; warm += 1) run();
  return { calls: COUNT / WAIT, run };
}

/** What every message would pay if nothing were put off lazily. */
function replacing(order) {
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  const nothing = () => {};
  const entries = Array.from(order, (_, index) =>
    wheel.add((1 + (index % WAIT)) * GRANULE, nothing),
  );
  let next = 0;
  const run = () => {
    const index = order[next];
    next = (next + 1) % COUNT;
    wheel.remove(entries[index]);
    entries[index] = wheel.add(WAIT * GRANULE, nothing);
  };
  return { calls: 1, run };
}

const anyOrder = shuffled(COUNT);
const inOrder = anyOrder.toSorted();
const pair = timerPair();
const pairs = timerPairs(anyOrder);
const rows = [];
async function row(what, subject, base, budget) {
  const { ratio: measured, nanoseconds } = await ratio(subject, base);
  const note = `${nanoseconds.toFixed(0)} ns`;
  rows.push({ what, measured, unit: `× ${base.name}`, budget, note });
}
await row('one after the other: put off, and looked at once', puttingOff(inOrder), pair, 1);
await row('in any order: put off, and looked at once', puttingOff(anyOrder), pairs, 1);
await row('in any order: removed, and another added', replacing(anyOrder), pairs, 1);
// Of what has no budget: its callback is not the wheel's, and a cache is compared with the memory.
await row('one after the other: run, and armed by its callback', firing(inOrder), pair);
await row('in any order: run, and armed by its callback', firing(anyOrder), pairs);
await row('in any order, held against the one timer: put off', puttingOff(anyOrder), pair);
pair.end();
pairs.end();
report('What does it cost to re-arm one of 1 000 000 timers of a wheel?', rows);
