// What it costs to re-arm one of a million timers of a wheel, its share of the turning included.
import { TimingWheel } from '@wirebeat/core';
import { ratio, timerPair } from './measure.mjs';
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
function puttingOff() {
  const every = WAIT - 100;
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  const groups = Array.from({ length: every }, () => []);
  for (const index of shuffled(COUNT)) {
    const group = index % every;
    groups[group].push(wheel.add((group + 100) * GRANULE, () => {}));
  }
  for (const [index, group] of groups.entries()) groups[index] = shuffle(group);
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
function firing() {
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  for (const index of shuffled(COUNT)) {
    const entry = wheel.add((1 + (index % WAIT)) * GRANULE, () => {
      wheel.move(entry, clock.time + WAIT * GRANULE);
    });
  }
  const run = () => clock.step();
  for (let warm = 0; warm < 2 * WAIT; warm += 1) run();
  return { calls: COUNT / WAIT, run };
}

function shuffle(entries) {
  return shuffled(entries.length).map((index) => entries[index]);
}

/** What every message would pay if nothing were put off lazily. */
function addingAndRemoving() {
  const clock = new Clock();
  const wheel = new TimingWheel(clock, { granule: GRANULE });
  const nothing = () => {};
  const entries = Array.from({ length: COUNT }, (_, index) =>
    wheel.add((1 + (index % WAIT)) * GRANULE, nothing),
  );
  const order = shuffled(COUNT);
  let next = 0;
  const run = () => {
    const index = order[next];
    next = (next + 1) % COUNT;
    wheel.remove(entries[index]);
    entries[index] = wheel.add(((next % WAIT) + 1) * GRANULE, nothing);
  };
  return { calls: 1, run };
}

const pair = timerPair();
const subjects = {
  'put one off, and look at it once': puttingOff,
  'run one, which arms itself again': firing,
  'remove one and add another': addingAndRemoving,
};
const rows = [];
for (const [what, create] of Object.entries(subjects)) {
  const { ratio: measured, nanoseconds } = await ratio(create(), pair);
  const note = `${nanoseconds.toFixed(1)} ns`;
  rows.push({ what, measured, unit: `× ${pair.name}`, budget: 1, note });
}
pair.end();
report('What does it cost to re-arm one of 1 000 000 timers of a wheel?', rows);
