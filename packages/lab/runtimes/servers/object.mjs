// The cases of the Durable Object, in workerd with real hibernation.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../bundle.mjs';
import { FOLDER, pathOf, RUNTIMES } from '../runtimes.mjs';
import { must, pause, until } from './client.mjs';
import { drawPort } from './programs.mjs';
import { Stage } from './stage.mjs';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const SESSION = 'AAAAAAAAAAAAAAAAAAAAAA';
const BEAT = 3_000; // ms between the pings of a page
const SLACK = 5_000; // ms that an alarm may be late on a busy machine
const DEFAULT_ALARM = 60_000; // ms
const IS_LONG = process.env.HEARTBEAT_LONG === '1';
/** In short, the alarm comes more rarely than after the 10 s in which workerd puts an idle object to sleep. */
const TIMING = IS_LONG ? {} : { pingInterval: 10_000, pingTimeout: 5_000, alarmInterval: 25_000 };
const WATCHED = IS_LONG ? 3 * DEFAULT_ALARM : 60_000; // ms

export const WORKERD = RUNTIMES.find(({ name }) => name === 'workerd');

export function startObject(unit) {
  return startWorker(exportsOf('./object.worker.mjs'), unit);
}

export function startExample(unit) {
  return startWorker(exportsOf('../../../../examples/cloudflare/worker.mjs'), unit);
}

/** A worker with the class of the docs. */
export function startDocs(program, unit) {
  const entry = "fetch: (request, env) => env.ROOM.get(env.ROOM.idFromName('room')).fetch(request)";
  return startWorker(`${program}\nexport default { ${entry} };`, unit);
}

function exportsOf(path) {
  return `export * from '${path}'; export { default } from '${path}'`;
}

