// What a beat costs the server: the processor's time of its process alone, system calls included, while
// real connections beat on loopback. Its clients are light and in another process. All sides by turns in
// one run; what counts are the ratios.
//
//   npm run bench -- server-cpu            1 000 connections, one round
//   npm run bench -- server-cpu --full     10 000 connections, five rounds
import { look } from './load/window.mjs';
import { median } from './measure.mjs';
import { report } from './report.mjs';

const FULL = process.argv.includes('--full');
const COUNT = FULL ? 10_000 : 1_000;
const ROUNDS = FULL ? 5 : 1;
const INTERVALS = FULL ? 4 : 3;
const INTERVAL = 1_200; // of the servers
const CLIENT_INTERVAL = 1_000; // of clients that drive, and of their messages: 1.2 times as often
const FIRST = '\u0005wb.1;v=1';
const EIO = '/engine.io/?EIO=4&transport=websocket';

/** Who serves, and how its clients behave. */
const SUBJECTS = {
  net: { subject: 'net' },
  readme: { subject: 'readme' },
  'wirebeat, Ping': { subject: 'wirebeat' },
  'wirebeat, asks the page': { subject: 'wirebeat', says: FIRST },
  'wirebeat, the page asks': { subject: 'wirebeat', says: FIRST, asks: '\u0005wb' },
  'engine.io': { subject: 'engine.io', path: EIO },
  'ws-heartbeat': { subject: 'ws-heartbeat', asks: '{"kind":"ping"}' },
};

/** µs a beat of each round. */
const costs = Object.fromEntries(Object.keys(SUBJECTS).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, { subject, ...clients }] of Object.entries(SUBJECTS)) {
    const [{ cpu, beats }] = await look({
      server: { subject, interval: INTERVAL },
      clients: { count: COUNT, interval: CLIENT_INTERVAL, ...clients },
      intervals: INTERVALS,
    });
    costs[name].push(cpu / beats);
  }
}

const of = (name) => median(costs[name]);
const row = (name, base, budget, aim) => ({
  what: name,
  measured: of(name) / of(base),
  unit: `× ${base}`,
  budget,
  note: `${of(name).toFixed(1)} µs${aim === undefined ? '' : `; aim: ${aim}`}`,
});
// The budgets only tell when it becomes worse than it is: the aims are not reached yet.
report(`What does a beat cost the server? (${COUNT} connections)`, [
  row('net', 'readme'),
  row('wirebeat, Ping', 'readme', 4, 1.1),
  row('wirebeat, asks the page', 'engine.io', 3, 0.9),
  row('wirebeat, the page asks', 'ws-heartbeat', 2, 1),
  row('engine.io', 'readme'),
  row('ws-heartbeat', 'readme'),
]);
