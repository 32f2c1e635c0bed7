// Runs the client's conformance suite on every runtime and prints one line per runtime. Words select
// runtimes by name. Fails if a case fails, a runtime does not exit by itself, or it could not be
// downloaded.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';
import { hearingOf, readTable } from './interception-table.mjs';
import { fetchRuntimes, pathOf, RUNTIMES, start } from './runtimes.mjs';

const LIMIT = 90_000; // per runtime
const EXIT_LIMIT = 20_000; // ms for it to exit by itself
const table = readTable();
const wanted = process.argv.slice(2);
const runtimes = RUNTIMES.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);

/** A server without a heartbeat, which sends Pings or answers Pings, and nothing else. */
async function plainServer({ pings }) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: !pings });
  const timer = setInterval(() => {
    if (pings) for (const socket of server.clients) socket.ping();
  }, 300);
  server.on('connection', (socket) => socket.on('error', () => {}));
  await once(server, 'listening');
  const close = () => {
    clearInterval(timer);
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { url: `ws://127.0.0.1:${server.address().port}/`, close };
}

/** Starts an echo server behind a proxy, a URL that cuts its connections, and two plain servers. */
async function stage() {
  const cutter = createServer((_, response) => {
    proxy.cut();
    response.end();
  });
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const heartbeat = attachHeartbeat(sockets, { pingInterval: 1_200, pingTimeout: 2_000 });
  for (const each of [server, cutter]) await once(each.listen(0, '127.0.0.1'), 'listening');
  const proxy = await TcpProxy.listen({ to: server.address().port });
  const pinging = await plainServer({ pings: true });
  const answering = await plainServer({ pings: false });
  const close = async () => {
    for (const plain of [pinging, answering]) plain.close();
    heartbeat.detach();
    for (const socket of sockets.clients) socket.terminate();
    await proxy.close(); // closes the dead sockets, which some runtimes keep forever
    for (const each of [server, cutter]) {
      each.closeAllConnections();
      each.close();
    }
  };
  const config = {
    url: `ws://127.0.0.1:${proxy.port}/`,
    cut: `http://127.0.0.1:${cutter.address().port}/`,
    pings: pinging.url,
    pongs: answering.url,
  };
  return { config, close };
}

/** Resolves to a list of sentences about what failed on the runtime. */
async function faultsOf(runtime) {
  const { config, close } = await stage();
  let child;
  try {
    const started = await start(runtime, config);
    child = started.child;
    const { result } = started;
    const { cases, heard, pings, pongs } = await within(LIMIT, result, 'no result');
    const faults = cases.filter(({ evidence }) => evidence !== undefined);
    const sentences = faults.map(({ name, evidence }) => `${name}: ${evidence}`);
    await close();
    const ends = await endFaults(runtime, child);
    return [
      ...sentences,
      ...hearingFaults(runtime, heard),
      ...pingFaults(runtime, { pings, pongs }),
      ...ends,
    ];
  } catch (error) {
    return [String(error.message)];
  } finally {
    child?.kill('SIGKILL');
    await close();
  }
}

function hearingFaults({ row }, heard) {
  if (row === undefined) return [];
  const hearings = [heard?.before, heard?.after].map((all = {}) => hearingOf(all, ['last']));
  return hearings
    .filter((hearing) => !isDeepStrictEqual(hearing, table.get(row)))
    .map((hearing) => `hears ${JSON.stringify(hearing)}, which is not what the docs say`);
}

/** What each way of connecting takes for life must be what the docs say of the runtime. */
function pingFaults({ pings, pongs }, found) {
  const expected = { pings, pongs };
  return isDeepStrictEqual(found, expected)
    ? []
    : [`stays connected by ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`];
}

/** workerd runs until it is stopped. */
async function endFaults({ name }, child) {
  if (name === 'workerd') return [];
  const ends = child.exitCode === null ? once(child, 'exit') : Promise.resolve([child.exitCode]);
  const [code] = await within(EXIT_LIMIT, ends, 'does not end: something is left');
  return code === 0 ? [] : [`ended with ${code}`];
}

function within(limit, promise, otherwise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} within ${limit} ms`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const output = await fetchRuntimes();
if (output !== '') console.log(`SKIPPED: runtimes that could not be fetched\n${output}`);
let failed = 0;
for (const runtime of runtimes) {
  const isHere = existsSync(pathOf(runtime));
  const faults = isHere ? await faultsOf(runtime) : ['SKIPPED: it could not be fetched'];
  console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${runtime.name} (${runtime.from})`);
  for (const fault of faults) console.log(`     ${fault}`);
  if (faults.length > 0) failed += 1;
}
console.log(`\n${runtimes.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
