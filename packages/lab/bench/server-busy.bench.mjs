// What do beats cost where there is traffic? Half of the clients, or all, send a message once in their
// interval, and the application answers it: both directions are proved, so no ping need be sent.
//
//   npm run bench -- server-busy            1 000 connections
//   npm run bench -- server-busy --full     10 000 connections
import { look } from './load/window.mjs';
import { report } from './report.mjs';

const FULL = process.argv.includes('--full');
const COUNT = FULL ? 10_000 : 1_000;
const INTERVALS = FULL ? 6 : 4;
const INTERVAL = 1_200; // of the servers
const CLIENT_INTERVAL = 950; // of the messages: a page is asked after 0.81 of the server's, or later
const FIRST = '\u0005wb.1;v=1';

/** Of one connection in one interval: beats, and µs of the processor. */
async function measure(subject, talkers) {
  const [{ cpu, beats, lasted }] = await look({
    server: { subject, interval: INTERVAL },
    clients: { count: COUNT, interval: CLIENT_INTERVAL, says: FIRST, talkers },
    intervals: INTERVALS,
  });
  const each = (COUNT * lasted) / INTERVAL;
  return { beats: beats / each, cpu: cpu / each };
}

async function compare(talkers) {
  const traffic = await measure('nothing', talkers);
  const readme = await measure('readme', talkers);
  const wirebeat = await measure('wirebeat', talkers);
  return { traffic, readme, wirebeat };
}

const half = await compare(0.5);
const all = await compare(1);
const costs = ({ traffic, readme, wirebeat }) =>
  `µs a connection: traffic ${traffic.cpu.toFixed(1)}, recipe ${readme.cpu.toFixed(1)}, wirebeat ${wirebeat.cpu.toFixed(1)}`;
const beats = (of) => of.wirebeat.beats / of.readme.beats;
const above = ({ traffic, readme, wirebeat }) =>
  (wirebeat.cpu - traffic.cpu) / (readme.cpu - traffic.cpu);
report(`What do beats cost where there is traffic? (${COUNT} connections)`, [
  { what: 'half talk: pings', measured: beats(half), unit: '× readme', budget: 0.75, note: '' },
  {
    what: 'half talk: above the traffic',
    measured: above(half),
    unit: '× readme',
    note: costs(half),
  },
  { what: 'all talk: pings', measured: beats(all), unit: '× readme', budget: 0.01, note: '' },
  { what: 'all talk: above the traffic', measured: above(all), unit: '× readme', note: costs(all) },
]);
