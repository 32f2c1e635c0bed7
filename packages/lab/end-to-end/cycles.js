// Runs in a page and in a Node client: connects, has a pong, and closes, many times over. Every other
// socket has its heartbeat attached; some keep time by a worker, where there are any.
const AT_ONCE = 4;
const WORKER_EACH = 10;

const happened = (target, name) =>
  new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));

async function attach({ attachHeartbeat, WebSocket, url }, options) {
  const socket = new WebSocket(url);
  const heartbeat = attachHeartbeat(socket, options);
  await new Promise((resolve) => heartbeat.once('pong', resolve));
  const closed = happened(socket, 'close');
  socket.close();
  await closed;
  return [socket, heartbeat];
}

async function connect({ ReconnectingWebSocket, WebSocket, url }, options) {
  const socket = new ReconnectingWebSocket(url, [], { ...options, WebSocket });
  await happened(socket, 'pong');
  const closed = happened(socket, 'close');
  socket.close();
  await closed;
  return [socket];
}

async function cycle(index, means) {
  const { WorkerScheduler } = means;
  const useWorker = WorkerScheduler !== undefined && index % WORKER_EACH === 0;
  const scheduler = useWorker ? new WorkerScheduler() : undefined;
  const kept = await (index % 2 === 0 ? attach : connect)(means, scheduler && { scheduler });
  scheduler?.close();
  return kept;
}

/** `means` are what the cycles are made of. What `keep` is given is not let go of. */
export async function runCycles(count, means, keep = () => {}) {
  let next = 0;
  const inTurn = async () => {
    while (next < count) {
      next += 1;
      keep(await cycle(next, means));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
}
