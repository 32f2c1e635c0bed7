import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '@wirebeat/core';
import { dial, type Target } from '../connection/dial.ts';
import { createProber, pingId } from '../connection/prober.ts';
import { safeText } from '../safe-text.ts';

/** What the last probe has found. */
export interface ReadinessState {
  readonly isReady: boolean;
  /** Time from the ping to the pong; `undefined` if there was none. */
  readonly latency: Millis | undefined;
  /** Why the upstream is not ready. */
  readonly error: string | undefined;
  /** When the probe ended, in ms since the epoch; `undefined` before the first end. */
  readonly at: number | undefined;
}

/** What is probed, and the time between two probes. */
export interface ProbeSettings {
  readonly target: Target;
  readonly interval: Millis;
}

const UNKNOWN: ReadinessState = {
  isReady: false,
  latency: undefined,
  error: 'the upstream has not been probed yet',
  at: undefined,
};

/**
 * Opens a WebSocket to the upstream again and again and pings it. A port that accepts connections is
 * not enough: a hung server does too.
 */
export class ReadinessProbe {
  state: ReadinessState;
  readonly settings: ProbeSettings;
  readonly #end: AbortController = new AbortController();

  constructor(settings: ProbeSettings, state: ReadinessState = UNKNOWN) {
    this.settings = settings;
    this.state = state;
    void this.#run(settings);
  }

  stop(): void {
    this.#end.abort();
  }

  async #run({ target, interval }: ProbeSettings): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const state = await probe(target, signal);
      if (!signal.aborted) this.state = state;
      await sleep(interval, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** Probes an upstream once. Never rejects. */
async function probe(target: Target, signal: AbortSignal): Promise<ReadinessState> {
  try {
    const { socket } = await dial(target, signal);
    try {
      const latency = await pingOnce(socket, target.timeout);
      return { isReady: true, latency, error: undefined, at: Date.now() };
    } finally {
      socket.close(1000);
      setTimeout(() => socket.terminate(), target.timeout).unref();
    }
  } catch (error) {
    const message = safeText((error as Error).message);
    return { isReady: false, latency: undefined, error: message, at: Date.now() };
  }
}

type Socket = Parameters<typeof createProber>[0];

function pingOnce(socket: Socket, timeout: Millis): Promise<Millis> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`no pong came within ${timeout} ms`));
    const timer = setTimeout(late, timeout);
    const settled = (settle: () => void) => () => {
      clearTimeout(timer);
      settle();
    };
    socket.on('error', () => {}); // `close` follows
    socket.once(
      'close',
      settled(() => reject(new Error('the upstream closed the connection'))),
    );
    const answered = settled(() => resolve(performance.now() - startedAt));
    createProber(socket, 'protocol', answered).ping(pingId());
  });
}