async function startWorker(source, unit) {
  const port = drawPort();
  const folder = join(FOLDER, `object-${port}`);
  mkdirSync(folder, { recursive: true });
  const code = await bundle(source, import.meta.url, { conditions: ['workerd'] });
  writeFileSync(join(folder, 'object.worker.mjs'), code);
  writeFileSync(join(folder, 'config.capnp'), capnp(port, folder));
  const child = spawn(pathOf(WORKERD), ['serve', join(folder, 'config.capnp')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.on('error', () => {}); // then it never answers
  const stage = new Stage(child, unit);
  stage.port = port;
  await until('workerd answers', 20_000 * unit, () => stage.isReachable());
  return stage;
}

async function meet(stage, url = stage.url) {
  const client = await stage.open(url);
  client.send(`${PING}.a1;v=1`);
  await until('a pong', 10_000 * stage.unit, () => client.texts.includes(`${PONG}.a1`));
  client.texts.length = 0;
  return client;
}

export async function answersPingsInWorkerd(stage) {
  const client = await meet(stage);
  for (const text of [PING, 'hello', PING]) client.send(text);
  await until('the echo', 5_000 * stage.unit, () => client.texts.length >= 3);
  must([...client.texts].sort().join() === [PONG, PONG, 'hello'].join(), `got ${client.texts}`);
  const { events, latencies } = await stage.state();
  must(events.length === 1 && events[0].message === 'hello', JSON.stringify(events));
  must(latencies[0] >= 0, `a latency of ${latencies[0]}`);
  client.end();
}

export async function keepsOneConnectionOfASessionInWorkerd(stage) {
  const [older, newer] = [await stage.open(stage.url), await stage.open(stage.url)];
  for (const client of [older, newer]) {
    client.send(`${PING}.s1;session=${SESSION}`);
    const isBound = () => client.texts.some((text) => text.includes('session=ok'));
    await until('it is bound', 5_000 * stage.unit, isBound);
  }
  await until('the older has ended', 5_000 * stage.unit, () => older.closed);
  must(newer.closed === undefined, 'the newer has ended');
  newer.end();
}

export async function limitsAFloodInWorkerd(stage) {
  const client = await meet(stage);
  for (let ping = 0; ping < 100; ping += 1) client.send(`${PING}.${ping}`);
  await until('the end', 5_000 * stage.unit, () => client.closed);
  must(client.closed.code === 1008, `closed with ${client.closed.code}`);
}

/**
 * Idle pages ping, and the object sleeps: it is constructed at most once in an `alarmInterval`, which is 60 s
 * by default. A page that is gone is found all the same, and one that is only quiet is spared.
 */
export async function sleepsWhilePagesPing(stage) {
  const { proxy, url } = await stage.network();
  const pages = [await meet(stage), await meet(stage), await meet(stage)];
  const [quiet, lost] = [await meet(stage), await meet(stage, url)];
  await pause(500 * stage.unit); // until the first latencies are measured
  const before = await stage.state();
  const asked = quiet.pings;
  proxy.cut();
  const beats = setInterval(() => {
    for (const page of pages) page.send(PING);
  }, BEAT);
  await pause(WATCHED).finally(() => clearInterval(beats));
  const end = Date.now();
  const after = await stage.state(); // which wakes it
  const answered = pages.flatMap(({ texts }) => texts).filter((text) => text === PONG).length;
  const dead = (after.events ?? []).filter(({ name }) => name === 'dead');
  must(answered >= 3 * (WATCHED / BEAT - 2), `${answered} pings were answered`);
  const woken = after.woken - before.woken - (quiet.pings - asked);
  must(woken === 0, `${woken} pings of pages woke the object`);
  const built = after.constructed.slice(before.constructed.length).filter((at) => at < end);
  seldom(built);
  must(dead.length === 1, `${dead.length} in place of 1 page were found dead`);
  must(dead[0].silentFor <= after.detectionBound + SLACK, `only after ${dead[0].silentFor} ms`);
  must(quiet.pings > asked, 'the quiet page was not asked');
  must(after.open === 4, `${after.open} of 4 live pages are left`);
  console.log(
    `     ${answered} pings answered, constructed ${built.length} times in ${WATCHED} ms`,
  );
  for (const page of [...pages, quiet]) page.end();
  lost.end();
}

/** The object was constructed, but never twice within one interval of the alarm. */
function seldom(built) {
  const { alarmInterval = DEFAULT_ALARM } = TIMING;
  must(built.length >= 1, 'it never slept');
  for (const [index, at] of built.slice(1).entries()) {
    const gap = at - built[index];
    must(gap >= alarmInterval, `constructed again after ${gap} ms`);
  }
}

/** The process is stopped after it has asked a page, and until the page's answer is overdue. */
export async function forgivesAStoppedProcessInWorkerd(stage) {
  const { pingInterval = 30_000, pingTimeout = 20_000, alarmInterval = DEFAULT_ALARM } = TIMING;
  const page = await stage.open(stage.url, { answers: false });
  page.send(`${PING}.a1;v=1`);
  await until('a first ping', 5_000 * stage.unit, () => page.pings === 1);
  page.send(`${PONG}.wb`);
  const limit = pingInterval + alarmInterval + SLACK * stage.unit;
  await until('an alarm that asks', limit, () => page.pings === 2);
  stage.signal('SIGSTOP');
  page.send(`${PONG}.wb`);
  await pause(pingTimeout + 3_000);
  stage.signal('SIGCONT');
  await pause(3_000 * stage.unit);
  must(page.closed === undefined, `the page was blamed: ${page.closed?.code}`);
  page.end();
}

/** The exporter loads without anything of Node. Its counters are those of the object that is awake. */
export async function countsInOpenTelemetry(stage) {
  const client = await meet(stage);
  const counted = async (name) => JSON.parse(await stage.ask('/metrics'))[name] ?? 0;
  await until('a pong', 5_000 * stage.unit, () => counted('wirebeat.pongs application'));
  must((await counted('wirebeat.pings application')) >= 1, 'no ping was counted');
  must((await counted('wirebeat.latency application')) >= 1, 'no latency was recorded');
  const before = await counted('wirebeat.ends closed');
  client.end();
  await until('an end', 5_000 * stage.unit, async () => {
    return (await counted('wirebeat.ends closed')) > before;
  });
}

export async function drainsInWorkerd(stage) {
  const client = await meet(stage);
  await stage.ask('/drain');
  const { code, reason } = await until('the end', 5_000 * stage.unit, () => client.closed);
  must(code === 1012 && reason.includes('retryAfter=1234'), `closed with ${code} ${reason}`);
}

/** The heartbeat for any runtime loads without anything of Node, and beats. */
export async function needsNothingOfNode(stage) {
  const { sent, process } = JSON.parse(await stage.ask('/runtime'));
  must(process === 'undefined', `there is a process: ${process}`);
  must(sent.includes(PONG) && sent.length >= 2, `sent ${sent}`);
}

function capnp(port, folder) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "disk", disk = (path = "${folder}", writable = true)), (name = "main", worker = (
    modules = [(name = "object.worker.mjs", esModule = embed "object.worker.mjs")],
    compatibilityDate = "2026-04-01",
    durableObjectNamespaces = [(className = "Room", uniqueKey = "room")],
    durableObjectStorage = (localDisk = "disk"),
    bindings = [
      (name = "ROOM", durableObjectNamespace = "Room"),
      (name = "TIMING", json = ${JSON.stringify(JSON.stringify(TIMING))}),
    ],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
}
