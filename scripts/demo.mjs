// Installs and builds everything, and runs the demo until Ctrl-C. With `--nodes 3`: several servers that
// share sessions by Redis.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { endWithParent, root, show } from './run.mjs';
import { findTools, installTools } from './tools.mjs';

const { values } = parseArgs({ options: { nodes: { type: 'string' } } });
endWithParent();
if ((await show('node', ['scripts/build.mjs'])) !== 0) process.exit(1);

const { program, env } =
  values.nodes === undefined ? oneServer() : await severalServers(values.nodes);
const server = spawn('node', [program], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...env },
});
server.once('exit', (code) => process.exit(code ?? 1));

// Ctrl-C reaches both processes: the server ends first, then this one. Other signals to this process
// are passed on.
process.on('SIGINT', () => setTimeout(() => server.kill('SIGINT'), 200));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill('SIGTERM'));

function oneServer() {
  return { program: 'examples/demo/dist/server.js', env: {} };
}

async function severalServers(nodes) {
  if (!/^[1-9]\d?$/.test(nodes)) fail(`Expected --nodes to be a number from 1 to 99, got ${nodes}`);
  const [missing] = await installTools(['redis-server']);
  const redis = findTools()['redis-server'];
  if (redis === undefined) fail(`The demo with several servers needs Redis. ${missing}`);
  return { program: 'examples/scale-out/main.mjs', env: { NODES: nodes, REDIS_PATH: redis } };
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
