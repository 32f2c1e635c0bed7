// The clients of a soak, in a separate process. Each sends numbered messages that must all arrive.
import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { worstOf } from '@wirebeat/lab/fleet/allowance';
import { obey, settings, tell } from '@wirebeat/lab/fleet/parent';
import { WebSocket } from 'ws';
import { Invariants } from './invariants.ts';
import { sampleMemory } from './sample-memory.ts';
import { TIMING } from './timing.ts';

/** Settings of the clients. */
export interface SoakClientSettings {
  /** Ports of the proxies that they use in turn. */
  readonly ports: readonly number[];
  readonly count: number;
  /** Mean time between two messages of each client, in ms. */
  readonly period: number;
  /** The feature to turn off, for a soak that must fail. */
  readonly without?: 'resend' | 'session';
}

/** What they report each second. */
export interface ClientsState {
  readonly open: number;
  readonly deaths: number;
}

const { ports, count, period, without } = settings<SoakClientSettings>();
const sent: Record<string, number> = {};
const sockets = new Map<string, ReconnectingWebSocket>();
const invariants = new Invariants();
const options = {
  ...TIMING,
  WebSocket: WebSocket as never,
};
let deaths = 0;
let isOver = false;

// The stalls that each connection reports are not enough: nobody listened to a standby connection
// before it took over.
const PAUSE_PERIOD = 100;
const TIMER_SLACK = 250;
const pauses: { readonly at: number; readonly lateBy: number }[] = [];
let dueAt = performance.now() + PAUSE_PERIOD;
setInterval(() => {
  const at = performance.now();
  if (at - dueAt > TIMER_SLACK) pauses.push({ at, lateBy: at - dueAt });
  dueAt = at + PAUSE_PERIOD;
}, PAUSE_PERIOD);

/** Returns each time that this process did not run, including the current one, in ms. */
function pausesSince(instant: number): number[] {
  const now = performance.now();
  const latest = now - dueAt > TIMER_SLACK ? [now - dueAt] : [];
  const counted = pauses.filter(({ at }) => at > instant).map(({ lateBy }) => lateBy);
  return worstOf([...counted, ...latest]);
}

function open(index: number): void {
  const path = `/${index}`;
  const delivery = new Delivery({ resend: without !== 'resend' });
  const socket = new ReconnectingWebSocket(
    `ws://127.0.0.1:${ports[index % ports.length]}${path}`,
    undefined,
    { ...options, delivery },
  );
  let detectionBound = 0;
  sent[path] = 0;
  sockets.set(path, socket);
  // Uses the values in force when the silence began: they may have changed since.
  socket.addEventListener('pong', () => {
    detectionBound = 0;
  });
  socket.addEventListener('ping', () => {
    detectionBound = Math.max(detectionBound, socket.detectionBound ?? 0);
  });
  socket.addEventListener('dead', ({ detail: { silentFor, reason } }) => {
    deaths += 1;
    if (reason !== 'ping-timeout') return;
    const { pingTimeout } = TIMING;
    const stalls = pausesSince(performance.now() - silentFor);
    invariants.silent({ client: path, silentFor, detectionBound, pingTimeout, stalls });
  });
  setTimeout(() => act(path, socket), Math.random() * period);
}

/** Sends a message now and then. */
function act(path: string, socket: ReconnectingWebSocket): void {
  if (isOver) return;
  const number = (sent[path] ?? 0) + 1;
  socket.send(String(number));
  sent[path] = number;
  setTimeout(() => act(path, socket), period * (0.5 + Math.random()));
}

obey({
  state(): ClientsState {
    const open = [...sockets.values()].filter(({ readyState, OPEN }) => readyState === OPEN).length;
    return { open, deaths };
  },
  memory: sampleMemory,
  /** Stops all sending. Answers how many messages each client has sent. */
  rest() {
    isOver = true;
    return sent;
  },
  violations: () => invariants.violations,
});

const SPREAD = 2; // ms between two clients
for (let index = 0; index < count; index += 1) setTimeout(() => open(index), index * SPREAD);
setTimeout(() => tell('begun'), count * SPREAD);
