// The runtimes for the client's conformance suite, as npm packages, and how to run the suite on each.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keep, root } from '../../../scripts/run.mjs';
import { bundle } from '../bundle.mjs';

/** Ignored by git: the downloads have about 600 MB. */
export const FOLDER = join(root, 'build', 'runtimes');

const PROGRAM = fileURLToPath(new URL('process.mjs', import.meta.url));
const target = `${process.platform}-${process.arch}`;
const glibc = process.platform === 'linux' ? '-glibc' : '';
const arch = process.arch === 'arm64' ? 'aarch64' : process.arch;
const workerdTarget = `${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`;

const node = (major, version) => ({
  name: `Node ${major}`,
  alias: `node${major}`,
  from: `node-${target}@${version}`,
  path: 'bin/node',
  args: [PROGRAM],
  row: major >= 22 ? 'Node, undici' : undefined, // Node 20 has no global WebSocket
  // By default, the class is that of `ws`.
  pings: { ...(major >= 22 && pingsOf(major >= 24)), byDefault: true },
  pongs: { ...(major >= 22 && pingsOf(false)), byDefault: true },
});

/** What is expected of a native WebSocket that shows or sends Pings, or does not. */
function pingsOf(holds) {
  return { attached: holds, reconnecting: holds, byDefault: holds };
}

/**
 * `row` is the row of docs/topics/interception.md; `pings` and `pongs` are what docs/how-to/runtimes.md
 * says of the Pings that a client sees and sends.
 */
export const RUNTIMES = [
  node(20, '20.19.5'),
  node(22, '22.23.3'),
  node(24, '24.21.0'),
  {
    name: 'Bun',
    alias: 'bun',
    from: `@oven/bun-${process.platform}-${arch}@1.4.4`,
    path: 'bin/bun',
    args: ['run', PROGRAM],
    row: 'Bun',
    pings: pingsOf(true),
    pongs: pingsOf(true),
  },
  {
    name: 'Deno',
    alias: 'deno',
    from: `@deno/${target}${glibc}@2.9.6`,
    path: 'deno',
    args: ['run', '--no-remote', '--node-modules-dir=manual', '-A', PROGRAM],
    row: 'Deno',
    pings: pingsOf(false),
    pongs: pingsOf(false),
  },
  {
    name: 'workerd',
    alias: 'workerd',
    from: `@cloudflare/workerd-${workerdTarget}@1.20261117.1`,
    path: 'bin/workerd',
    row: 'workerd',
    pings: pingsOf(false),
    pongs: pingsOf(false),
  },
];

export function pathOf({ alias, path }) {
  return join(FOLDER, 'node_modules', alias, path);
}

/** Downloads missing runtimes. Resolves to the output if that failed. */
export async function fetchRuntimes() {
  const missing = RUNTIMES.filter((runtime) => !existsSync(pathOf(runtime)));
  if (missing.length === 0) return '';
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, 'package.json');
  if (!existsSync(file)) writeFileSync(file, '{ "private": true }\n');
  const wanted = missing.map(({ alias, from }) => `${alias}@npm:${from}`);
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--force']; // includes packages for another libc
  const { code, output } = await keep('npm', ['install', ...flags, ...wanted], { cwd: FOLDER });
  return code === 0 ? '' : output;
}

/** Runs the suite in a process of the runtime. Returns `{ child, result }`, with its output parsed. */
export async function start(runtime, config) {
  if (runtime.name === 'workerd') return startWorkerd(runtime, config);
  const child = spawn(pathOf(runtime), [...runtime.args, JSON.stringify(config)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let printed = '';
  let errors = '';
  child.stderr.on('data', (data) => (errors += data));
  const result = new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      printed += data;
      if (printed.endsWith('}\n')) resolve(JSON.parse(printed));
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${errors || printed}`)));
  });
  return { child, result };
}

async function startWorkerd(runtime, config) {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const folder = join(FOLDER, 'worker');
  mkdirSync(folder, { recursive: true });
  const conditions = { conditions: ['workerd'] };
  const code = await bundle("export { default } from './worker.mjs'", import.meta.url, conditions);
  writeFileSync(join(folder, 'worker.mjs'), code);
  writeFileSync(join(folder, 'config.capnp'), capnp(port));
  const child = spawn(pathOf(runtime), ['serve', join(folder, 'config.capnp')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  child.once('error', () => {}); // the request then fails
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(config) });
  return { child, result: whenItListens(ask).then((response) => response.json()) };
}

/** Retries until the server answers. */
async function whenItListens(ask, attempt = 1) {
  try {
    return await ask();
  } catch (error) {
    if (attempt === 100) throw error;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return whenItListens(ask, attempt + 1);
  }
}

/** Configures one worker that may dial loopback. */
function capnp(port) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.mjs", esModule = embed "worker.mjs")],
      compatibilityDate = "2026-04-01",
      globalOutbound = "loopback",
    )),
    (name = "loopback", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
}
