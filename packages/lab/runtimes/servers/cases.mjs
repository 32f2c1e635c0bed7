// What the heartbeat of a server promises on every runtime. Each case takes a stage: the server, and means
// to ask it, stop it and reach it through a bad network.
import { attachHeartbeat } from '@wirebeat/client';
import { must, pause, until } from './client.mjs';
import { optionsOf } from './control.mjs';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const SESSION = 'AAAAAAAAAAAAAAAAAAAAAA';
const BURST = 50; // the default of pingLimit.burst
/** A client that keeps sending is pinged each fourth interval, and found three periods later, in ms. */
const ONE_WAY = 4 * 1_000 + 3 * (1_000 + 1_000);
const SLACK = 1_500; // ms, times the unit: what the machine may be late by

/** Opens a client that has sent a first ping, so that the server pings its application tier too. */
async function meet(stage, url = stage.url, options = {}) {
  const client = await stage.open(url, options);
  client.send(`${PING}.a1;v=1`);
  await until('the first pong', 10_000 * stage.unit, () =>
    client.texts.some((text) => text.startsWith(`${PONG}.a1`)),
  );
  client.texts = client.texts.filter((text) => !text.startsWith(PONG));
  return client;
}

async function one(stage) {
  const { connections } = await stage.state();
  must(connections.length === 1, `${connections.length} connections in place of 1`);
  return connections[0];
}

export async function answersPings(stage) {
  const client = await meet(stage);
  const before = (await stage.state()).messages.length;
  for (const text of [PING, 'hello', `${PING} `, PING]) client.send(text);
  await until('all answers', 5_000 * stage.unit, () => client.texts.length >= 4);
  must(client.texts.join() === [PONG, 'hello', `${PING} `, PONG].join(), `got ${client.texts}`);
  const { messages } = await stage.state();
  must(messages.slice(before).join() === `hello,${PING} `, `the application got ${messages}`);
}

export async function pingsWithProtocolPings(stage) {
  const client = await stage.open(stage.url);
  await until('a second Ping', 5_000 * stage.unit, () => client.protocolPings >= 2);
  const { transportLatency, status } = await one(stage);
  must(transportLatency >= 0 && status === 'alive', `${status}, ${transportLatency} ms`);
  must(client.pings === 0, 'a client that sends no application ping was sent one');
}

/** In place of that, on a runtime that can send no Pings. */
export async function leavesOtherClientsAlone(stage) {
  const { proxy, url } = await stage.network();
  const client = await stage.open(url);
  await until('the connection', 5_000 * stage.unit, async () => {
    return (await stage.state()).connections.length === 1;
  });
  const { detectionBound } = await one(stage);
  proxy.cut();
  await pause(detectionBound + SLACK * stage.unit);
  must(client.pings + client.protocolPings === 0, 'it was pinged');
  must((await one(stage)).status === 'alive', 'it was judged');
}

export async function measuresBothTiers(stage) {
  await meet(stage);
  await until('both latencies', 5_000 * stage.unit, async () => {
    const { transportLatency, applicationLatency } = await one(stage);
    return transportLatency >= 0 && applicationLatency >= 0;
  });
}

/** The connection of one client is lost, that of another is not. */
export async function findsASilentCut(stage) {
  const { proxy, url } = await stage.network();
  await meet(stage);
  await meet(stage, url);
  const { detectionBound } = await answered(stage);
  const start = Date.now();
  proxy.cut();
  const dead = await deadWithin(stage, start, detectionBound);
  must(dead.reason === 'ping-timeout', `reason ${dead.reason}`);
  must((await one(stage)).status === 'alive', 'the other client was blamed too');
}

/** Nothing reaches the client any more, which keeps sending. */
export async function findsOneWayLoss(stage) {
  const { proxy, url } = await stage.network();
  const client = await stage.open(url);
  await answered(stage);
  const start = Date.now();
  const talk = setInterval(() => client.send('talk'), 300 * stage.unit);
  client.socket.on('close', () => clearInterval(talk));
  proxy.cut('homeward');
  const dead = await deadWithin(stage, start, ONE_WAY * stage.unit);
  must(dead.reason === 'one-way', `reason ${dead.reason}`);
}

/** In place of that, where the server does not judge such a client: its own heartbeat finds the loss. */
export async function leavesOneWayLossToTheClient(stage) {
  const { proxy, url } = await stage.network();
  const client = await stage.open(url, { answers: false });
  const heartbeat = attachHeartbeat(client.socket, optionsOf(stage.unit));
  let dead;
  heartbeat.on('dead', (event) => (dead = event));
  await until('a pong', 5_000 * stage.unit, () => heartbeat.latency >= 0);
  proxy.cut('homeward');
  const limit = heartbeat.detectionBound + SLACK * stage.unit;
  await until('dead', limit, () => dead);
  heartbeat.detach();
}

function deadWithin(stage, start, bound) {
  return until('dead', bound + SLACK * stage.unit, async () => {
    return (await stage.state()).events.find(({ name, at }) => name === 'dead' && at >= start);
  });
}

/** Resolves to a connection, once all have answered a Ping. */
function answered(stage) {
  return until('answers', 5_000 * stage.unit, async () => {
    const { connections } = await stage.state();
    return connections.every(({ transportLatency }) => transportLatency >= 0) && connections[0];
  });
}

