// What does a connection cost its server, in memory and in the processor's time?
//
// The server is a process of its own, its clients bare connections of another one. Memory is what is added
// to sockets of `ws` that the application listens to already; Engine.IO brings its own sockets, and is held
// against bare ones. Time is that of the server's process for a beat, system calls included.
import { added, whole } from '../bench/load/memory.mjs';
import { look } from '../bench/load/window.mjs';
import { median } from '../bench/measure.mjs';
import { conclude } from './conclusion.mjs';

const IDLE = 2_048;
const BEATING = 1_000;
const ROUNDS = Number(process.env.COMPARE_ROUNDS ?? 3);
const INTERVAL = 1_200; // of the servers; clients that drive beat each second
const FIRST = '\u0005wb.1;v=1';
const EIO = { path: '/engine.io/?EIO=4&transport=websocket' };

const SUBJECTS = [
  { name: 'wirebeat, by protocol Pings', subject: 'wirebeat' },
  {
    name: 'wirebeat, of clients that send beats',
    subject: 'wirebeat',
    idle: { says: FIRST },
    beating: { says: FIRST, asks: '\u0005wb' },
  },
  { name: 'the recipe of the README of ws', subject: 'readme' },
  { name: 'ws-heartbeat', subject: 'ws-heartbeat', beating: { asks: '{"kind":"ping"}' } },
  { name: 'engine.io', subject: 'engine.io', idle: EIO, beating: EIO, isWhole: true },
];

async function memoryOf({ subject, idle: clients, isWhole = false }) {
  const [of, base] = isWhole ? [whole, whole] : [added, added];
  const theirs = await of({ subject, count: IDLE, clients });
  return theirs - (await base({ subject: 'nothing', count: IDLE }));
}

async function timeOf({ subject, beating = {} }) {
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
    memory.push(await memoryOf(subject));
    time.push(await timeOf(subject));
  }
}
const [ours] = rows;
const times = (theirs, own) => (median(theirs) / median(own)).toFixed(2);
conclude('server', {
  heads: [`${ROUNDS} rounds`, 'idle connection', '× ours', 'a beat', '× ours'],
  rows: rows.map(({ subject, memory, time }) => [
    subject.name,
    `${median(memory).toFixed(0)} B`,
    times(memory, ours.memory),
    `${median(time).toFixed(1)} µs`,
    times(time, ours.time),
  ]),
  packages: ['ws', 'ws-heartbeat', 'engine.io'],
});
