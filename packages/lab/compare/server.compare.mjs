// How much memory and CPU time does a connection cost its server?
//
// The server is a separate process; its clients are bare connections of another one. Memory is what is
// added to `ws` sockets with listeners; Engine.IO brings its own sockets and is compared with bare
// ones. CPU time is that of the server process per heartbeat, including system calls, with a heartbeat
// every 1.2 s, which wirebeat needs an option for.
import { added, whole } from '../bench/load/memory.mjs';
import { look } from '../bench/load/window.mjs';
import { median } from '../bench/measure.mjs';
import { conclude } from './conclusion.mjs';
import { amount } from './trial.mjs';

const IDLE = amount(2_048, 512);
const BEATING = amount(1_000, 50);
const ROUNDS = amount(3, 1);
const INTERVAL = 1_200; // of the servers; clients that ping do so each second
const FIRST = '\u0005wb.1;v=1';
const EIO = { path: '/engine.io/?EIO=4&transport=websocket' };

const SPEAKING = { says: FIRST, asks: '\u0005wb' };
const OFTEN = 'wirebeat with `pingInterval: 1_200`';
/** How the idle and the active clients behave. If one is missing, it is not measured. */
const SUBJECTS = [
  { name: 'wirebeat, by protocol Pings', subject: 'wirebeat at its defaults', idle: {} },
  {
    name: 'wirebeat, of clients that send beats',
    subject: 'wirebeat at its defaults',
    idle: { says: FIRST },
  },
  { name: `${OFTEN}, by protocol Pings`, subject: 'wirebeat with an interval', beating: {} },
  {
    name: `${OFTEN}, of clients that send beats`,
    subject: 'wirebeat with an interval',
    beating: SPEAKING,
  },
  { name: 'the recipe of the README of ws', subject: 'readme', idle: {}, beating: {} },
  { name: 'ws-heartbeat', subject: 'ws-heartbeat', idle: {}, beating: { asks: '{"kind":"ping"}' } },
  { name: 'engine.io', subject: 'engine.io', idle: EIO, beating: EIO, isWhole: true },
];

async function memoryOf({ subject, idle: clients, isWhole = false }) {
  const [of, base] = isWhole ? [whole, whole] : [added, added];
  const theirs = await of({ subject, count: IDLE, clients });
  return theirs - (await base({ subject: 'nothing', count: IDLE }));
}

async function timeOf({ subject, beating }) {
  const clients = { count: BEATING, interval: 1_000, ...beating };
  const [{ cpu, beats }] = await look({
    server: { subject, interval: INTERVAL },
    clients,
    intervals: 3,
  });
  return cpu / beats;
}

const rows = SUBJECTS.map((subject) => ({ subject, memory: [], time: [] }));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const { subject, memory, time } of rows) {
    if (subject.idle !== undefined) memory.push(await memoryOf(subject));
    if (subject.beating !== undefined) time.push(await timeOf(subject));
  }
}
const ours = rows.find(({ memory }) => memory.length > 0);
const often = rows.find(({ time }) => time.length > 0);
const shown = (values, show) => (values.length === 0 ? '–' : show(median(values)));
const times = (theirs, own) => shown(theirs, (value) => (value / median(own)).toFixed(2));
conclude('server', {
  heads: [`${ROUNDS} rounds`, 'idle connection', '× ours', 'a beat each 1.2 s', '× ours'],
  rows: rows.map(({ subject, memory, time }) => [
    subject.name,
    shown(memory, (bytes) => `${bytes.toFixed(0)} B`),
    times(memory, ours.memory),
    shown(time, (microseconds) => `${microseconds.toFixed(1)} µs`),
    times(time, often.time),
  ]),
  packages: ['ws', 'ws-heartbeat', 'engine.io'],
});
