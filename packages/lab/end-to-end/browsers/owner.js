// Runs in a page, in its worker and in its SharedWorker: what a test does with sockets there, and
// what it then asks of them. The page passes on what is for the other two.
const BEATS = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall'];
const RETRIES = ['retry', 'open', 'close', 'message'];
const held = new Map();

const acts = {
  /** A socket with a heartbeat, or one that reconnects; its facts are kept under a key. */
  open(key, kind, url, options) {
    const facts = [];
    const tell = (name, detail) => facts.push({ name, at: performance.now(), ...detail });
    if (kind === 'attached') {
      const socket = new WebSocket(url);
      const heartbeat = wirebeat.attachHeartbeat(socket, options);
      for (const name of BEATS) heartbeat.on(name, (event) => tell(name, jsonOf(event)));
      for (const name of ['open', 'close']) socket.addEventListener(name, () => tell(name));
      socket.addEventListener('message', ({ data }) => tell('message', { data }));
      held.set(key, { socket, heartbeat, facts });
    } else {
      const socket = new wirebeat.ReconnectingWebSocket(url, [], options);
      for (const name of [...BEATS, ...RETRIES]) {
        socket.addEventListener(name, ({ detail, data, code }) =>
          tell(name, { ...jsonOf(detail ?? {}), data, code }),
        );
      }
      held.set(key, { socket, heartbeat: socket, facts });
    }
  },

  send(key, text) {
    held.get(key).socket.send(text);
  },

  /** All that has happened, with the bound in force. */
  look(key) {
    const { facts, heartbeat, socket } = held.get(key);
    const { detectionBound, status } = heartbeat;
    const now = performance.now();
    return { facts, detectionBound, status, readyState: socket.readyState, now };
  },

  close(key) {
    held.get(key).socket.close();
    held.delete(key);
  },

  /**
   * What each kind of listener hears of a server that is asked to send its whole programme: added
   * before the heartbeat is attached, and after.
   */
  async hear(url, binaryType, handlerComes) {
    const socket = new WebSocket(url);
    socket.binaryType = binaryType;
    const heard = { early: [], earlyCapture: [], handler: [], late: [] };
    const hears = (name) => (event) => heard[name].push(event.data);
    const setHandler = () => (socket.onmessage = hears('handler'));
    socket.addEventListener('message', hears('early'));
    socket.addEventListener('message', hears('earlyCapture'), { capture: true });
    if (handlerComes === 'before') setHandler();
    const heartbeat = wirebeat.attachHeartbeat(socket);
    if (handlerComes === 'after') setHandler();
    socket.addEventListener('message', hears('late'));
    const pong = new Promise((resolve) => heartbeat.once('pong', resolve));
    const last = new Promise((resolve) => {
      socket.addEventListener('message', ({ data }) => data === 'last' && resolve());
    });
    await pong;
    socket.send('programme');
    await last;
    socket.close();
    const told = Object.entries(heard).map(async ([name, all]) => [
      name,
      await Promise.all(all.map(describe)),
    ]);
    return Object.fromEntries(await Promise.all(told));
  },

  /** Sends one message of each kind beneath a heartbeat. */
  async sendAll(url) {
    const socket = new WebSocket(url);
    const heartbeat = wirebeat.attachHeartbeat(socket);
    await new Promise((resolve) => heartbeat.once('pong', resolve));
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const messages = ['text', '', '\u0005wbx', new Blob(['blob']), bytes.buffer, bytes.subarray(1)];
    for (const message of [...messages, 'last']) socket.send(message);
  },

  /** Whether attaching and detaching leaves anything on the socket, the page or the wire. */
  async leave(url) {
    const socket = new WebSocket(url);
    const heard = [];
    socket.onmessage = ({ data }) => heard.push(data);
    await new Promise((resolve) => socket.addEventListener('open', resolve));
    const before = shapeOf(socket);
    const heartbeat = wirebeat.attachHeartbeat(socket, { pingInterval: 1_000 });
    const during = shapeOf(socket);
    await heartbeat.ping();
    heartbeat.detach();
    const left = shapeOf(socket);
    const unopened = new WebSocket(url); // so that no pong is on its way when it is detached
    const listeners = countListeners(() => wirebeat.attachHeartbeat(unopened).detach());
    unopened.close();
    const bare = new Promise((resolve) => {
      socket.addEventListener('message', ({ data }) => data === '\u0005wb' && resolve());
    });
    socket.send('beat'); // nobody hides it now
    await bare;
    const { status } = heartbeat;
    return { before, during, left, listeners, heard, status, readyState: socket.readyState };
  },
};

/** The own keys of a socket and the methods it would be called by. */
function shapeOf(socket) {
  const { send, dispatchEvent } = WebSocket.prototype;
  const isNative = socket.send === send && socket.dispatchEvent === dispatchEvent;
  return { keys: Object.getOwnPropertyNames(socket), isNative };
}

/** How many listeners are added while `act` runs, and how many of them are left. */
function countListeners(act) {
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const left = new Map();
  let added = 0;
  const keyOf = (type, options) => `${type} ${Boolean(options?.capture ?? options)}`;
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    added += 1;
    left.set(listener, (left.get(listener) ?? new Set()).add(keyOf(type, options)));
    const drop = () => left.get(listener).delete(keyOf(type, options));
    if (options?.signal) addEventListener.call(options.signal, 'abort', drop);
    return addEventListener.call(this, type, listener, options);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    left.get(listener)?.delete(keyOf(type, options));
    return removeEventListener.call(this, type, listener, options);
  };
  act();
  Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
  return { added, left: [...left.values()].reduce((sum, { size }) => sum + size, 0) };
}

/** A message as text: what it is, and all its bytes, or how many and their sum. */
async function describe(data) {
  if (typeof data === 'string') return data;
  const kind = data instanceof Blob ? 'Blob' : data.constructor.name;
  const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
  return `${kind} ${bytes.length > 20 ? `of ${bytes.length}, sum ${bytes.reduce((sum, byte) => sum + byte, 0)}` : bytes.join()}`;
}

function jsonOf(event) {
  return JSON.parse(JSON.stringify(event));
}

/** Answers what a page asks of its workers. */
function serve(port) {
  port.onmessage = async ({ data: { id, act, args } }) => {
    try {
      port.postMessage({ id, value: await acts[act](...args) });
    } catch (error) {
      port.postMessage({ id, error: String(error?.stack ?? error) });
    }
  };
}

/** Asks a worker, and waits for its answer. */
function callerOf(port) {
  const waiting = new Map();
  port.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  };
  return (act, args) =>
    new Promise((resolve, reject) => {
      const id = Math.random();
      waiting.set(id, { resolve, reject });
      port.postMessage({ id, act, args });
    });
}

if (globalThis.document !== undefined) {
  const owners = {
    page: (act, args) => acts[act](...args),
    worker: callerOf(new Worker('/owner.js')),
    SharedWorker: callerOf(new SharedWorker('/owner.js').port),
  };
  globalThis.run = async (owner, act, ...args) => (await owners[owner](act, args)) ?? null;
} else {
  importScripts('/client.js');
  if (globalThis.SharedWorkerGlobalScope === undefined) serve(globalThis);
  else globalThis.onconnect = ({ ports: [port] }) => serve(port);
}
