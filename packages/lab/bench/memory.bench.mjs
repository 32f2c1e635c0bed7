// Measures the memory of a million instances: the difference in heap and external memory.
import { Heartbeat, initialTiming, resolveHeartbeatOptions, TimingWheel } from '@wirebeat/core';
import { footprint, used } from './measure.mjs';
import { report } from './report.mjs';

const OPTIONS = { pingInterval: 25_000, pingTimeout: 10_000 };
const timing = initialTiming(resolveHeartbeatOptions(OPTIONS));

/** Open since `now`, with its first ping answered after 20 ms: the usual state. */
function answered(given, now) {
  const heartbeat = new Heartbeat(given);
  heartbeat.open(now);
  const [ping] = heartbeat.tick(heartbeat.deadline);
  heartbeat.receivePong(heartbeat.lastSent + 20, ping.id);
  return heartbeat;
}

/** The same with its second ping outstanding. */
function waiting(given, now) {
  const heartbeat = answered(given, now);
  heartbeat.tick(heartbeat.deadline);
  return heartbeat;
}

function entries(count) {
  const scheduler = { now: () => 0, at: () => ({ cancel: () => {} }) };
  const wheel = new TimingWheel(scheduler);
  const callback = () => {};
  const before = used();
  for (let index = 0; index < count; index += 1) wheel.add(index % 25_000, callback);
  const bytes = (used() - before) / count;
  return wheel.size === count ? bytes : Number.NaN;
}

const worst = Math.max(
  ...[700_000, 800_000, 900_000, 1_100_000, 1_200_000, 1_300_000].map(entries),
);
const row = (what, measured, budget, note) => ({ what, measured, unit: 'bytes', budget, note });
report('How much memory does one of 1 000 000 take?', [
  row(
    'a machine, with its statistics',
    footprint((index) => answered(timing, index % 25_000)),
    300,
    'aim: 160',
  ),
  row(
    'a machine whose instants are fractions',
    footprint((index) => answered(timing, (index % 25_000) + 0.125)),
  ),
  row(
    'a machine whose ping is on the way',
    footprint((index) => waiting(timing, index % 25_000)),
  ),
  row(
    'a machine with options of its own',
    footprint((index) => answered(OPTIONS, index % 25_000)),
  ),
  row('an entry of a wheel', entries(1_000_000), 40),
  row('the same, of 700 000 to 1 300 000', worst, 40, 'worst'),
]);
