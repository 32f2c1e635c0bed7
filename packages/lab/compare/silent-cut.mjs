// Cuts the connection of one client of one subject silently.
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { amount } from './trial.mjs';

/** Clients that have not recovered by then count as not recovered, in ms. */
export const LIMIT = amount(120_000, 30_000);

const LOOK = 20;
/** socket.io has upgraded from polling to a WebSocket by then. */
const SETTLED = 5_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Connects a client of `subject` through a proxy, waits, cuts the flow that there is, and waits until
 * `recoveredAt(cutAt)` gives an instant. Resolves to the time between, which may be infinite.
 */
export async function recoveryOf({ server, dial, settle = SETTLED, recoveredAt, use = () => {} }) {
  const proxy = await TcpProxy.listen({ to: server.port });
  const client = dial(proxy.port);
  const end = use(client);
  await pause(settle);
  const cutAt = performance.now();
  proxy.cut();
  while (recoveredAt(cutAt) === undefined && performance.now() < cutAt + LIMIT) await pause(LOOK);
  const recovery = (recoveredAt(cutAt) ?? Number.POSITIVE_INFINITY) - cutAt;
  await end?.();
  client.end();
  server.end();
  await proxy.close();
  return recovery;
}

/** The median and the worst of what `runs` runs came to. */
export function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], worst: sorted.at(-1) };
}

export function seconds(ms) {
  return ms === Number.POSITIVE_INFINITY ? `> ${LIMIT / 1_000} s` : `${(ms / 1_000).toFixed(1)} s`;
}

/** How many times `ours` it is. */
export function timesOf(ours, ms) {
  return ms < LIMIT ? (ms / ours).toFixed(1) : `> ${Math.floor(LIMIT / ours)}`;
}
