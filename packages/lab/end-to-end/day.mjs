// A day of three clients in virtual time, before servers that answer no ping, answer none but send, or
// answer all. Writes a heap snapshot before that day and one at its end, to the files that its
// arguments name, and tells in a JSON line the bytes of the heap then. With `--leak` each message is
// kept, as a control.
import { writeHeapSnapshot } from 'node:v8';
import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { History } from '@wirebeat/client/report';
import { FakeSocket, VirtualScheduler } from '@wirebeat/core/testing';

const HOUR = 3_600_000;
const STEP = 10_000;
/** Until the histories hold all that they may: a mute server is asked only every 16 minutes. */
const FILL = 12 * HOUR;
const PING = '\u0005wb';
const [first, second, leaks] = process.argv.slice(2);
const scheduler = new VirtualScheduler();
const sockets = new Set();
const kept = [];

/** Dials a peer that treats each text as it is told to. */
function dial(answer) {
  const [socket, peer] = [new FakeSocket(scheduler), new FakeSocket(scheduler)];
  peer.addEventListener('message', ({ data }) => answer(peer, data));
  for (const end of [socket, peer]) {
    sockets.add(end);
    end.path.latency = 20;
    end.addEventListener('close', () => sockets.delete(end));
  }
  FakeSocket.join(socket, peer);
  return socket;
}

const pong = (peer, text) => {
  if (text.startsWith(PING)) peer.send(`\u0006${text.slice(1)}`);
};
const SERVERS = {
  mute: () => {},
  chatty: (peer, text) => text.startsWith(PING) || peer.send(`heard ${text}`),
  answering: pong,
};

const clients = Object.values(SERVERS).flatMap((answer) =>
  [false, true].map((resend) => {
    const delivery = new Delivery({ resend });
    const history = new History({
      scheduler,
      WebSocket: () => dial(answer),
      lifecycle: false,
      delivery,
      maxQueuedMessages: 50,
      queuePolicy: 'drop-oldest',
    });
    const socket = new ReconnectingWebSocket('ws://test/', [], history.options);
    socket.addEventListener('error', () => {});
    return { socket, delivery, history, isAnswered: answer === pong };
  }),
);

/** Lets the time pass until `end`, with a message of each client at each step. */
async function live(end) {
  for (let step = 0; scheduler.now() < end; step += 1) {
    for (const { socket, delivery, isAnswered } of clients) {
      socket.send(`message ${step}`);
      if (isAnswered && step % 3 === 0) void delivery.flushed();
      if (leaks) kept.push({ step });
    }
    scheduler.advance(STEP);
    for (const { sentMessages } of sockets) sentMessages.length = 0; // the test's own
    if (step % 100 === 0) await new Promise(setImmediate); // promises settle
  }
  await new Promise(setImmediate);
}

function heap() {
  for (let times = 0; times < 4; times += 1) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

await live(FILL);
writeHeapSnapshot(first);
const before = heap();
await live(FILL + 24 * HOUR);
const after = heap();
writeHeapSnapshot(second);
for (const { history } of clients) history.report(); // they are in use to the end
console.log(JSON.stringify({ before, after, kept: kept.length }));
process.exit();
