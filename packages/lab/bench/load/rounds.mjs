// Compares servers that are all connected to their clients from the start. They run by turns: all but one
// are stopped, so that each round measures all of them within a short time, in the same processes.
import { startProcess } from './process.mjs';

/** Beats of each server before anything is measured: its code is compiled by then. */
const WARM_UP = 20_000;
const SERVER_CORE = 0;
const CLIENT_CORE = 1;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function start({ server, clients, count }, network) {
  const measured = await startProcess('beating-server.mjs', server, [], SERVER_CORE);
  const options = { port: measured.answer, count, network, ...clients };
  const peers = await startProcess('clients.mjs', options, [], CLIENT_CORE);
  await peers.ask('say');
  return { measured, peers, count, interval: server.interval };
}

async function look({ measured, peers }) {
  return { ...(await measured.ask('look')), ...(await peers.ask('look')) };
}

function each({ measured, peers }, act) {
  act(measured);
  act(peers);
}

/** With traffic there may be no beats: then it takes twice as long as they would take. */
async function warmUp(side) {
  const end = performance.now() + (2 * WARM_UP * side.interval) / side.count;
  const { beats } = await look(side);
  const isWarm = async () => (await look(side)).beats >= beats + WARM_UP;
  while (performance.now() < end && !(await isWarm())) await wait(side.interval);
}

/** What a server does in so many intervals: CPU time in µs, beats, messages, ms, and the longest turn in µs. */
async function window(side, intervals) {
  const before = await look(side);
  await wait(intervals * side.interval);
  const after = await look(side);
  return {
    cpu: after.cpu - before.cpu,
    beats: after.beats - before.beats,
    messages: after.messages - before.messages,
    lasted: after.at - before.at,
    longest: after.longest,
  };
}

/** Resumes a side, which has missed its timers, and measures it once it is in its usual way again. */
async function turn(side, { settle, intervals }) {
  each(side, (process) => process.resume());
  await side.peers.ask('resume');
  await wait(settle * side.interval);
  const seen = await window(side, intervals);
  each(side, (process) => process.stop());
  return seen;
}

/**
 * Measures each side once a round, one after another. `sides` are objects by name; each has the options of
 * its `server`, those of its `clients` and their `count`. Returns a list of windows by name.
 */
export async function byTurns(sides, { rounds, intervals, settle = 3 }) {
  const running = new Map();
  const seen = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  try {
    for (const [name, side] of Object.entries(sides)) {
      running.set(name, await start(side, running.size));
      await warmUp(running.get(name));
      each(running.get(name), (process) => process.stop());
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, side] of running) seen[name].push(await turn(side, { settle, intervals }));
    }
  } finally {
    for (const { measured, peers } of running.values())
      await Promise.all([peers.end(), measured.end()]);
  }
  return seen;
}

/**
 * Measures all sides at the same time, for intervals so long that they hardly load the machine. The first
 * window is not counted.
 */
export async function together(sides, { rounds, intervals }) {
  const running = new Map();
  const seen = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  try {
    for (const [name, side] of Object.entries(sides))
      running.set(name, await start(side, running.size));
    for (let round = -1; round < rounds; round += 1) {
      const windows = [...running].map(async ([name, side]) => [
        name,
        await window(side, intervals),
      ]);
      const all = await Promise.all(windows);
      if (round >= 0) for (const [name, one] of all) seen[name].push(one);
    }
  } finally {
    for (const { measured, peers } of running.values())
      await Promise.all([peers.end(), measured.end()]);
  }
  return seen;
}
