import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '@wirebeat/core';
import type { Dialled } from '../connection/dial.ts';
import { createProber, PING_BYTES, pingId, type Tier } from '../connection/prober.ts';
import type { Finding, Say } from './finding.ts';
import type { Opened } from './handshake.ts';
import { PASS_AT_ONCE } from './remedies.ts';

type Socket = Dialled['socket'];

/** How many pings are sent, and the time in ms between two. */
const PINGS = 5;
const GAP: Millis = 100;
/** Pongs with less than this time in ms between them belong to one batch. */
const SAME_BATCH: Millis = GAP / 5;
/** How many rounds in a row must be batched: a busy machine batches one now and then. */
const BATCHED_ROUNDS = 3;
/**
 * To fill buffers, a Ping and this many Pongs are sent again and again, 2 KB in all. Nobody answers a Pong that
 * nobody asked for (RFC 6455 §5.5.3), and servers close connections that send very many Pings.
 */
const FILLERS = 16;
/** Time in ms from one such group to the next. */
const FILL_GAP: Millis = 10;

/** Whether a connection is still open while it is examined. */
interface ConnectionWatch {
  /** Resolves when `end` aborts: the connection was closed, or the run was stopped. */
  readonly end: AbortSignal;
  closed: { readonly code: number; readonly text: string } | undefined;
}

/**
 * Sends protocol Pings and pings of the application or of another protocol, and reports what was
 * answered, and whether something on the way collects data.
 */
export async function examinePings(
  { dialled, target }: Opened,
  tier: Tier,
  say: Say,
  stop: AbortSignal,
): Promise<void> {
  const { socket } = dialled;
  const over = new AbortController();
  const watch: ConnectionWatch = { end: AbortSignal.any([over.signal, stop]), closed: undefined };
  socket.on('error', () => {}); // `close` follows
  socket.once('close', (code, text) => {
    watch.closed = { code, text: String(text) };
    over.abort();
  });
  try {
    const isAlive = await examineProtocolPings(socket, target.timeout, watch, say);
    stop.throwIfAborted();
    if (tier !== 'protocol' && isAlive !== 'closed') {
      await examineTier(socket, tier, target.timeout, watch, say);
      stop.throwIfAborted();
    }
  } finally {
    socket.close();
    setTimeout(() => socket.terminate(), GAP).unref();
  }
}

async function examineProtocolPings(
  socket: Socket,
  timeout: Millis,
  watch: ConnectionWatch,
  say: Say,
): Promise<'answered' | 'silent' | 'closed'> {
  const series = new PingSeries(socket, 'protocol');
  const first = await series.run(timeout, watch.end);
  if (first.latencies.length === 0) {
    const { closed } = watch;
    say(
      closed
        ? closedFinding('protocol-ping', closed)
        : await whySilent(socket, series, timeout, watch),
    );
    return closed ? 'closed' : 'silent';
  }
  say(latencyFinding('protocol-ping', first.latencies));
  let { isBatched } = first;
  for (let round = 1; round < BATCHED_ROUNDS && isBatched; round += 1) {
    ({ isBatched } = await series.run(timeout, watch.end));
  }
  if (watch.closed !== undefined) say(closedFinding('protocol-ping', watch.closed));
  else say(isBatched ? COLLECTED : PROMPT);
  return watch.closed === undefined ? 'answered' : 'closed';
}

/** Pings an application, or as another protocol does. */
async function examineTier(
  socket: Socket,
  tier: Tier,
  timeout: Millis,
  watch: ConnectionWatch,
  say: Say,
): Promise<void> {
  const series = new PingSeries(socket, tier);
  const { latencies } = await series.run(timeout, watch.end);
  if (latencies.length > 0) return say(latencyFinding('application-ping', latencies));
  const isApplication = tier === 'application';
  const what = typeof tier === 'string' ? 'application ping' : `ping of ${tier.of}`;
  const { closed } = watch;
  say({
    check: 'application-ping',
    verdict: isApplication ? 'warning' : 'failure',
    text:
      closed === undefined
        ? `No ${what} was answered within ${timeout / 1000} s.`
        : `At the ${what}, the server closed the connection: ${closeWords(closed)}.`,
    advice: isApplication
      ? 'A page cannot send protocol Pings. For a latency in pages, answer application pings with @wirebeat/server, with five lines in another server, or with `wirebeat gateway` before it. If the server speaks another protocol, pass --dialect.'
      : 'Check that the server speaks this protocol, and whether it wants a subprotocol or credentials.',
  });
}

/** A few pings, one after the other whether they are answered or not. */
class PingSeries {
  readonly #sent: Map<string, number> = new Map();
  readonly #arrivals: number[] = [];
  readonly #latencies: Millis[] = [];
  readonly #prober: ReturnType<typeof createProber>;
  #answered: () => void = () => {};

  constructor(socket: Socket, tier: Tier) {
    this.#prober = createProber(socket, tier, (id) => this.#receive(id), sizeFor(tier));
  }

  get hasAnswer(): boolean {
    return this.#latencies.length > 0;
  }

