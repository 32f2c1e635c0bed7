// The clients of a soak with several servers, in a separate process. Each sends numbered messages, and
// dials another server each time.

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { obey, settings, tell } from '@wirebeat/lab/fleet/parent';
import { WebSocket } from 'ws';
import type { End } from './cluster.ts';
import { TIMING } from './timing.ts';

const { ports, count, period } = settings<{ ports: number[]; count: number; period: number }>();
const sockets = new Map<number, ReconnectingWebSocket>();
const deliveries = new Map<number, Delivery>();
const sent: Record<string, number> = {};
const gone = new Set<number>();
/** The newest socket of each client. */
const links = new Map<number, WebSocket>();
let isOver = false;

class Link extends WebSocket {
  constructor(url: string, protocols?: string[]) {
    super(url, protocols);
    links.set(Number(new URL(url).pathname.slice(1)), this);
  }
}

function open(index: number): void {
  const url = () => `ws://127.0.0.1:${ports[Math.floor(Math.random() * ports.length)]}/${index}`;
  const delivery = new Delivery({ resend: true });
  const socket = new ReconnectingWebSocket(url, undefined, {
    ...TIMING,
    WebSocket: Link as never,
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

/** From now on the link is silent, and stays open: to its server, the client is a ghost. */
function silence(link: WebSocket): End[] {
  if (link.readyState !== WebSocket.OPEN) return [];
  const { localPort: from = 0, remotePort: to = 0 } = Reflect.get(link, '_socket') as Socket;
  link.pause(); // it answers no Pings either
  Object.assign(link, { send() {}, close() {}, terminate() {} });
  return [{ from, to }];
}

/**
 * A user goes away for good, once all messages have arrived. Every second one dies without a word, the
 * others close their connections. Resolves to the connections of those that died.
 */
async function goAway(user: number): Promise<End[]> {
  const tabs = [2 * user, 2 * user + 1];
  for (const tab of tabs) gone.add(tab);
  for (const tab of tabs) {
    const socket = sockets.get(tab);
    const waiting = () =>
      (deliveries.get(tab)?.unconfirmed.length ?? 0) + (socket?.bufferedAmount ?? 0);
    while (waiting() > 0) await sleep(100); // what waits for a connection is in its buffer
  }
  return tabs.flatMap((tab) => {
    const link = links.get(tab);
    const ends = user % 2 === 1 && link !== undefined ? silence(link) : [];
    sockets.get(tab)?.close();
    return ends;
  });
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
