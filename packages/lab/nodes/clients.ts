// The clients of a soak with several servers, in a separate process. Each sends numbered messages, and
// dials another server each time.

import { setTimeout as sleep } from 'node:timers/promises';
import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { obey, settings, tell } from '@wirebeat/lab/fleet/parent';
import { WebSocket } from 'ws';
import { sharedNow, TIMING } from './timing.ts';

const { ports, count, period } = settings<{ ports: number[]; count: number; period: number }>();
const sockets = new Map<number, ReconnectingWebSocket>();
const deliveries = new Map<number, Delivery>();
const sent: Record<string, number> = {};
const gone = new Set<number>();
let isOver = false;

function open(index: number): void {
  const url = () => `ws://127.0.0.1:${ports[Math.floor(Math.random() * ports.length)]}/${index}`;
  const delivery = new Delivery({ resend: true });
  const socket = new ReconnectingWebSocket(url, undefined, {
    ...TIMING,
    WebSocket: WebSocket as never,
    delivery,
    backoff: { maxDelay: 2_000 },
  });
  sent[`/${index}`] ??= 0;
  sockets.set(index, socket);
  deliveries.set(index, delivery);
  setTimeout(() => act(index, socket), Math.random() * period);
}

/** Sends a message now and then. */
function act(index: number, socket: ReconnectingWebSocket): void {
  if (isOver || gone.has(index)) return;
  const number = (sent[`/${index}`] ?? 0) + 1;
  socket.send(String(number));
  sent[`/${index}`] = number;
  setTimeout(() => act(index, socket), period * (0.5 + Math.random()));
}

/** A user goes away for good, once all messages have arrived. */
async function goAway(user: number): Promise<void> {
  const tabs = [2 * user, 2 * user + 1];
  for (const tab of tabs) gone.add(tab);
  for (const tab of tabs) {
    const socket = sockets.get(tab);
    const waiting = () =>
      (deliveries.get(tab)?.unconfirmed.length ?? 0) + (socket?.bufferedAmount ?? 0);
    while (waiting() > 0) await sleep(100); // what waits for a connection is in its buffer
  }
  for (const tab of tabs) sockets.get(tab)?.close();
  tell('gone', `user ${user}`, { at: sharedNow() });
}

obey({
  state: () => [...sockets.values()].filter(({ readyState, OPEN }) => readyState === OPEN).length,
  goAway: ({ user }: { user: number }) => goAway(user),
  rest() {
    isOver = true;
    return sent;
  },
});

const SPREAD = 3; // ms between two clients
for (let index = 0; index < count; index += 1) setTimeout(() => open(index), index * SPREAD);
setTimeout(() => tell('begun'), count * SPREAD);