  async run(
    timeout: Millis,
    end: AbortSignal,
  ): Promise<{ readonly latencies: readonly Millis[]; readonly isBatched: boolean }> {
    this.#sent.clear(); // late answers to an earlier round do not count
    this.#arrivals.length = 0;
    this.#latencies.length = 0;
    await Promise.race([this.#prober.ready, pause(timeout, end)]);
    for (let count = 0; count < PINGS && !end.aborted; count += 1) {
      this.#ping();
      await pause(GAP, end);
    }
    await this.waitForAll(timeout, end);
    const isBatched = batchesOf(this.#arrivals) * 2 < PINGS;
    return { latencies: [...this.#latencies], isBatched };
  }

  /** Sends more and more until a ping is answered, or for `timeout` ms. */
  async fill(socket: Socket, timeout: Millis, end: AbortSignal): Promise<void> {
    const limit = performance.now() + timeout;
    while (!this.hasAnswer && !end.aborted && performance.now() < limit) {
      this.#ping();
      for (let count = 0; count < FILLERS; count += 1) socket.pong(''.padEnd(PING_BYTES.max));
      await pause(FILL_GAP, end);
    }
  }

  /** Resolves when every ping is answered, or after `timeout` ms. */
  async waitForAll(timeout: Millis, end: AbortSignal): Promise<void> {
    if (this.#sent.size === 0) return;
    const all = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    await Promise.race([all, pause(timeout, end)]);
  }

  #ping(): void {
    const id = pingId();
    this.#sent.set(id, performance.now());
    this.#prober.ping(id);
  }

  #receive(id: string): void {
    const at = this.#sent.get(id);
    if (at === undefined) return;
    this.#sent.delete(id);
    const now = performance.now();
    this.#arrivals.push(now);
    this.#latencies.push(now - at);
    if (this.#sent.size === 0) this.#answered();
  }
}

/** Counts the batches in which pongs arrived. */
function batchesOf(arrivals: readonly number[]): number {
  return arrivals.filter((at, index) => at - (arrivals[index - 1] ?? 0) > SAME_BATCH).length;
}

/** The largest Ping, so that few of them fill a buffer. Other pings have the size of their protocol. */
function sizeFor(tier: Tier): number | undefined {
  return tier === 'protocol' ? PING_BYTES.max : undefined;
}

/** No protocol Ping was answered: finds out whether a proxy holds data back. */
async function whySilent(
  socket: Socket,
  series: PingSeries,
  timeout: Millis,
  { end }: ConnectionWatch,
): Promise<Finding> {
  await series.fill(socket, timeout, end);
  if (series.hasAnswer) return HELD;
  return {
    check: 'protocol-ping',
    verdict: 'failure',
    text: `No protocol Ping was answered within ${timeout / 1000} s, nor after many more. The server hangs, or does not obey RFC 6455 §5.5.2, or a proxy on the way drops Pings or collects data.`,
    advice:
      'Connect to the server directly, without the proxy: if pings are answered there, the proxy is the cause.',
    remedies: PASS_AT_ONCE,
  };
}

const HELD: Finding = {
  check: 'buffering',
  verdict: 'failure',
  text: 'No Ping was answered until much more had been sent after it: a proxy on the way collects data before it passes it on. The server may also have hung and have recovered just then: run the command again.',
  advice: 'Connect to the server directly, without the proxy, to compare.',
  remedies: PASS_AT_ONCE,
};

const COLLECTED: Finding = {
  check: 'buffering',
  verdict: 'warning',
  text: `Pongs to ${PINGS} pings that were sent ${GAP} ms apart arrived in one or two batches, ${BATCHED_ROUNDS} times in a row: a proxy on the way collects data and passes it on from time to time, or the server hangs again and again.`,
  advice: 'Connect to the server directly, without the proxy, to compare.',
  remedies: PASS_AT_ONCE,
};

const PROMPT: Finding = {
  check: 'buffering',
  verdict: 'ok',
  text: 'Pongs arrived one by one: nothing on the way collects data.',
};

function latencyFinding(
  check: 'protocol-ping' | 'application-ping',
  latencies: readonly Millis[],
): Finding {
  const sorted = [...latencies].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return {
    check,
    verdict: 'ok',
    text: `${latencies.length} of ${PINGS} answered, within ${median.toFixed(1)} ms (median).`,
    details: { answered: latencies.length, latencyMs: Math.round(median * 1000) / 1000 },
  };
}

function closedFinding(
  check: Finding['check'],
  closed: { readonly code: number; readonly text: string },
): Finding {
  return {
    check,
    verdict: 'failure',
    text: `The connection was closed right after it had been opened: ${closeWords(closed)}.`,
    advice:
      'The server refuses this client: look at its log. It may want credentials, an `Origin` or a subprotocol: pass -H or --subprotocol.',
    details: { code: closed.code, closeText: closed.text },
  };
}

function closeWords({ code, text }: { readonly code: number; readonly text: string }): string {
  if (code === 1006) return 'without a Close frame, as proxies do';
  return text === '' ? `close code ${code}` : `close code ${code}, ${text}`;
}

/** Resolves after `wait` ms, or when `end` aborts. */
async function pause(wait: Millis, end: AbortSignal): Promise<void> {
  await sleep(wait, undefined, { signal: end }).catch(() => {});
}
