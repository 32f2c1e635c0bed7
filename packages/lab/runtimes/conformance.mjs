// Checks what the client promises on the current runtime: connect, ping, cut, reconnect, close; and
// which listeners of a native socket receive heartbeats. Only needs web APIs.
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';

const LIMIT = 20_000; // ms per wait
const SLACK = 3_000; // ms for a runtime on a busy machine that reports no stall
const WATCHED = 10_000; // ms: a silent server is dead before that
const TIMING = { pingInterval: 1_000, pingTimeout: 1_000 };
const OPTIONS = {
  ...TIMING,
  makeBeforeBreak: false, // a second connection would take over before the verdict
  connectTimeout: 5_000,
  backoff: { minDelay: 100, maxDelay: 1_000 },
};

/**
 * Runs all cases against the server at `url`; a request to `cut` cuts its connections. Resolves to the
 * cases, `{ name, evidence }`, without evidence if they pass, to what the listeners received, and to which
 * sockets stay connected to the server at `pings`, which sends only Pings, and to the one at `pongs`, which
 * only answers Pings.
 */
export async function run({ url, cut, pings, pongs }) {
  const cases = [];
  const test = async (name, act) => {
    const evidence = await act().then(
      () => undefined,
      (error) => String(error?.stack ?? error),
    );
    cases.push({ name, evidence });
  };
  const socket = new ReconnectingWebSocket(url, [], OPTIONS);
  const messages = [];
  socket.addEventListener('message', ({ data }) => messages.push(data));
  await test('connect', async () => {
    await next(socket, 'open');
    equal(socket.readyState, 1, 'readyState');
  });
  await test('beat', async () => {
    const { detail } = await next(socket, 'pong');
    equal(detail.latency >= 0, true, `a latency of ${detail.latency}`);
    for (const text of ['one', '\u0005wb ', 'two']) socket.send(text);
    await until(() => messages.length === 3);
    await next(socket, 'pong');
    equal(messages.join(), 'one,\u0005wb ,two', 'the messages');
  });
  let bound = Number.NaN;
  await test('cut', async () => {
    bound = socket.detectionBound;
    const dead = next(socket, 'dead');
    const closed = next(socket, 'close');
    await fetch(cut);
    const { detail } = await dead;
    equal(detail.silentFor <= bound + SLACK, true, `silent for ${detail.silentFor} of ${bound} ms`);
    equal((await closed).code, 3008, 'the close code');
  });
  await test('reconnect', async () => {
    if (socket.readyState !== 1) await next(socket, 'open');
    await next(socket, 'pong');
    messages.length = 0;
    socket.send('three');
    await until(() => messages.length === 1);
    equal(messages[0], 'three', 'the message');
  });
  await test('close', async () => {
    const closed = next(socket, 'close');
    socket.close(1000, 'done');
    const { code, wasClean } = await closed;
    equal(`${code} ${wasClean} ${socket.readyState}`, '1000 true 3', 'the close');
  });
  const heard = typeof WebSocket === 'function' ? await heardOn(url) : undefined;
  const [byPings, byPongs] = await Promise.all([stayOn(pings), stayOn(pongs)]);
  return { cases, heard, pings: byPings, pongs: byPongs };
}

/**
 * Resolves to whether connections to a server without a heartbeat stay: of the native WebSocket, attached and
 * reconnecting, and of the class that the client takes by itself.
 */
async function stayOn(url) {
  const options = { ...OPTIONS, maxSilence: 3_000 };
  const native = globalThis.WebSocket;
  const [attached, reconnecting, byDefault] = await Promise.all([
    native && staysAttached(new native(url), options),
    native && staysOpen(new ReconnectingWebSocket(url, [], { ...options, WebSocket: native })),
    staysOpen(new ReconnectingWebSocket(url, [], options)),
  ]);
  return { ...(native && { attached, reconnecting }), byDefault };
}

async function staysAttached(socket, { pingInterval, pingTimeout, maxSilence }) {
  const heartbeat = attachHeartbeat(socket, { pingInterval, pingTimeout, maxSilence });
  const stays = await isSpared((dead) => heartbeat.once('dead', dead));
  heartbeat.detach();
  socket.close();
  return stays;
}

async function staysOpen(socket) {
  const stays = await isSpared((dead) => socket.addEventListener('dead', dead));
  socket.close();
  return stays;
}

/** Resolves to false as soon as `watch` calls back, and to true if it does not. */
async function isSpared(watch) {
  const dead = new Promise((resolve) => watch(() => resolve(false)));
  return Promise.race([dead, pause(WATCHED).then(() => true)]);
}

function pause(duration) {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

/**
 * Resolves to what each kind of listener of a bare socket receives until "last"; `handler` is added
 * before or after.
 */
async function heardOn(url) {
  const all = {};
  for (const comes of ['before', 'after']) {
    const socket = new WebSocket(url);
    const heard = { handler: [], late: [], early: [], earlyCapture: [] };
    const hear = (name) => (event) => heard[name].push(event.data);
    socket.addEventListener('message', hear('early'));
    try {
      socket.addEventListener('message', hear('earlyCapture'), { capture: true });
    } catch {
      delete heard.earlyCapture; // workerd has no such listener
    }
    if (comes === 'before') socket.onmessage = hear('handler');
    const heartbeat = attachHeartbeat(socket, TIMING);
    if (comes === 'after') socket.onmessage = hear('handler');
    socket.addEventListener('message', hear('late'));
    await new Promise((resolve) => heartbeat.once('pong', resolve));
    socket.send('last');
    await until(() => heard.late.includes('last'));
    heartbeat.detach();
    socket.close();
    all[comes] = heard;
  }
  return all;
}

function next(target, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} within ${LIMIT} ms`)), LIMIT);
    const listener = (event) => {
      clearTimeout(timer);
      resolve(event);
    };
    target.addEventListener(name, listener, { once: true });
  });
}

async function until(holds) {
  const end = performance.now() + LIMIT;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not so within ${LIMIT} ms: ${holds}`);
    await pause(20);
  }
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found} in place of ${expected}`);
}
