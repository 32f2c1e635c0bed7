import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloseRecord, PingTimeoutError, ReconnectingWebSocket } from '@wirebeat/client';
import { WebSocket } from 'ws';
import type { PingDialect } from './dialect.ts';
import { applicationPinger, dialectPinger, type Pinger, protocolPinger } from './pinger.ts';
import { jsonReport, type Look, textReport } from './report.ts';
import { safeText } from './safe-text.ts';
import { PingStatistics } from './statistics.ts';

/** The arguments of `wirebeat ping`. Durations are in ms. */
export interface PingCommand {
  readonly url: string;
  /**
   * What to ping: the application, the WebSocket layer, or an application that uses another protocol.
   */
  readonly tier: 'application' | 'protocol' | PingDialect;
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocols: readonly string[];
  /** Number of pings. `Infinity`: pings until stopped. */
  readonly count: number;
  /** Time between pings in ms; longer if a pong takes longer. */
  readonly interval: number;
  /** Timeout for the connection and for each pong, in ms. */
  readonly timeout: number;
  readonly json: boolean;
}

/** Where to print results and errors. */
export interface Output {
  readonly look: Look;
  print(line: string): void;
  complain(line: string): void;
}

/**
 * Pings the application at `command.url`, prints one line per pong, then a summary. Aborting `stop`
 * ends the run early.
 *
 * Resolves to the exit code: 0 if every ping was answered, 1 if one was not or the connection failed.
 */
export async function ping(
  command: PingCommand,
  output: Output,
  stop: AbortSignal,
): Promise<0 | 1> {
  const url = safeText(command.url);
  const { socket, pinger, lost } = dial(command);
  const end = AbortSignal.any([stop, lost]);
  const wasOpen = await isOpened(socket, end);
  const { sent, received } = wasOpen
    ? await pingInTurn(pinger(), command, output, end)
    : new PingStatistics();
  socket.close();
  if (lost.aborted) {
    output.complain(`${wasOpen ? 'lost the' : 'no'} connection to ${url}: ${lost.reason}`);
    return 1;
  }
  if (sent > 0 && received === 0) output.complain(`${url} ${unanswered(command)}`);
  return received > 0 && received === sent ? 0 : 1;
}

interface Dialled {
  readonly socket: ReconnectingWebSocket;
  /** Creates the pinger. The socket must be open. */
  readonly pinger: () => Pinger;
  /** Aborts when the connection is lost. */
  readonly lost: AbortSignal;
}

/** Opens a connection that only pings on request and does not reconnect. */
function dial({ url, tier, timeout, headers, subprotocols }: PingCommand): Dialled {
  let raw: WebSocket | undefined;
  const createWebSocket = (address: string, protocols?: string[]) => {
    raw = new WebSocket(address, protocols, { headers });
    return raw;
  };
  const socket = new ReconnectingWebSocket(url, [...subprotocols], {
    createWebSocket,
    pingInterval: false,
    pingTimeout: false,
    connectTimeout: timeout,
    maxAttempts: 0,
  });
  const pinger = () => {
    if (tier === 'application') return applicationPinger(socket);
    return tier === 'protocol'
      ? protocolPinger(raw as WebSocket)
      : dialectPinger(raw as WebSocket, tier);
  };
  const lost = new AbortController();
  let why: string | undefined;
  socket.addEventListener('error', (event) => {
    const { error } = event as { error?: { message: string; code?: string } };
    why = error?.message || error?.code; // if several addresses refused, the error only has a code
  });
  socket.addEventListener('giveup', ({ detail }) => lost.abort(why ?? explain(detail.cause)));
  return { socket, pinger, lost: lost.signal };
}

/** Returns a possible reason why no pong arrived. */
function unanswered({ tier }: PingCommand): string {
  if (tier === 'protocol') return 'answers no protocol Ping: something before it may take them';
  if (tier === 'application') {
    return 'answers no application ping: its server has to do that itself. Try --protocol';
  }
  return `answers no ping of ${tier.of}`;
}

function explain({ reason, code, text }: CloseRecord): string {
  if (reason === 'connect-timeout') return 'it did not open in time';
  return text === '' ? `close code ${code}` : `close code ${code}, ${text}`;
}

async function isOpened(socket: ReconnectingWebSocket, end: AbortSignal): Promise<boolean> {
  try {
    await once(socket, 'open', { signal: end });
    return true;
  } catch {
    return false;
  }
}

/** Sends one ping at a time, so that pings do not affect each other's latency. */
async function pingInTurn(
  pinger: Pinger,
  { url: address, count, interval, timeout, json }: PingCommand,
  output: Output,
  end: AbortSignal,
): Promise<PingStatistics> {
  const url = safeText(address);
  const report = json ? jsonReport(url) : textReport(url, output.look);
  const statistics = new PingStatistics();
  for (let seq = 1; seq <= count && !end.aborted; seq += 1) {
    const due = performance.now() + interval;
    statistics.sent += 1;
    try {
      const latency = await pinger(timeout, end);
      statistics.receive(latency);
      output.print(report.pong(seq, latency));
    } catch (error) {
      if (error instanceof PingTimeoutError) output.print(report.silence(seq, timeout));
      else if (!end.aborted) throw error;
    }
    if (seq < count) await pause(due - performance.now(), end);
  }
  output.print(report.summary(statistics));
  return statistics;
}

async function pause(wait: number, end: AbortSignal): Promise<void> {
  try {
    await sleep(Math.max(0, wait), undefined, { signal: end });
  } catch {
    // The connection was lost or `stop` was aborted: the caller checks.
  }
}