async function survives(stage, stall) {
  await Promise.all([1, 2, 3].map(() => meet(stage)));
  const { detectionBound } = (await stage.state()).connections[0];
  const start = Date.now();
  await stall(detectionBound * 2);
  await pause(detectionBound);
  const { connections, events } = await stage.state();
  const dead = events.filter(({ name, at }) => name === 'dead' && at >= start);
  must(dead.length === 0, `${dead.length} clients were blamed`);
  must(connections.length === 3, `${connections.length} of 3 connections are left`);
}

export function forgivesABlockedLoop(stage) {
  return survives(stage, (duration) => stage.ask(`/block?for=${Math.round(duration)}`));
}

export function forgivesAStoppedProcess(stage) {
  return survives(stage, async (duration) => {
    stage.signal('SIGSTOP');
    await pause(duration);
    stage.signal('SIGCONT');
  });
}

/** Closes with one of these codes. */
async function endsAFlood(stage, codes) {
  const client = await meet(stage);
  for (let ping = 0; ping < 2 * BURST; ping += 1) client.send(PING);
  await until('the end', 5_000 * stage.unit, () => client.closed);
  must(codes.includes(client.closed.code), `closed with ${client.closed.code}`);
  const { events } = await stage.state();
  must(
    events.some(({ name, reason }) => name === 'end' && reason === 'flood'),
    'no `flood`',
  );
}

export function limitsAFlood(stage) {
  return endsAFlood(stage, [1008]);
}

/** In place of that, on a runtime whose Close frame is lost if the peer keeps sending. */
export function endsAFloodWithoutACode(stage) {
  return endsAFlood(stage, [1008, 1006]);
}

export async function keepsOneConnectionOfASession(stage) {
  const older = await stage.open(stage.url);
  older.send(`${PING}.s1;session=${SESSION}`);
  const isBound = (client) => client.texts.some((text) => text.includes('session=ok'));
  await until('the older is bound', 5_000 * stage.unit, () => isBound(older));
  const newer = await stage.open(stage.url);
  newer.send(`${PING}.s2;session=${SESSION}`);
  await until('the newer is bound', 5_000 * stage.unit, () => isBound(newer));
  await until('the older has ended', 5_000 * stage.unit, () => older.closed);
  const { events } = await stage.state();
  must(
    events.some(({ name }) => name === 'replaced'),
    'no `replaced`',
  );
  must(newer.closed === undefined, 'the newer has ended');
}

export async function countsInPrometheus(stage) {
  await meet(stage);
  const metrics = await stage.ask('/metrics');
  const lines = [
    /^wirebeat_connections\{status="alive"\} 1$/m,
    /^wirebeat_pings_total\{tier="application"\} [1-9]/m,
    /^wirebeat_pongs_total\{tier="transport"\} [1-9]/m,
  ];
  for (const line of lines) must(line.test(metrics), `no line ${line}`);
}

export async function drains(stage) {
  const clients = await Promise.all([1, 2, 3, 4].map(() => meet(stage)));
  await stage.ask(`/drain?within=${500 * stage.unit}&retryAfter=1234`);
  for (const client of clients) {
    const { code, reason } = await until('closed', 5_000 * stage.unit, () => client.closed);
    must(code === 1012, `closed with ${code}`);
    must(reason.includes('retryAfter=1234'), reason);
  }
  const late = await stage.open(stage.url);
  await until('a late one is closed', 5_000 * stage.unit, () => late.closed?.code === 1012);
}

/** On a server of its own, which ends with it. */
export async function leavesNothingAfterDetach(stage) {
  const client = await meet(stage);
  const left = await stage.ask('/detach');
  must(left === '[]', `on the sockets: ${left}`);
  const before = client.pings + client.protocolPings;
  client.send(PING);
  await until('the application gets a ping', 5_000 * stage.unit, async () => {
    return (await stage.state()).messages.includes(PING);
  });
  await pause(2_500 * stage.unit);
  must(client.pings + client.protocolPings === before + 1, 'it pings besides that echo');
  must((await stage.state()).connections.length === 0, 'connections are left');
}

/** A client that answers nothing while the server keeps sending, next to what Bun does by itself. */
export async function findsAMuteClient(stage) {
  const mute = { answers: false, autoPong: false };
  const start = Date.now();
  const plain = await stage.open(stage.plainUrl, mute);
  await stage.ask('/send?every=200');
  const client = await stage.open(stage.url, mute);
  await until('the end', 10_000 * stage.unit, () => client.closed);
  await stage.ask('/quiet');
  const { events } = await stage.state();
  must(
    events.some(({ name, at }) => name === 'dead' && at >= start),
    'no `dead`',
  );
  await pause(Math.max(0, start + 20_000 - Date.now())); // its own limit is 8 s
  must(plain.closed === undefined, 'Bun finds it by itself now: say so in the docs');
}

/** What each example does: pages, an echo, a heartbeat, and a drain at SIGTERM. */
export async function servesBeatsAndDrains(stage) {
  must((await stage.ask('/')) === 'pages\n', 'no pages');
  const client = await meet(stage);
  client.send('hello');
  await until('the echo', 5_000 * stage.unit, () => client.texts.includes('hello'));
  stage.signal('SIGTERM');
  const { code } = await until('the end', 10_000 * stage.unit, () => client.closed);
  must(code === 1012, `closed with ${code}`);
  must((await stage.exit()) === 0, 'it does not end in good order');
}

export async function servesAndEchoes(stage) {
  const client = await meet(stage);
  client.send('hello');
  await until('the echo', 5_000 * stage.unit, () => client.texts.includes('hello'));
}
