// What does a beat cost the server: the CPU time of its process alone, system calls included, while real
// connections beat on loopback? Its clients are light and in another process. All servers take turns in
// one run (see load/rounds.mjs), so what counts are the ratios.
//
//   npm run bench -- server-cpu            1 000 connections, two rounds
//   npm run bench -- server-cpu --full     10 000 and 1 000 connections, five rounds
//   npm run bench -- server-cpu --real     10 000 connections and the default interval, for a minute

import { byTurns, together } from './load/rounds.mjs';
import { quartiles } from './measure.mjs';
import { report } from './report.mjs';

const IS_FULL = process.argv.includes('--full');
const IS_REAL = process.argv.includes('--real');
const ROUNDS = IS_FULL ? 5 : 2;
const INTERVAL = 1_200; // of the servers
const CLIENT_INTERVAL = 1_000; // of clients that ask: 1.2 times as often
const FIRST = '\u0005wb.1;v=1';
const EIO = '/engine.io/?EIO=4&transport=websocket';
const HOUR = 3_600_000; // others would take clients for dead after the server was stopped

/** Who serves, and how its clients behave. */
const SIDES = {
  'bare frames': { server: { subject: 'net' } },
  'the recipe': { server: { subject: 'readme' } },
  'the recipe, spread': { server: { subject: 'readme, spread' } },
  'wirebeat, by protocol Ping': { server: { subject: 'wirebeat' } },
  'wirebeat, asking the page': { server: { subject: 'wirebeat' }, clients: { says: FIRST } },
  'wirebeat, the page asks': {
    server: { subject: 'wirebeat' },
    clients: { says: FIRST, asks: '\u0005wb' },
  },
  'engine.io': {
    server: { subject: 'engine.io', pingTimeout: HOUR },
    clients: { path: EIO, isSpread: true },
  },
  'ws-heartbeat': {
    server: { subject: 'ws-heartbeat', pingTimeout: HOUR },
    clients: { asks: '{"kind":"ping"}' },
  },
};
const BY_PING = ['the recipe', 'the recipe, spread', 'wirebeat, by protocol Ping'];

function sidesOf(names, count, interval, clientInterval) {
  const sides = names.map((name) => {
    const { server, clients } = SIDES[name];
    return [
      name,
      { count, server: { interval, ...server }, clients: { interval: clientInterval, ...clients } },
    ];
  });
  return Object.fromEntries(sides);
}

/** What is compared with what; `budget` tells when it becomes worse, `target` where it should be. */
function rowsOf(count) {
  return [
    ['bare frames', 'the recipe', {}],
    ['the recipe, spread', 'the recipe', {}],
    [
      'wirebeat, by protocol Ping',
      'the recipe',
      { budget: 3, target: count < 10_000 ? 1.3 : 1.25 },
    ],
    ['wirebeat, by protocol Ping', 'the recipe, spread', {}],
    ['wirebeat, asking the page', 'engine.io', { budget: 2, target: 1 }],
    ['wirebeat, the page asks', 'ws-heartbeat', { budget: 2, target: 1 }],
    ['engine.io', 'the recipe', {}],
  ];
}

function print(question, seen, rows) {
  const costs = (name) => seen[name].map(({ cpu, beats }) => cpu / beats);
  const compared = rows.map(([name, base, { budget, target }]) => {
    const [low, middle, high] = quartiles(costs(name).map((cost, at) => cost / costs(base)[at]));
    const [, micros] = quartiles(costs(name));
    const aim = target === undefined ? '' : `; target: ${target}`;
    return {
      what: name,
      measured: middle,
      unit: `× ${base}`,
      budget,
      note: `quartiles ${low.toFixed(2)}–${high.toFixed(2)}; ${micros.toFixed(1)} µs${aim}`,
    };
  });
  report(question, compared);
}

async function compareByTurns(count) {
  const sides = sidesOf(Object.keys(SIDES), count, INTERVAL, CLIENT_INTERVAL);
  const intervals = count < 10_000 ? 6 : 4;
  const seen = await byTurns(sides, { rounds: ROUNDS, intervals });
  print(`What does a beat cost the server? (${count} connections)`, seen, rowsOf(count));
}

async function compareAtDefaults() {
  const interval = 30_000;
  const sides = sidesOf(BY_PING, 10_000, interval, interval);
  const seen = await together(sides, { rounds: 1, intervals: 2 });
  const rows = rowsOf(10_000).filter(
    ([name, base]) => BY_PING.includes(name) && BY_PING.includes(base),
  );
  print('What does a beat cost the server? (10 000 connections, an interval of 30 s)', seen, rows);
}

if (IS_REAL) await compareAtDefaults();
else for (const count of IS_FULL ? [10_000, 1_000] : [1_000]) await compareByTurns(count);
