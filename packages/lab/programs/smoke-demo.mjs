// Starts the demo as a user does, checks it from outside, and ends it with Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { environment, root } from '../../../scripts/run.mjs';

const START_LIMIT = 120_000; // includes installing and building on a new machine
const LIMIT = 5_000;

const demo = spawn('npm', ['run', 'demo'], {
  cwd: root,
  env: environment({ PORT: '0' }),
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true, // a separate process group, which receives Ctrl-C as in a terminal
});
const ended = once(demo, 'exit');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
process.on('exit', () => signalGroup('SIGKILL'));

let failure;
try {
  const url = await within(START_LIMIT, 'address', addressFrom(demo.stdout));
  await checkPage(url);
  await within(LIMIT, 'pong', askForPong(url));
  process.kill(-demo.pid, 'SIGINT');
  const [code, signal] = await within(LIMIT, 'end', ended);
  // The shell that npm starts in between may end by the signal itself.
  if (code !== 0 && signal !== 'SIGINT') throw new Error(`Ctrl-C: exit code ${code}, ${signal}`);
  await within(LIMIT, 'end of all processes', groupIsGone());
  if (await accepts(Number(new URL(url).port))) throw new Error('the port is still open');
} catch (error) {
  failure = error;
}
console.log(failure === undefined ? 'ok   demo' : `FAIL demo: ${failure.message}`);
process.exit(failure === undefined ? 0 : 1);

/** Sends a signal to the remaining processes of the demo. Returns whether there were any. */
function signalGroup(signal) {
  try {
    return process.kill(-demo.pid, signal);
  } catch {
    return false; // no process is left
  }
}

async function groupIsGone() {
  while (signalGroup(0)) await sleep(50);
}

async function within(limit, what, promise) {
  const late = sleep(limit, undefined, { ref: false }).then(() => {
    throw new Error(`no ${what} within ${limit} ms`);
  });
  return Promise.race([promise, late]);
}

async function addressFrom(stream) {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
    if (address === undefined) continue;
    stream.resume();
    return address;
  }
  throw new Error(`the demo said only: ${text.trim()}`);
}

async function checkPage(url) {
  const page = await fetch(url);
  const html = await page.text();
  const script = /<script[^>]* src="([^"]+)"/.exec(html)?.[1];
  const isHtml = page.headers.get('content-type')?.startsWith('text/html');
  if (!page.ok || !isHtml || script === undefined) {
    throw new Error(`the page: ${page.status}, ${html}`);
  }
  const code = await fetch(new URL(script, url));
  if (!code.ok) throw new Error(`${script}: ${code.status}`);
  await code.arrayBuffer();
}

/** Does what a minimal client must do: sends a bare ping and expects a bare pong. */
async function askForPong(url) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket?page=smoke`);
  await once(socket, 'open');
  socket.send('\u0005wb');
  for await (const [data] of messages(socket)) {
    if (String(data) === '\u0006wb') break;
  }
  socket.terminate();
}

async function* messages(socket) {
  for (;;) yield await once(socket, 'message');
}

async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
