import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloseRecord, PingTimeoutError, ReconnectingWebSocket } from '@wirebeat/client';
import { WebSocket } from 'ws';
import type { PingDialect } from './dialect.ts';
import { applicationPinger, dialectPinger, type Pinger, protocolPinger } from './pinger.ts';
import { jsonReport, type Look, textReport } from './report.ts';
import { safeText } from './safe-text.ts';
import { PingStatistics } from './statistics.ts';

/** What `wirebeat ping` was asked for. Durations are in ms. */
export interface PingCommand {
  readonly url: string;
  /** What is asked: the application, the WebSocket layer, or an application of another protocol. */
  readonly tier: 'application' | 'protocol' | PingDialect;
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocols: readonly string[];
  /** How many pings; `Infinity`: until it is stopped. */
  readonly count: number;
  /** From one ping to the next; longer where the pong takes longer. */
  readonly interval: number;
  /** Wait for the connection, and for each pong. */
  readonly timeout: number;
  readonly json: boolean;
}

/** Where lines go: what was measured, and what went wrong. */
export interface Output {
  readonly look: Look;
  print(line: string): void;
  complain(line: string): void;
}

/**
 * Pings the application at `command.url`, one line for each pong, and sums up. `stop` ends it early.
 *
 * Resolves to the exit code: 0 if every ping was answered, 1 if one was not or the connection
 * failed.
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
  /** What asks, once the socket is open. */
  readonly pinger: () => Pinger;
  /** It ended by itself. */
  readonly lost: AbortSignal;
}

/** A connection that pings when told to and does not come back. */
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
    why = error?.message || error?.code; // where several addresses refused, there is only a code
  });
  socket.addEventListener('giveup', ({ detail }) => lost.abort(why ?? explain(detail.cause)));
  return { socket, pinger, lost: lost.signal };
}

/** Why nobody may have answered. */
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

/** One ping at a time, so that none measures another. */
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
    // It has ended: the caller looks.
  }
}
