// Measures costs as ratios: subject and baseline run alternately in one process, and CPU time counts
// instead of clock time, so that other load has little effect.
import { measure } from 'mitata';

const ROUNDS = 9;
const ROUND = {
  now: processorTime,
  // Anything shorter than 20 µs is measured in batches: the clock counts microseconds.
  batch_threshold: 20_000,
  batch_samples: 2 ** 17,
  min_samples: 5,
  min_cpu_time: 40e6, // ns
};

const LONG = 3_600_000; // no timer fires meanwhile
const nothing = () => {};

/**
 * The cost of postponing the timer of one connection repeatedly while 10 000 others wait equally long.
 * Alone, it would cost three times as much: Node keeps a list per duration and would create it each
 * time.
 */
export function timerPair() {
  const others = Array.from({ length: 10_000 }, () => setTimeout(nothing, LONG));
  let timer = setTimeout(nothing, LONG);
  return {
    name: 'a clearTimeout + setTimeout pair',
    calls: 1,
    run: () => {
      clearTimeout(timer);
      timer = setTimeout(nothing, LONG);
    },
    end: () => {
      for (const each of [...others, timer]) clearTimeout(each);
    },
  };
}

/** The same for as many connections as `order` has numbers, in turn. */
export function timerPairs(order) {
  const timers = Array.from(order, () => setTimeout(nothing, LONG));
  let next = 0;
  return {
    name: 'a pair on one of as many timers',
    calls: 1,
    run: () => {
      const index = order[next];
      next = next + 1 === order.length ? 0 : next + 1;
      clearTimeout(timers[index]);
      timers[index] = setTimeout(nothing, LONG);
    },
    end: () => {
      for (const each of timers) clearTimeout(each);
    },
  };
}

/** Resolves to the cost of one call of `subject` as a multiple of `base`: the median of the rounds. */
export async function ratio(subject, base) {
  const ratios = [];
  const costs = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = (await measure(base.run, { ...ROUND })).p50 / base.calls;
    const other = (await measure(subject.run, { ...ROUND })).p50 / subject.calls;
    ratios.push(other / one);
    costs.push(other);
  }
  return { ratio: median(ratios), nanoseconds: median(costs) };
}

/** Resolves to the bytes that one call allocates after warm-up: the minimum of several tries. */
export async function allocation({ calls, run }) {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10)); // the compiler has a thread of its own
    globalThis.gc();
    const before = process.memoryUsage().heapUsed;
    run();
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls);
  }
  return Math.floor(least * 10) / 10; // less than a tenth is the cost of measuring
}

/** Returns the bytes of heap and external memory that each of a million results of `create` holds. */
export function footprint(create, count = 1_000_000) {
  const held = new Array(count).fill(undefined);
  const before = used();
  for (let index = 0; index < count; index += 1) held[index] = create(index);
  const bytes = (used() - before) / count;
  return held.length === count ? bytes : Number.NaN; // what is held is used after, so that it is held
}

/** Returns the heap and external memory in use, in bytes. `external` includes array buffers. */
export function used() {
  globalThis.gc();
  globalThis.gc(); // what weak references and finalizers held on to
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Returns the CPU time of the whole process, including garbage collector and compiler, in ns. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return 1_000 * (user + system);
}

export function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

/** Returns the first quartile, the median and the third quartile. */
export function quartiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part) => {
    const place = part * (sorted.length - 1);
    const below = sorted[Math.floor(place)];
    return below + (place % 1) * (sorted[Math.ceil(place)] - below);
  };
  return [at(0.25), at(0.5), at(0.75)];
}
