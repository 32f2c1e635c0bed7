// What do beats cost where there is traffic? Half of the clients, or all, send a message once in their
// interval, and the application answers it: both directions are proved, so no ping need be sent. All
// servers take turns in one run: see load/rounds.mjs.
//
// Both heartbeats ping a client that is quiet equally often. The traffic alone costs more than the pings, so
// it is subtracted by the messages that each server has answered, not by the time: after a burst of pings
// the clients send a few less.
//
//   npm run bench -- server-busy            1 000 connections, two rounds
//   npm run bench -- server-busy --full     10 000 connections, five rounds
import { byTurns } from './load/rounds.mjs';
import { quartiles } from './measure.mjs';
import { report } from './report.mjs';

const IS_FULL = process.argv.includes('--full');
const COUNT = IS_FULL ? 10_000 : 1_000;
const ROUNDS = IS_FULL ? 5 : 2;
const INTERVALS = IS_FULL ? 4 : 6;
const INTERVAL = 1_200; // of the servers
const SETTLE = 3.5; // intervals: no window begins with a burst, which may be before or after its beginning
const CLIENT_INTERVAL = 950; // of the messages: a page is asked after 0.81 of the server's, or later
// Of wirebeat between two pings of a quiet page: nine tenths of its interval, less half of the jitter.
const MEAN_INTERVAL = 0.9 * 0.95 * INTERVAL;
const FIRST = '\u0005wb.1;v=1';
const SUBJECTS = {
  traffic: { subject: 'nothing', interval: INTERVAL },
  recipe: { subject: 'readme', interval: MEAN_INTERVAL },
  wirebeat: { subject: 'wirebeat', interval: INTERVAL },
};

function sidesOf(talkers) {
  const sides = Object.entries(SUBJECTS).map(([name, server]) => [
    `${name} ${talkers}`,
    {
      count: COUNT,
      server,
      clients: { interval: CLIENT_INTERVAL, says: FIRST, talkers },
    },
  ]);
  return Object.fromEntries(sides);
}

const seen = await byTurns(
  { ...sidesOf(0.5), ...sidesOf(1) },
  { rounds: ROUNDS, intervals: INTERVALS, settle: SETTLE },
);

/** Of one connection in one interval, each round: beats, messages, and µs of CPU time. */
function each(name, talkers) {
  return seen[`${name} ${talkers}`].map(({ cpu, beats, messages, lasted }) => {
    const times = (COUNT * lasted) / INTERVAL;
    return { cpu: cpu / times, beats: beats / times, messages: messages / times };
  });
}

function rowsOf(what, talkers, { pings, target }) {
  const traffic = each('traffic', talkers);
  const recipe = each('recipe', talkers);
  const wirebeat = each('wirebeat', talkers);
  const [, beats] = quartiles(wirebeat.map((one, round) => one.beats / recipe[round].beats));
  const costAbove = ({ cpu, messages }, round) => {
    return cpu - (messages / traffic[round].messages) * traffic[round].cpu;
  };
  const above = wirebeat.map(
    (one, round) => costAbove(one, round) / costAbove(recipe[round], round),
  );
  const [low, middle, high] = quartiles(above);
  const micros = [traffic, recipe, wirebeat].map(
    (list) => quartiles(list.map(({ cpu }) => cpu))[1],
  );
  const costs = `µs a connection: traffic ${micros[0].toFixed(1)}, recipe ${micros[1].toFixed(1)}, wirebeat ${micros[2].toFixed(1)}`;
  const aim = target === undefined ? '' : `; target: ${target}`;
  return [
    { what: `${what}: pings`, measured: beats, unit: '× the recipe', budget: pings },
    {
      what: `${what}: above the traffic`,
      measured: middle,
      unit: '× the recipe',
      note: `quartiles ${low.toFixed(2)}–${high.toFixed(2)}; ${costs}${aim}`,
    },
  ];
}

report(`What do beats cost where there is traffic? (${COUNT} connections)`, [
  ...rowsOf('half talk', 0.5, { pings: 0.64, target: 1.1 }),
  ...rowsOf('all talk', 1, { pings: 0.01 }),
]);
