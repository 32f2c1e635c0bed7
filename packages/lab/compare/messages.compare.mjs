// How much CPU time does a library add to each message?
//
// A minimal socket class dispatches a short text, and one listener counts it. The result is what each
// library adds. Measures the CPU time of this process, alternately for each library.
import { WebSocket as PartySocket } from 'partysocket';
import OtherReconnectingWebSocket from 'reconnecting-websocket';
import heartbeatJs from 'websocket-heartbeat-js';
import { ratio } from '../bench/measure.mjs';
import { conclude } from './conclusion.mjs';

/** The browser build, which uses the global class and needs no option. */
const { attachHeartbeat, ReconnectingWebSocket } = await import(
  '../../client/dist/index.native.js'
);

const TEXT = JSON.stringify({ type: 'price', of: 'tulips', is: 17.25 });

/** A WebSocket that is open at once and receives what the test dispatches. */
class BareSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;
  static last;
  readyState = 0;
  binaryType = 'blob';
  bufferedAmount = 0;
  onmessage = null;
  onopen = null;

  constructor() {
    super();
    BareSocket.last = this;
    this.addEventListener('message', (event) => this.onmessage?.(event));
    this.addEventListener('open', (event) => this.onopen?.(event));
  }

  send() {}

  close() {
    this.readyState = 3;
    const event = Object.assign(new Event('close'), { code: 1000, reason: '', wasClean: true });
    this.dispatchEvent(event);
  }

  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
}
globalThis.WebSocket = BareSocket;

let heard = 0;
const count = () => (heard += 1);
const listening = (socket) => {
  socket.addEventListener('message', count);
  return () => socket.close();
};

/** How each library wraps the minimal socket. Returns a function that ends it. */
const SUBJECTS = {
  'wirebeat, `attachHeartbeat`': () => {
    const socket = new BareSocket();
    const heartbeat = attachHeartbeat(socket);
    listening(socket);
    return () => heartbeat.detach();
  },
  'wirebeat, `ReconnectingWebSocket`': () => listening(new ReconnectingWebSocket('ws://127.0.0.1')),
  'websocket-heartbeat-js': () => {
    const socket = new heartbeatJs.default({ url: 'ws://127.0.0.1' });
    socket.onmessage = count;
    return () => socket.close();
  },
  partysocket: () => listening(new PartySocket('ws://127.0.0.1', [], { WebSocket: BareSocket })),
  'reconnecting-websocket': () =>
    listening(new OtherReconnectingWebSocket('ws://127.0.0.1', [], { WebSocket: BareSocket })),
};

const settle = () => new Promise((resolve) => setTimeout(resolve, 20)); // some libraries dial after a short delay

async function subjectOf(name, make) {
  BareSocket.last = undefined;
  const end = make();
  await settle();
  const socket = BareSocket.last;
  socket.open();
  await settle();
  const run = () => socket.dispatchEvent(new MessageEvent('message', { data: TEXT }));
  const before = heard;
  run();
  if (heard !== before + 1) throw new Error(`${name} heard ${heard - before} messages of 1`);
  return { name, calls: 1, run, end };
}

const bare = await subjectOf('the listener alone', () => listening(new BareSocket()));
const rows = [];
for (const [name, make] of Object.entries(SUBJECTS)) {
  const subject = await subjectOf(name, make);
  const cost = await ratio(subject, bare);
  subject.end();
  rows.push({ name, ...cost });
}
conclude('messages', {
  heads: ['', 'a message', '× the listener alone'],
  rows: rows.map((each) => [
    each.name,
    `${(each.nanoseconds / 1_000).toFixed(2)} µs`,
    each.ratio.toFixed(2),
  ]),
  packages: ['websocket-heartbeat-js', 'partysocket', 'reconnecting-websocket'],
});
