import { HEARTBEAT_SCHEMA, type Millis, SystemScheduler } from '@wirebeat/core';
import { type Dialled, dial, type Target } from '../connection/dial.ts';
import { DialError } from '../connection/dial-error.ts';
import { createProber, pingId, type Tier } from '../connection/prober.ts';
import { inSeconds } from '../ping/connection-ends.ts';
import { jsonReport } from '../ping/report.ts';
import { safeJson, safeText } from '../safe-text.ts';
import type { Terminal } from '../terminal.ts';
import { type IdleFindings, needsShorterInterval } from './idle-findings.ts';
import { IdleSearch, type SearchConnection, type SearchListener } from './idle-search.ts';

/** The arguments of `wirebeat ping --find-idle`. Durations are in ms. */
export interface FindIdleCommand extends Target {
  readonly tier: Tier;
  /** Longest silence and longest age that are tried. */
  readonly upTo: Millis;
  readonly json: boolean;
}

/**
 * Searches for the idle timeout and the lifetime limit on the path, and prints what to set. Resolves to
 * the exit code: 0 if the search took place, 1 if no connection could be opened.
 */
export async function findIdle(
  command: FindIdleCommand,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<0 | 1> {
  const url = safeText(command.url);
  try {
    const { socket } = await dial(command, stop); // a search needs a server that can be reached
    socket.close();
  } catch (error) {
    if (stop.aborted) return 1;
    if (!(error instanceof DialError)) throw error;
    if (command.json) terminal.print(jsonReport(url).failed?.(error) ?? '');
    terminal.complain(`no connection to ${url}: ${error.message}`);
    if (error.hint !== undefined) terminal.complain(error.hint);
    return 1;
  }
  if (!command.json) {
    terminal.print(`searching for limits up to ${inSeconds(command.upTo)}: Ctrl-C ends the search`);
  }
  const findings = await search(command, stop);
  const lines = command.json ? [jsonOf(url, findings)] : sentencesOf(findings);
  for (const line of lines) terminal.print(line);
  return 0;
}

/** Runs the search over real connections. */
export function search(asked: FindIdleCommand, stop: AbortSignal): Promise<IdleFindings> {
  const { upTo, timeout } = asked;
  // Every server answers protocol Pings, and the search needs answers.
  const command = {
    ...asked,
    tier: asked.tier === 'application' ? 'protocol' : asked.tier,
  } as const;
  return new Promise((resolve) => {
    const port = {
      scheduler: new SystemScheduler(),
      connect: (listener: SearchListener) => connect(command, listener),
    };
    const idleSearch = new IdleSearch({ upTo, timeout }, port, resolve);
    stop.addEventListener('abort', () => idleSearch.stop(), { once: true });
    idleSearch.start();
  });
}

/** Opens one connection of the search. */
function connect(command: FindIdleCommand, listener: SearchListener): SearchConnection {
  const end = new AbortController();
  let ping = (): void => {};
  const use = ({ socket }: Dialled): void => {
    let isReady = false;
    const prober = createProber(socket, command.tier, () => listener.ponged());
    void prober.ready.then(() => {
      isReady = true;
    });
    ping = () => void (isReady && prober.ping(pingId()));
    for (const event of ['message', 'ping'] as const) socket.on(event, () => listener.received());
    socket.on('error', () => {}); // `close` follows
    socket.once('close', (code, text) => {
      if (!end.signal.aborted) listener.ended({ code, text: String(text) });
    });
    end.signal.addEventListener('abort', () => {
      socket.close();
      setTimeout(() => socket.terminate(), command.timeout).unref();
    });
    listener.opened();
  };
  dial(command, end.signal).then(use, () => {}); // a connection that does not open says nothing
  return { ping: () => ping(), close: () => end.abort() };
}

function jsonOf(url: string, findings: IdleFindings): string {
  const { idle, lifetime, ...rest } = findings;
  return safeJson({
    type: 'limits',
    time: new Date().toISOString(),
    url,
    idle: idle && {
      type: idle.type,
      ...(idle.type === 'closed'
        ? { afterMs: Math.round(idle.after), code: idle.code, text: idle.text }
        : { fromMs: Math.round(idle.from), toMs: Math.round(idle.to) }),
    },
    lifetime: lifetime && {
      afterMs: Math.round(lifetime.after),
      code: lifetime.code,
      text: lifetime.text,
    },
    survivedIdleMs: Math.round(rest.survivedIdle),
    survivedAgeMs: Math.round(rest.survivedAge),
    serverIntervalMs: rest.serverInterval && Math.round(rest.serverInterval),
    endedTogether: rest.endedTogether,
    unanswered: rest.isUnanswered,
    pingIntervalMs: rest.pingInterval,
    maxAgeMs: rest.maxAge,
    messages: sentencesOf(findings),
  });
}

/** Returns the findings in plain words, with what to set. */
export function sentencesOf(findings: IdleFindings): readonly string[] {
  const { lifetime, isUnanswered, endedTogether, maxAge } = findings;
  const lines = [...idleSentences(findings)];
  if (endedTogether) {
    lines.push(
      'All connections ended at the same moment: the server or a proxy was restarted, or the network was lost. Search again.',
    );
  }
  if (isUnanswered) {
    lines.push(
      'No ping was answered, so nothing can be said about a lifetime limit. Try --protocol, or another --dialect.',
    );
  } else if (lifetime !== undefined) {
    lines.push(
      `Lifetime limit: connections are closed at the age of ${inSeconds(lifetime.after)} (${closeWords(lifetime)}), even if they are not idle. Pings do not help. Set maxAge: ${maxAge}.`,
    );
  } else {
    lines.push(`Lifetime limit: none found up to ${inSeconds(findings.survivedAge)}.`);
  }
  return lines;
}

function idleSentences(findings: IdleFindings): readonly string[] {
  const { idle, survivedIdle, serverInterval, pingInterval } = findings;
  const own =
    serverInterval === undefined
      ? []
      : [
          `The server sends something every ${inSeconds(serverInterval)}, so the connections were never idle for longer.`,
        ];
  if (idle === undefined) {
    return [`Idle timeout: none found up to ${inSeconds(survivedIdle)}.`, ...own];
  }
  const what =
    idle.type === 'closed'
      ? `idle connections are closed after ${inSeconds(idle.after)} (${closeWords(idle)}).`
      : `idle connections are dropped without notice after ${inSeconds(idle.from)} to ${inSeconds(idle.to)}.`;
  const advice = needsShorterInterval(findings)
    ? `Set pingInterval: ${pingInterval} in the client. This helps only if the server answers the client's pings.`
    : `The default pingInterval of ${HEARTBEAT_SCHEMA.pingInterval.default} is short enough.`;
  return [`Idle timeout: ${what}`, ...own, advice];
}

/** Says whether the server ended the connection itself. */
function closeWords({ code, text }: { readonly code: number; readonly text: string }): string {
  if (code === 1006) return 'without a Close frame, as proxies do';
  return `with close code ${code}${text === '' ? '' : `, ${safeText(text)}`}, so by the server itself`;
}
