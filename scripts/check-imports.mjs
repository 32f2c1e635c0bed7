// Who may import whom. Imports go down, or sideways within a floor, never up, and never in a circle;
// client and server never meet; each foreign package enters by one file; the core stays pure.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesBelow } from './files.mjs';
import { root } from './run.mjs';

/** The floors of the core, from the ground up. A file that is not named is a part. */
const FLOORS = [
  ['time', 'close-code', 'socket', 'errors', 'guarded', 'codec', 'heartbeat-action'],
  ['options'],
  ['timing', 'silence', 'suspicion', 'outstanding-pings', 'rtt-estimator', 'peer-memory'],
  ['heartbeat'],
  ['pending-pings', 'pacer', 'pacemaker'],
  ['index'],
  ['testing/'],
];
const PARTS = 2;

/** Where each package may reach for its own kind, and the one file by which a foreign one enters. */
const PACKAGES = {
  core: [],
  client: ['@wirebeat/core'],
  server: ['@wirebeat/core'],
  cli: [
    '@wirebeat/client',
    '@wirebeat/server/gateway',
    '@wirebeat/core',
    '@wirebeat/core/dialects',
  ],
};
const DOORS = {
  client: { eventemitter3: 'emitter.ts', 'isomorphic-ws': 'websocket.ts', react: 'react.ts' },
  server: {
    eventemitter3: 'emitter.ts',
    'prom-client': 'prometheus.ts',
    '@opentelemetry/api': 'opentelemetry.ts',
  },
  cli: {
    commander: ['main.ts', 'arguments.ts'],
    'prom-client': 'gateway-metrics.ts',
    ws: ['ping.ts', 'pinger.ts'],
  },
};

/** What only `system-scheduler.ts` may reach: time and chance are told to the core. */
const IMPURE =
  /\b(Date|performance|setTimeout|setInterval|queueMicrotask|console|globalThis)\b|Math\.random/;
const IMPORT = /^(?:import|export)\s[^;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

const complaints = [];
const graph = new Map();

for (const path of Object.keys(PACKAGES).flatMap((name) =>
  filesBelow(`packages/${name}/src`, '.ts'),
)) {
  const [, name, , ...rest] = path.split('/');
  const file = rest.join('/');
  const text = readFileSync(join(root, path), 'utf8');
  const complain = (what) => complaints.push(`${path}: ${what}`);
  const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3]);
  graph.set(
    `${name}/${file}`,
    imports.filter(isOwn).map((to) => `${name}/${resolve(file, to)}`),
  );
  for (const to of imports) checkImport({ name, file, to, complain });
  if (/^export default/m.test(text)) complain('has a default export');
  if (/^export \* /m.test(text)) complain('exports everything of another file');
  if (name === 'core') checkPurity(file, text, complain);
}
for (const file of graph.keys()) findCircles([file]);

for (const complaint of new Set(complaints)) console.log(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;

function checkImport({ name, file, to, complain }) {
  if (!isOwn(to)) return checkForeign({ name, file, to, complain });
  const target = resolve(file, to);
  if (!to.endsWith('.ts')) complain(`imports ${to} without its extension`);
  if (/(^|\/)index\.ts$/.test(target)) complain(`imports its own ${target}`);
  if (name === 'core' && floorOf(target) > floorOf(file)) complain(`imports ${target}, upwards`);
}

function checkForeign({ name, file, to, complain }) {
  if (to.startsWith('node:') && (name === 'server' || name === 'cli')) return;
  const door = DOORS[name]?.[to];
  if (PACKAGES[name].includes(to) || [door].flat().includes(file)) return;
  complain(door === undefined ? `imports ${to}, which ${name} may not` : `${to} enters by ${door}`);
}

function checkPurity(file, text, complain) {
  if (file === 'system-scheduler.ts') return;
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '');
  const found = IMPURE.exec(code);
  if (found !== null) complain(`reaches for ${found[0]}`);
}

/** Each circle is told once: from the first of its files, in the order of the alphabet. */
function findCircles(way) {
  for (const next of graph.get(way.at(-1)) ?? []) {
    if (next === way[0]) complaints.push(`a circle: ${[...way, next].join(' → ')}`);
    else if (next > way[0] && !way.includes(next)) findCircles([...way, next]);
  }
}

function floorOf(file) {
  const index = FLOORS.findIndex((names) =>
    names.some((name) => (name.endsWith('/') ? file.startsWith(name) : file === `${name}.ts`)),
  );
  return index === -1 ? PARTS : index;
}

function isOwn(to) {
  return to.startsWith('.');
}

function resolve(file, to) {
  return normalize(join(dirname(file), to)).replaceAll('\\', '/');
}
